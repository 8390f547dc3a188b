"""Read CoNLL columns: a token and its tags on each line, a blank line after each sentence.

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
MAX_TOKENS = 200  # a file's only sentence is refused if it is longer: it must be several
# Ratio of tags in another column to those in the last one that gives a warning. The chunks of CoNLL-2003 are about five times as
# many as its names.
RICHER = 10


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
    """Return rows `{"words": [...], "tags": [... in IOB2], "group": document}`.

    `group` is the number of the document as text; rows of files without `-DOCSTART-` lines have none.

    Args:
        separator: The text between columns. By default a tab if every line has the same number of tabs, else any run of blanks
            and tabs.
        words, tags: The index of the column; negative ones count from the end.
        scheme: See `harness.data.tags.to_iob2`; detected for all files together.
        comment: Prefix of lines to skip. By default no line is skipped: `#` may be a token.
        report: Gets what `Converted.report` returns, `sentences`, `documents`, `comments` (skipped lines),
            `comments_like_tokens`, `words_with_blanks`, and `other_tags` and `poorer_tags` if the tags were taken from the last
            column and another one holds tags as well.
    """
    sentences: list[_Sentence] = []
    has_documents = False
    counts = Counter(comments=0)
    tag_columns = _TagColumns(tags)
    for path in as_paths(files):
        start = sentences[-1].document + 1 if sentences else 0
        columns = _columns(path, separator, comment, encoding, counts)
        of_file, marked = _sentences(path, start, columns, words, tags, tag_columns)
        if len(of_file) == 1 and len(of_file[0].words) >= MAX_TOKENS:
            raise BenchError(
                f"{path}: {len(of_file[0].words):,} tokens in one sentence, as no blank line ends one; put one behind each "
                f"sentence, such as with: awk '{{print}} $1 ~ /^[.!?]$/ {{print \"\"}}' {shlex.quote(path.name)} > "
                f"sentences{path.suffix}"
            )
        sentences += of_file
        has_documents |= marked
    converted = to_iob2(
        [sentence.tags for sentence in sentences],
        scheme,
        where=lambda row, token: f"{sentences[row].path}:{sentences[row].lines[token]}",
    )
    if report is not None:
        documents = len({sentence.document for sentence in sentences}) if has_documents else 0
        report.update(converted.report(), sentences=len(sentences), documents=documents)
        counts["words_with_blanks"] = sum(" " in word for sentence in sentences for word in sentence.words)
        report.update({name: number for name, number in counts.items() if number})
        if description := tag_columns.describe():
            report.update(other_tags=description, poorer_tags=tag_columns.is_poorer())
    rows: list[dict[str, Any]] = []
    for sentence, labels in zip(sentences, converted.tags, strict=True):
        row = {"words": sentence.words, "tags": labels}
        row |= {"group": str(sentence.document)} if has_documents else {}
        rows.append(PlacedRow(row, sentence.path, sentence.lines[0]))
    return rows


def _sentences(
    path: Path, document: int, lines: Iterable[tuple[int, list[str]]], words: int, tags: int, tag_columns: _TagColumns
) -> tuple[list[_Sentence], bool]:
    """Return the sentences of a file, and whether it marks documents. They are numbered from `document` without gaps."""
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
            if tag_columns.undecided:
                tag_columns.update(columns)
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


class _TagColumns:
    """Finds columns that hold tags beside the last one, such as nested entities. The last one is used if none is stated.

    Attributes:
        undecided: Whether another column may still be a column of tags.
        tokens: The number of tokens seen.
        counts: Column that holds nothing but tags → number of its tags other than O.
    """

    def __init__(self, tags: int):
        self.undecided = tags == -1
        self.tokens = 0
        self.counts: dict[int, int] | None = None

    def update(self, columns: Sequence[str]) -> None:
        """Add the columns of one token."""
        self.tokens += 1
        if self.counts is None:
            self.counts = dict.fromkeys(range(len(columns)), 0)
        for column in list(self.counts):
            value = columns[column].strip() if column < len(columns) else ""
            if value == "O":
                continue
            if TAG.fullmatch(value):
                self.counts[column] += 1
            else:
                del self.counts[column]
        self.undecided = len(self.counts) > 1

    def describe(self) -> str:
        """Describe the columns of tags; empty if only the last one has tags."""
        *others, last = self.counts or [0]
        if not self.undecided or not any(self.counts[column] for column in others):
            return ""
        shares = {column: f"column {column} ({count / self.tokens:.1%} are not O)" for column, count in self.counts.items()}
        listed = " and ".join(shares[column] for column in others)
        return f"tags are from {shares[last]}, and {listed} hold{'s' if len(others) == 1 else ''} tags too"

    def is_poorer(self) -> bool:
        """Whether another column has so many more tags than the last one that it is probably the intended one."""
        *others, last = self.counts or [0]
        return any(self.counts[column] > RICHER * self.counts[last] for column in others)


def _columns(
    path: Path, separator: str | None, comment: str | None, encoding: str, counts: Counter[str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, columns) of each token; no columns at the end of a sentence and at the end of the file."""
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
    # Splitting at blanks would hide an empty column, and the next column would take its place.
    end = -1 if all(line.endswith("\t") for line in tokens) else None
    tab_separated = len(tabs) == 1 and tabs != {0} and (tabs != {1} or end is None)
    width = 0
    for number, line, bare in numbered:
        if not bare:
            yield number, []
        elif bare.startswith(DOCUMENT):
            yield number, [DOCUMENT]
        else:
            if separator:
                columns = line.split(separator)
            elif tab_separated:
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
