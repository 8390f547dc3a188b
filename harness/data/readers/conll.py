"""CoNLL columns: a token and its tags on each line, a blank line after each sentence.

Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 shared task.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.tags import to_iob2
from harness.errors import BenchError

# Not str.split(): it also splits at U+00A0 and U+3000, which are tokens in Chinese and Japanese files.
BLANKS = re.compile(r"[ \t]+")
DOCUMENT = "-DOCSTART-"
TAG = re.compile(r"O|[BIMESLU][-_].+")
UNENDING = 200  # tokens of a file's only sentence from which it must be several
RICHER = 10  # times as many tags that another column has, for a warning; the chunks of CoNLL-2003 are about five times its names


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
    `entities`, `irregular` (entities that break the scheme's rules; `irregular_at`: the first of them), `sentences`, `documents`,
    `comments` (lines that were skipped), `words_with_blanks`, and `other_tags` where the tags were taken from the last column and another
    one holds tags as well.

    Args:
        separator: what stands between columns; default: a tab in a file where every line has the same number of them, else any run of
            blanks and tabs.
        words, tags: the index of the column, negative ones counted from the end.
        scheme: see `harness.data.tags.to_iob2`; told for all files of a call together.
        comment: lines that start with this are skipped. By default none is: `#` is a token as good as any.
    """
    sentences: list[_Sentence] = []
    seen_document_line = False
    counts = Counter(comments=0)
    layers = _Layers(tags)
    for path in as_paths(files):
        start = sentences[-1].document + 1 if sentences else 0
        columns = _columns(path, separator, comment, encoding, counts)
        found, marked = _sentences(path, start, columns, words, tags, layers)
        if len(found) == 1 and len(found[0].words) >= UNENDING:
            raise BenchError(
                f"{path}: {len(found[0].words):,} tokens in one sentence, as no blank line ends one; put one behind each sentence, such as with: "
                f"awk '{{print}} $1 ~ /^[.!?]$/ {{print \"\"}}' {shlex.quote(path.name)} > sentences{path.suffix}"
            )
        sentences += found
        seen_document_line |= marked
    converted = to_iob2(
        [sentence.tags for sentence in sentences],
        scheme,
        where=lambda row, token: f"{sentences[row].path}:{sentences[row].lines[token]}",
    )
    if report is not None:
        documents = len({sentence.document for sentence in sentences}) if seen_document_line else 0
        report.update(converted.report(), sentences=len(sentences), documents=documents)
        counts["words_with_blanks"] = sum(" " in word for sentence in sentences for word in sentence.words)
        report.update({name: number for name, number in counts.items() if number})
        if others := layers.others():
            report.update(other_tags=others, poorer_tags=layers.poorer())
    rows: list[dict[str, Any]] = []
    for sentence, labels in zip(sentences, converted.tags, strict=True):
        row = {"words": sentence.words, "tags": labels}
        row |= {"group": str(sentence.document)} if seen_document_line else {}
        rows.append(PlacedRow(row, sentence.path, sentence.lines[0]))
    return rows


def _sentences(
    path: Path, document: int, lines: Iterable[tuple[int, list[str]]], words: int, tags: int, layers: _Layers
) -> tuple[list[_Sentence], bool]:
    """The sentences of one file, their documents numbered from `document` without gaps; and if it marks documents."""
    sentences: list[_Sentence] = []
    current = _Sentence(path, document, [], [], [])
    marked = False
    for number, columns in lines:
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
            if layers.undecided:
                layers.look_at(columns)
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


class _Layers:
    """Which columns hold tags, as nested entities and other layers do, beside the last one, which is taken where none is stated."""

    def __init__(self, tags: int):
        self.undecided = tags == -1
        self.tokens = 0
        self.named: dict[int, int] | None = None  # column that holds nothing but tags → how many are not O

    def look_at(self, columns: Sequence[str]) -> None:
        """Look at one token's columns."""
        self.tokens += 1
        if self.named is None:
            self.named = dict.fromkeys(range(len(columns)), 0)
        for column in list(self.named):
            value = columns[column].strip() if column < len(columns) else ""
            if value == "O":
                continue
            if TAG.fullmatch(value):
                self.named[column] += 1
            else:
                del self.named[column]
        self.undecided = len(self.named) > 1

    def others(self) -> str:
        """What there is beside the last column, in words; nothing where there is no other tag."""
        *others, last = self.named or [0]
        if not self.undecided or not any(self.named[column] for column in others):
            return ""
        shares = {
            column: f"column {column} ({self.named[column] / self.tokens:.1%} are not O)" for column in self.named
        }
        told = " and ".join(shares[column] for column in others)
        return f"tags are from {shares[last]}, and {told} hold{'s' if len(others) == 1 else ''} tags too"

    def poorer(self) -> bool:
        """Whether another column has so many more tags that it is likely to be the one that is meant."""
        *others, last = self.named or [0]
        return any(self.named[column] > RICHER * self.named[last] for column in others)


def _columns(
    path: Path, separator: str | None, comment: str | None, encoding: str, counts: Counter[str]
) -> Iterator[tuple[int, list[str]]]:
    """(line, columns) of each token; no columns at the end of a sentence, and once more at the end of the file."""
    lines = split_lines(read_text(path, encoding))
    numbered = []
    for number, line in enumerate(lines, start=1):
        if comment and line.startswith(comment):
            counts["comments"] += 1
            parts = line.split()
            counts["comments_like_tokens"] += len(parts) > 1 and bool(TAG.fullmatch(parts[-1]))
        else:
            numbered.append((number, line, line.strip(" \t")))
    tokens = [line for _, line, bare in numbered if bare and not bare.startswith(DOCUMENT)]
    tabs = {line.count("\t") for line in tokens} if separator is None else {0}
    # Blanks would hide an empty column, and the next one would take its place.
    end = -1 if all(line.endswith("\t") for line in tokens) else None
    separated = len(tabs) == 1 and tabs != {0} and (tabs != {1} or end is None)
    width = 0
    for number, line, bare in numbered:
        if not bare:
            yield number, []
        elif bare.startswith(DOCUMENT):
            yield number, [DOCUMENT]
        else:
            if separator:
                columns = line.split(separator)
            elif separated:
                columns = line.split("\t")[:end]
                if " " in line:
                    columns = [column.strip(" ") for column in columns]
            else:
                columns = BLANKS.split(bare) if "\t" in bare or "  " in bare else bare.split(" ")
            width = width or len(columns)
            if len(columns) != width or width == 1:
                raise BenchError(
                    f"{path}:{number}: {len(columns)} column(s) where lines have {max(width, 2)}; "
                    "check the separator, whether a token holds a blank, and for lines that are no tokens state `comment`"
                    + (', such as comment: "#"' if lines[0].startswith("#") else "")
                )
            yield number, columns
    yield len(lines) + 1, []
