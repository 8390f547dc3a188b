"""What kind of file it is: format, encoding, delimiter, header. By its ending where that says it, else by its contents."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.data.files import read_bytes, read_text
from harness.data.readers import READERS, reader
from harness.errors import BenchError

ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".parquet": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".tmx": "tmx", ".conll": "conll", ".bio": "conll", ".iob": "conll",
    ".iob2": "conll", ".bioes": "conll", ".bmes": "conll", ".txt": "", ".data": "",
}  # fmt: skip
PACKED = (".gz", ".zst", ".zip", ".bz2", ".xz")
BINARY = ("parquet", "arrow")
DELIMITERS = ",\t;|"
SAMPLE = 200  # lines or rows that are looked at
LONG = 60  # characters: more than a column's name has
_CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_TAG = re.compile(r"O|[BIMESLU]([-_].+)?")


@dataclass(frozen=True)
class Sniffed:
    """A file's format and what its reader must be told; `remarks` are options with a reason for a comment."""

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def read(self, paths: Sequence[Path] | Mapping[str, Path]) -> list[dict[str, Any]]:
        """All rows of some files of this kind, or of one for each column."""
        by_column = isinstance(paths, Mapping)
        files = {name: str(path) for name, path in paths.items()} if by_column else [str(path) for path in paths]
        return reader(self.format, self.options)(files, **self.options)


def ending(path: Path) -> str | None:
    """The format that a name's endings tell; "" for text of any kind, None for no data file that is known."""
    for suffix in reversed(path.suffixes):
        if suffix.lower() in ENDINGS:
            return ENDINGS[suffix.lower()]
        if suffix.lower() not in PACKED:
            break
    return next((ENDINGS[suffix.lower()] for suffix in path.suffixes if ENDINGS.get(suffix.lower())), None)


def sniff(path: Path) -> Sniffed:
    """The format of a file.

    Raises:
        BenchError: it cannot be read, or is of no kind that has a reader.
    """
    kind = ending(path)
    if kind in BINARY:
        return _known(path, Sniffed(kind))
    encoding = _encoding(path)
    options = {} if encoding is None else {"encoding": encoding}
    remarks = {"encoding": "a guess, since it is not UTF-8"} if options else {}
    text = read_text(path, **options)
    if not text.strip():
        raise BenchError(f"{path}: the file is empty")
    kind = kind or _by_content(text)
    if kind == "json":
        kind = _json(path, text)
    if kind in ("csv", "tsv"):
        if _is_conll(text):
            kind = "conll"
        else:
            table, why = _table(kind, text)
            options, remarks = {**table, **options}, {**why, **remarks}
    return _known(path, Sniffed(kind, options, remarks))


def _known(path: Path, found: Sniffed) -> Sniffed:
    if found.format not in READERS:
        raise BenchError(
            f"{path}: there is no reader for {found.format or 'this kind of file'}; readable: {', '.join(READERS)}"
        )
    return found


def _encoding(path: Path) -> str | None:
    """None for UTF-8; else the likeliest of the usual others."""
    data = read_bytes(path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return None
        # Western text may pass as GB 18030 too, but then it is no row of Chinese characters and their punctuation.
        beyond = [letter for letter in text if letter > "\x7f"]
        if len(_CHINESE.findall(text)) > 0.8 * len(beyond):
            return encoding
    return "cp1252"


def _by_content(text: str) -> str:
    start = text.lstrip()[:1]
    if start == "{":
        first = text.lstrip().split("\n", 1)[0].strip()
        return "jsonl" if first.endswith("}") and _parses(first) else "json"
    if start == "[":
        return "json"
    if _is_conll(text):
        return "conll"
    lines = [line for line in text.split("\n")[:SAMPLE] if line.strip()]
    return "tsv" if all("\t" in line for line in lines) else "csv"


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _json(path: Path, text: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and _parses(lines[0]) and _parses(lines[1]):
            return "jsonl"
        raise BenchError(f"{path}: broken JSON; mend it, or fetch it again") from None
    data = content.get("data") if isinstance(content, dict) else None
    if isinstance(data, list) and data and isinstance(data[0], dict) and "paragraphs" in data[0]:
        return "squad"
    return "json"


def _is_conll(text: str) -> bool:
    """Columns with a tag at the end of each line and blank lines between sentences."""
    lines = [line.rstrip("\r") for line in text.split("\n")[: 10 * SAMPLE]]
    tokens = [line.split() for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    if len(tokens) == len(lines) or not tokens:
        return False
    return all(len(token) >= 2 for token in tokens) and sum(
        bool(_TAG.fullmatch(token[-1])) for token in tokens
    ) > 0.95 * len(tokens)


def _table(kind: str, text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Options of a delimited file that differ from its format's defaults, and why."""
    options: dict[str, Any] = {}
    remarks: dict[str, str] = {}
    mark, rows = ("\t", _rows(text, "\t", False)) if kind == "tsv" else _delimiter(text)
    if mark != ("," if kind == "csv" else "\t"):
        options["delimiter"] = mark
    if rows and not _has_header(rows):
        options["header"] = False
        remarks["header"] = "the first row looks like data; columns are called by their index, from 0"
    return options, remarks


def _delimiter(text: str) -> tuple[str, list[list[str]]]:
    """The delimiter that cuts the first lines into the most columns, the same number in each."""
    tables = {mark: _rows(text, mark, True) for mark in DELIMITERS}
    even = {
        mark: rows for mark, rows in tables.items() if rows and len({len(row) for row in rows}) == 1 < len(rows[0]) + 1
    }
    mark = max(even, key=lambda mark: len(even[mark][0]), default=",")
    return mark, tables[mark]


def _rows(text: str, mark: str, quoted: bool) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    rows = []
    try:
        for row in csv.reader(lines, delimiter=mark, quoting=quoting):
            if row:
                rows.append(row)
            if len(rows) == SAMPLE:
                break
    except csv.Error:  # the reader says later, and better, what is wrong
        pass
    return rows


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: none of its fields is a number, long, empty, or a value of its column."""
    first, *others = rows
    for number, name in enumerate(first):
        column = {row[number].strip() for row in others if number < len(row)}
        name = name.strip()
        if len(name) > LONG or name in column or re.fullmatch(r"[-+]?\d+([.,]\d+)?", name):
            return False
    return any(name.strip() for name in first) and len(set(first)) == len(first)
