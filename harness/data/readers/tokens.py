"""Tables with one token a row, such as Kaggle's `Sentence #,Word,POS,Tag`: rows are put together to sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.column_profiles import name_words, quote
from harness.data.place import PlacedRow, place, placed
from harness.data.tags import to_iob2
from harness.data.values import Notes, at_a_glance, text
from harness.errors import BenchError, unknown

Row = Mapping[str, Any]

NEEDS = ("words", "tags")  # columns that must be known before
# What data sets call the column that says to which sentence a token belongs.
SENTENCE = (
    "sentence_id", "sentence", "sentence_idx", "sentence_number", "sentence_no", "sentence_num", "sent_id", "sentid", "sentenceid",
    "sent", "sent_no", "sentence_index",
)  # fmt: skip
TAG = re.compile(r"O|[BIMESLU]([-_].+)?")
MOSTLY = 0.95


def options(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Options of the format `tokens` for a table, or None where its rows are no tokens.

    Args:
        columns: those of `NEEDS` → the table's.
    """
    tags = [at_a_glance(row.get(columns["tags"])).strip() for row in rows]
    words = [row.get(columns["words"]) for row in rows]
    words = [at_a_glance(word) if isinstance(word, bytes) else word for word in words]
    there = [(word, tag) for word, tag in zip(words, tags, strict=True) if tag]
    tokens = sum(bool(TAG.fullmatch(tag)) and isinstance(word, str) and " " not in word.strip() for word, tag in there)
    if not there or tokens < MOSTLY * len(there):
        return None
    named = {"_".join(name_words(name)): str(name) for name in rows[0] if str(name) not in columns.values()}
    sentence = next((named[name] for name in SENTENCE if name in named), None)
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
    """Rows `{"words": [...], "tags": [... in IOB2]}`, a sentence each.

    A sentence ends where the value of `sentence` changes; an empty one goes on with the sentence before. Without that column it
    ends at a row without word and tag, or at a blank line. The report gets `scheme` and what else `harness.data.tags` counts,
    `put_together` (the sentences) and `wordless` (rows that have a tag but no word, which are left out).

    Args:
        table: the format of the files: csv, tsv, json, jsonl, parquet or arrow.
        delimiter, quoting, header, key, encoding: options of that format.
        words, tags: the columns of a token and its tag.
        sentence: the column of the sentence's name or number.
        scheme: see `harness.data.tags.to_iob2`.
    """
    from harness.data.readers import reader  # this module is one of its readers

    given = {"delimiter": delimiter, "quoting": quoting, "header": header, "key": key, "encoding": encoding}
    how = {name: value for name, value in given.items() if value is not None}
    found: dict[str, Any] = {}
    raw = reader(table, how)(files, report=found, **how)
    for name in (words, tags, sentence):
        if raw and name is not None and name not in raw[0]:
            raise unknown("column", name, raw[0], where=place(raw[0], "row 1"))
    notes = Notes()
    raw = [_typed(row, [name for name in (words, tags, sentence) if name is not None], notes) for row in raw]
    if sentence is None and len(raw) > 1 and not any(_breaks(raw, words, tags)):
        raise BenchError(
            f"{place(raw[0], 'row 1')}: every row holds one word, and nothing says where a sentence ends: neither a column such as "
            "sentence_id (--column sentence=NAME names another one) nor an empty row between sentences"
        )
    sentences, wordless = [], 0
    for group in _sentences(raw, words, tags, sentence):
        tokens = [row for row in group if _text(row[words])]
        wordless += len(group) - len(tokens)
        sentences += [tokens] if tokens else []
    for row in (row for tokens in sentences for row in tokens):
        if not _text(row[tags]):
            raise BenchError(f"{place(row, 'a row')}: the word {quote(row[words])} has no tag; give it one (O for none)")
    converted = to_iob2(
        [[_text(row[tags]) for row in tokens] for tokens in sentences],
        scheme,
        where=lambda number, token: place(sentences[number][token], f"sentence {number + 1}, token {token + 1}"),
    )
    if report is not None:
        found.pop("empty_rows", None)  # they end sentences
        report.update(found, **converted.report(), put_together=len(sentences), wordless=wordless)
        report.update({name: number for name, number in notes.items() if number})
    return [
        placed({"words": [_text(row[words]) for row in tokens], "tags": labels}, tokens[0])
        for tokens, labels in zip(sentences, converted.tags, strict=True)
    ]


def _sentences(rows: Sequence[Row], words: str, tags: str, sentence: str | None) -> Iterator[list[Row]]:
    """The rows of each sentence that have a word or a tag."""
    group: list[Row] = []
    current: tuple[Any, str] = (None, "")
    for row, apart in zip(rows, _breaks(rows, words, tags), strict=True):
        if sentence is not None:
            file, name = getattr(row, "file", None), _text(row[sentence])
            apart = file != current[0] or (bool(name) and name != current[1])
            current = (file, name or current[1])
        if apart and group:
            yield group
            group = []
        if _text(row[words]) or _text(row[tags]):
            group.append(row)
    if group:
        yield group


def _breaks(rows: Sequence[Row], words: str, tags: str) -> Iterator[bool]:
    """For each row whether a sentence ends before it without a column that says so: at an empty row, a blank line or a new file."""
    before: Row = {}
    for row in rows:
        known = isinstance(row, PlacedRow) and isinstance(before, PlacedRow)
        other = known and row.file != before.file
        # A token takes one line, so a line that is missing was blank.
        gap = known and not other and isinstance(row.spot, int) and row.spot > before.spot + 1
        yield other or gap or not (_text(row[words]) or _text(row[tags]))
        before = row


def _text(value: Any, notes: Notes | None = None) -> str:
    return text(value, Notes() if notes is None else notes).strip()


def _typed(row: Row, columns: Sequence[str], notes: Notes) -> Row:
    try:
        return placed({**row, **{name: _text(row[name], notes) for name in columns}}, row)
    except ValueError as error:
        raise BenchError(f"{place(row, 'a row')}: {error}") from None
