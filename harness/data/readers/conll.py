"""CoNLL columns: a token and its tags on each line, a blank line after each sentence.

Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 shared task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from harness.data.files import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.tags import to_iob2
from harness.errors import BenchError

# Not str.split(): it also splits at U+00A0 and U+3000, which are tokens in Chinese and Japanese files.
BLANKS = re.compile(r"[ \t]+")
DOCUMENT = "-DOCSTART-"
LOOKED_AT = 20_000  # lines in which other columns of tags are looked for
TAG = re.compile(r"O|[BIMESLU]-.+")


class _Sentence(NamedTuple):
    path: Path
    document: int
    lines: list[int]
    words: list[str]
    tags: list[str]


def read(
    files: Any,
    *,
    separator: str | None = None,
    words: int = 0,
    tags: int = -1,
    scheme: str = "auto",
    comment: str | None = None,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows `{"words": [...], "tags": [... in IOB2], "group": document}`.

    `group` is the number of the document as text; files without `-DOCSTART-` lines have none. The report gets `scheme`,
    `entities`, `irregular` (entities that break the scheme's rules; `irregular_at`: the first of them), `sentences` and `documents`,
    and `other_tags`, columns that look like tags too.

    Args:
        separator: what stands between columns; default: any run of blanks and tabs.
        words, tags: the index of the column, negative ones counted from the end.
        scheme: see `harness.data.tags.to_iob2`; told for all files of a call together.
        comment: lines that start with this are skipped. By default none is: `#` is a token as good as any.
    """
    sentences: list[_Sentence] = []
    seen_document_line = False
    if report is not None and comment:
        told = [
            line
            for path in as_paths(files)
            for line in split_lines(read_text(path, encoding))
            if line.startswith(comment)
        ]
        likely = sum(bool(TAG.fullmatch(line.split()[-1])) for line in told if len(line.split()) > 1)
        report.update(comment_lines=len(told), **({"comments_like_tokens": likely} if likely else {}))
    for path in as_paths(files):
        start = sentences[-1].document + 1 if sentences else 0
        found, marked = _sentences(path, start, separator, words, tags, comment, encoding)
        sentences += found
        seen_document_line |= marked
    if report is not None and (other := _other_tags(as_paths(files)[0], tags, separator, comment, encoding)):
        report.update(other_tags=other)
    converted = to_iob2(
        [sentence.tags for sentence in sentences],
        scheme,
        where=lambda row, token: f"{sentences[row].path}:{sentences[row].lines[token]}",
    )
    if report is not None:
        documents = len({sentence.document for sentence in sentences}) if seen_document_line else 0
        report.update(converted.report(), sentences=len(sentences), documents=documents)
    rows: list[dict[str, Any]] = []
    for sentence, labels in zip(sentences, converted.tags, strict=True):
        row = {"words": sentence.words, "tags": labels}
        row |= {"group": str(sentence.document)} if seen_document_line else {}
        rows.append(PlacedRow(row, sentence.path, sentence.lines[0]))
    return rows


def _other_tags(
    path: Path, tags: int, separator: str | None, comment: str | None, encoding: str
) -> list[tuple[int, int, int]]:
    """Columns that hold tags beside the one that is taken: (index, per mille that are not O, the same of the one taken)."""
    rows = [
        columns for _, columns in islice(_columns(path, separator, comment, encoding), LOOKED_AT) if len(columns) > 2
    ]
    if not rows or not -len(rows[0]) <= tags < len(rows[0]):
        return []
    columns = list(zip(*rows, strict=True))
    entities = [1000 * sum(value != "O" for value in column) // len(rows) for column in columns]
    return [
        (index, entities[index], entities[tags])
        for index, column in enumerate(columns)
        if index != tags % len(columns) and entities[index] and all(map(TAG.fullmatch, column))
    ]


def _sentences(
    path: Path, document: int, separator: str | None, words: int, tags: int, comment: str | None, encoding: str
) -> tuple[list[_Sentence], bool]:
    """The sentences of one file, their documents numbered from `document` without gaps; and if it marks documents."""
    sentences: list[_Sentence] = []
    current = _Sentence(path, document, [], [], [])
    marked = False
    for number, columns in _columns(path, separator, comment, encoding):
        if columns and columns[0] != DOCUMENT:
            try:
                word, tag = columns[words], columns[tags]
            except IndexError:
                raise BenchError(
                    f"{path}:{number}: {len(columns)} column(s), so none with index {words} or {tags}; "
                    "check words, tags and separator"
                ) from None
            if not word.strip(" "):
                raise BenchError(f"{path}:{number}: a token without text; give it some, or remove the line")
            current.lines.append(number)
            current.words.append(word)
            current.tags.append(tag.strip())
            continue
        if current.words:
            sentences.append(current)
            current = _Sentence(path, document, [], [], [])
        if columns:
            marked = True
            document = sentences[-1].document + 1 if sentences else document
            current = _Sentence(path, document, [], [], [])
    return sentences, marked


def _columns(path: Path, separator: str | None, comment: str | None, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """(line, columns) of each token; no columns at the end of a sentence, and once more at the end of the file."""
    width = 0
    lines = split_lines(read_text(path, encoding))
    for number, line in enumerate(lines, start=1):
        if comment and line.startswith(comment):
            continue
        if not line.strip(" \t"):
            yield number, []
        elif line.startswith(DOCUMENT):
            yield number, [DOCUMENT]
        else:
            columns = line.split(separator) if separator else BLANKS.split(line.strip(" \t"))
            width = width or len(columns)
            if len(columns) != width or width == 1:
                raise BenchError(
                    f"{path}:{number}: {len(columns)} column(s) where lines have {max(width, 2)}; "
                    "check the separator, whether a token holds a blank, and for lines that are no tokens state `comment`"
                    + (', such as comment: "#"' if lines[0].startswith("#") else "")
                )
            yield number, columns
    yield len(lines) + 1, []
