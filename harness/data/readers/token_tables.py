"""Read tables with one token per row, such as Kaggle's `Sentence #,Word,POS,Tag`, and join the rows of each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.column_profiles import name_words, quote
from harness.data.place import PlacedRow, place, placed
from harness.data.scalars import Notes, at_a_glance
from harness.data.tags import to_iob2
from harness.data.values import text
from harness.errors import BenchError, unknown

Row = Mapping[str, Any]

NEEDS = ("words", "tags")  # columns that must be known
# Usual names of the column that identifies a token's sentence.
SENTENCE = (
    "sentence_id", "sentence", "sentence_idx", "sentence_number", "sentence_no", "sentence_num", "sent_id", "sentid", "sentenceid",
    "sent", "sent_no", "sentence_index",
)  # fmt: skip
TAG = re.compile(r"O|[BIMESLU]([-_].+)?")
MOSTLY = 0.95  # share of rows that must be tokens


def options(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Return options of the format `tokens` for a table, or None if its rows are not tokens.

    Args:
        columns: Column of `NEEDS` → the table's column.
    """
    tags = [at_a_glance(row.get(columns["tags"])).strip() for row in rows]
    words = [row.get(columns["words"]) for row in rows]
    words = [at_a_glance(word) if isinstance(word, bytes) else word for word in words]
    tagged = [(word, tag) for word, tag in zip(words, tags, strict=True) if tag]
    tokens = sum(bool(TAG.fullmatch(tag)) and isinstance(word, str) and " " not in word.strip() for word, tag in tagged)
    if not tagged or tokens < MOSTLY * len(tagged):
        return None
    others = {"_".join(name_words(name)): str(name) for name in rows[0] if str(name) not in columns.values()}
    sentence = next((others[name] for name in SENTENCE if name in others), None)
    return {**columns, **({"sentence": sentence} if sentence else {})}


def read(
    files: Any,
    *,
    table: str = "csv",
    delimiter: str | None = None,
    quoting: str | None = None,
    header: bool | Sequence[str] | None = None,
    key: str | None = None,
    encoding: str | None = None,
    words: str = "words",
    tags: str = "tags",
    sentence: str | None = None,
    scheme: str = "auto",
    report: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return a row `{"words": [...], "tags": [... in IOB2]}` for each sentence.

    A sentence ends where the value of `sentence` changes; an empty value continues the sentence. Without that column it ends at
    a row without word and tag, or at a blank line.

    Args:
        table: The format of the files: csv, tsv, json, jsonl, parquet or arrow.
        delimiter, quoting, header, key, encoding: Options of that format.
        words, tags: The columns of a token and its tag.
        sentence: The column of the sentence's name or number.
        scheme: See `harness.data.tags.to_iob2`.
        report: Gets what `Converted.report` returns, `put_together` (sentences) and `wordless` (rows with a tag but no word, which
            are skipped).
    """
    from harness.data.readers import read_table  # imports this module

    notes: dict[str, Any] = {}
    raw = read_table(files, table, notes, delimiter=delimiter, quoting=quoting, header=header, key=key, encoding=encoding)
    used = [name for name in (words, tags, sentence) if name is not None]
    conversions = Notes()
    raw = [_as_text(row, used, conversions) for row in raw]
    if sentence is None and len(raw) > 1 and not any(_breaks(raw, words, tags)):
        raise BenchError(
            f"{place(raw[0], 'row 1')}: every row holds one word, and nothing says where a sentence ends: neither a column such as "
            "sentence_id (--column sentence=NAME names another one) nor an empty row between sentences"
        )
    sentences, wordless = [], 0
    for group in _sentences(raw, words, tags, sentence):
        tokens = [row for row in group if row[words]]
        wordless += len(group) - len(tokens)
        sentences += [tokens] if tokens else []
    for row in (row for tokens in sentences for row in tokens):
        if not row[tags]:
            raise BenchError(f"{place(row, 'a row')}: the word {quote(row[words])} has no tag; give it one (O for none)")
    converted = to_iob2(
        [[row[tags] for row in tokens] for tokens in sentences],
        scheme,
        where=lambda number, token: place(sentences[number][token], f"sentence {number + 1}, token {token + 1}"),
    )
    if report is not None:
        notes.pop("empty_rows", None)  # empty rows end sentences
        report.update(notes, **converted.report(), put_together=len(sentences), wordless=wordless)
        report.update({name: number for name, number in conversions.items() if number})
    return [
        placed({"words": [row[words] for row in tokens], "tags": labels}, tokens[0])
        for tokens, labels in zip(sentences, converted.tags, strict=True)
    ]


def _as_text(row: Row, columns: Sequence[str], notes: Notes) -> Row:
    """Return the row with the values of some columns as text without outer blanks."""
    for name in columns:
        if name not in row:
            raise unknown("column", name, row, where=place(row, "a row"))
    try:
        return placed({**row, **{name: text(row[name], notes).strip() for name in columns}}, row)
    except ValueError as error:
        raise BenchError(f"{place(row, 'a row')}: {error}") from None


def _sentences(rows: Sequence[Row], words: str, tags: str, sentence: str | None) -> Iterator[list[Row]]:
    """Yield the rows of each sentence that have a word or a tag."""
    group: list[Row] = []
    current: tuple[Any, str] = (None, "")
    for row, ends_before in zip(rows, _breaks(rows, words, tags), strict=True):
        if sentence is not None:
            file, name = getattr(row, "file", None), row[sentence]
            ends_before = file != current[0] or (bool(name) and name != current[1])
            current = (file, name or current[1])
        if ends_before and group:
            yield group
            group = []
        if row[words] or row[tags]:
            group.append(row)
    if group:
        yield group


def _breaks(rows: Sequence[Row], words: str, tags: str) -> Iterator[bool]:
    """Yield for each row whether the row itself ends a sentence: by being empty, after a blank line, or in a new file."""
    before: Row = {}
    for row in rows:
        known = isinstance(row, PlacedRow) and isinstance(before, PlacedRow)
        new_file = known and row.file != before.file
        # A token takes one line, so a missing line was blank.
        gap = known and not new_file and isinstance(row.spot, int) and row.spot > before.spot + 1
        yield new_file or gap or not (row[words] or row[tags])
        before = row
