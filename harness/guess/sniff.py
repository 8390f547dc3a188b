"""Sniff a file: the formats in which it could be read, by its ending or else its contents, with encoding and header."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.data import encoding as encodings
from harness.data.file_layer import read_bytes, read_text, reject_binary
from harness.data.folder import endings, formats
from harness.data.readers import delimited
from harness.data.readers.labelled import MARK
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.guess.annotation_tools import check_text

BINARY = ("parquet", "arrow", "tmx", "xlsx")  # formats that declare the encoding of their text
ANY_TEXT = (".txt", ".data")  # endings that say nothing about the format
SAMPLE = 200  # lines or rows
MAX_COLUMN_NAME = 60  # characters
CONLL_SHARE = 0.95  # of lines that end in a tag
_TAG = re.compile(r"O|[BIMESLU]([-_].+)?")


@dataclass(frozen=True)
class Sniffed:
    """A format and the options of its reader; `remarks` says why some options were set."""

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def read(self, files: Any, report: dict[str, Any]) -> list[dict[str, Any]]:
        """Read all rows of some files; the reader's report goes into `report`.

        Raises:
            BenchError: they cannot be read, or have no rows.
        """
        reports: dict[str, Any] = {}
        rows = FileSource(self.format, {"all": files}, self.options).read(reports)["all"]
        report.update(reports["all"])
        if self.format == "labelled" and len({row.get("label") for row in rows}) > max(2, len(rows) // 10):
            raise BenchError(
                f"{files[0]}: lines that begin with their label? The first one would be {rows[0]['label']!r}, and there would be "
                "many; write a task file (bench task new) with the right format, or a `pattern`"
            )
        return rows


def sniff(path: Path) -> list[Sniffed]:
    """Return the formats that a file may have, the likeliest first; nothing if its ending is of no data.

    Raises:
        BenchError: it cannot be read.
    """
    known = formats(path)
    by_ending = bool(known) and endings(path)[0] not in ANY_TEXT
    if not known and endings(path)[:1] not in ([], *([ending] for ending in ANY_TEXT)):
        return []
    if known and known[0] in BINARY:
        return [Sniffed(known[0])]
    encoding, reason = sniff_encoding(path)
    options = {"encoding": encoding} if encoding else {}
    remarks = {"encoding": reason} if encoding else {}
    text = read_text(path, **options)
    check_text(path, text)
    if len(known) == 1 and known[0] != "csv":
        kinds: Sequence[str] = known
    elif by_ending and "json" in known:
        kinds = [_json_format(text)]
    elif _is_conll(text):
        kinds = ["conll"]
    else:
        kinds = known if by_ending else _text_formats(text)
    return [_with_header(kind, path, text, options, remarks) for kind in kinds]


def _with_header(
    kind: str, path: Path, text: str, options: Mapping[str, Any], remarks: Mapping[str, str]
) -> Sniffed:
    """Add the options for tables without a header or with unusual quotes."""
    quotes = delimited.odd_quotes(path, text) if kind == "csv" else {}
    header: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    if kind in ("csv", "tsv") and not _has_header(path, text, kind, quotes.get("quote", '"')):
        header = {"header": False}
        reasons["header"] = "the first row looks like data; columns are called by their index, from 0"
    if quotes:
        reasons["quote"] = "only with single quotes every line has the same number of fields"
    return Sniffed(kind, {**header, **quotes, **options}, {**reasons, **remarks})


def sniff_encoding(path: Path) -> tuple[str | None, str]:
    """Return a text file's encoding and how it is known; None for UTF-8, and if none fits, which reading reports."""
    data = read_bytes(path)
    reject_binary(data, path)
    if mark := encodings.marked(data):
        return mark, "told by its first bytes"
    if _is_utf8(data) or encodings.is_damaged_utf8(data):
        return None, ""
    if guess := encodings.guess(data):
        return guess.encoding, f"a guess, since it is not UTF-8; with it the file reads “{guess.sample}”"
    return None, ""


def check_encodings(paths: Sequence[Path], encoding: str | None) -> None:
    """Raise a `BenchError` for a file in UTF-8 that would be read in another encoding."""
    for path in paths if encoding else ():
        data = read_bytes(path)
        if not data.isascii() and not encodings.marked(data) and _is_utf8(data):
            raise BenchError(f"{path}: is UTF-8, but {encoding} is the encoding of {paths[0].name}; save both in UTF-8")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text_formats(text: str) -> Sequence[str]:
    if text.lstrip()[:1] in ("{", "["):
        return [_json_format(text)]
    lines = [line for line in text.split("\n", SAMPLE)[:SAMPLE] if line.strip()]
    if lines and all(line.startswith(MARK) for line in lines):
        return ["labelled"]
    return ["tsv", "pairs", "labelled"] if all("\t" in line for line in lines) else ["csv", "labelled"]


def _json_format(text: str) -> str:
    """Tell JSON lines, SQuAD and a list of rows apart; what is broken, the reader reports with its place."""
    first, _, rest = text.lstrip().partition("\n")
    if rest.strip() and isinstance(_parsed(first), dict):
        return "jsonl"
    content = _parsed(text)
    articles = content.get("data") if isinstance(content, dict) else None
    nested = isinstance(articles, list) and articles and isinstance(articles[0], dict) and "paragraphs" in articles[0]
    return "squad" if nested else "json"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_conll(text: str) -> bool:
    """Whether there are blank lines between sentences, and the lines are columns that end in a tag."""
    lines = [line.rstrip("\r") for line in text.split("\n", 10 * SAMPLE)[: 10 * SAMPLE]]
    tokens = [line.split() for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    if len(tokens) == len(lines) or not tokens or any(len(token) < 2 for token in tokens):
        return False
    return sum(bool(_TAG.fullmatch(token[-1])) for token in tokens) > CONLL_SHARE * len(tokens)


def _has_header(path: Path, text: str, kind: str, quote: str) -> bool:
    """Whether the first row names columns: none of its fields is a number, long, or a value of its column."""
    try:
        rows = delimited.head(path, text, kind, SAMPLE + 1, quote)
    except BenchError:  # the reader reports later, and better, what is wrong
        return True
    first, *others = rows or [["a column"]]
    # Files that were concatenated repeat their header.
    others = [row for row in others if not (len(first) > 1 and row and delimited.is_repeated(first, row))]
    for number, name in enumerate(map(str.strip, first)):
        column = {row[number].strip() for row in others if number < len(row)}
        if name and (len(first[number]) > MAX_COLUMN_NAME or name in column or re.fullmatch(r"[-+]?\d+([.,]\d+)?", name)):
            return False
    return any(name.strip() for name in first)
