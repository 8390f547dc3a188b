"""In which formats a file could be read: by its ending where that says it, else by its contents; its encoding and header."""

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
from harness.guess.foreign import check_text

BINARY = ("parquet", "arrow", "tmx", "xlsx")  # these say themselves how their text is encoded
ANY_TEXT = (".txt", ".data")  # endings that tell nothing
SAMPLE = 200  # lines or rows that are looked at
LONG = 60  # characters: more than a column's name has
_TAG = re.compile(r"O|[BIMESLU]([-_].+)?")


@dataclass(frozen=True)
class Sniffed:
    """A format and what its reader must be told; `remarks` are options with a reason for a comment."""

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def read(self, files: Any, report: dict[str, Any]) -> list[dict[str, Any]]:
        """All rows of some files of this kind; the reader's report goes into `report`.

        Raises:
            BenchError: they cannot be read, or have no rows.
        """
        found: dict[str, Any] = {}
        rows = FileSource(self.format, {"all": files}, self.options).read(found)["all"]
        report.update(found["all"])
        if self.format == "labelled" and len({row.get("label") for row in rows}) > max(2, len(rows) // 10):
            raise BenchError(
                f"{files[0]}: lines that begin with their label? The first one would be {rows[0]['label']!r}, and there would be "
                "many; write a task file (bench task new) with the right format, or a `pattern`"
            )
        return rows


def sniff(path: Path) -> list[Sniffed]:
    """The formats that a file may have, the likeliest first; none where its ending is of no data.

    Raises:
        BenchError: it cannot be read.
    """
    known = formats(path)
    told = bool(known) and endings(path)[0] not in ANY_TEXT
    if not known and endings(path)[:1] not in ([], *([one] for one in ANY_TEXT)):
        return []
    if known and known[0] in BINARY:
        return [Sniffed(known[0])]
    encoding, how = encoding_of(path)
    options = {"encoding": encoding} if encoding else {}
    remarks = {"encoding": how} if encoding else {}
    text = read_text(path, **options)
    check_text(path, text)
    if len(known) == 1 and known[0] != "csv":
        kinds: Sequence[str] = known
    elif told and "json" in known:
        kinds = [_json(text)]
    else:
        kinds = ["conll"] if _is_conll(text) else known if told else _by_content(text)
    made = []
    for kind in kinds:
        odd = delimited.odd_quotes(path, text) if kind == "csv" else {}
        headless = kind in ("csv", "tsv") and not _has_header(path, text, kind, odd.get("quote", '"'))
        why = {"header": "the first row looks like data; columns are called by their index, from 0"} if headless else {}
        why |= {"quote": "only with single quotes every line has the same number of fields"} if odd else {}
        made.append(Sniffed(kind, {**({"header": False} if headless else {}), **odd, **options}, {**why, **remarks}))
    return made


def encoding_of(path: Path) -> tuple[str | None, str]:
    """A text file's encoding, and how it is known; None for UTF-8, and where none will do, which reading the file says."""
    data = read_bytes(path)
    reject_binary(data, path)
    if mark := encodings.marked(data):
        return mark, "told by its first bytes"
    if _is_utf8(data) or encodings.is_damaged_utf8(data):
        return None, ""
    found = encodings.guess(data)
    return (
        (found.encoding, f"a guess, since it is not UTF-8; with it the file reads “{found.sample}”")
        if found
        else (None, "")
    )


def check_encodings(paths: Sequence[Path], encoding: str | None) -> None:
    """Make sure that files which are going to be read in one encoding have it.

    Raises:
        BenchError: one is in another.
    """
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


def _by_content(text: str) -> Sequence[str]:
    if text.lstrip()[:1] in ("{", "["):
        return [_json(text)]
    lines = [line for line in text.split("\n", SAMPLE)[:SAMPLE] if line.strip()]
    if lines and all(line.startswith(MARK) for line in lines):
        return ["labelled"]
    return ["tsv", "pairs", "labelled"] if all("\t" in line for line in lines) else ["csv", "labelled"]


def _json(text: str) -> str:
    """An object a line, SQuAD's nest, or a list of rows. What is broken is for the reader to say, and where."""
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
    """Columns with a tag at the end of each line and blank lines between sentences."""
    lines = [line.rstrip("\r") for line in text.split("\n", 10 * SAMPLE)[: 10 * SAMPLE]]
    tokens = [line.split() for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    if len(tokens) == len(lines) or not tokens:
        return False
    return all(len(token) >= 2 for token in tokens) and sum(
        bool(_TAG.fullmatch(token[-1])) for token in tokens
    ) > 0.95 * len(tokens)


def _has_header(path: Path, text: str, kind: str, quote: str) -> bool:
    """Whether the first row names columns: none of its fields is a number, long, or a value of its column."""
    try:
        rows = delimited.head(path, text, kind, SAMPLE + 1, quote)
    except BenchError:  # the reader says later, and better, what is wrong
        return True
    first, *others = rows or [["a column"]]
    others = [row for row in others if not (len(first) > 1 and row and delimited.is_repeated(first, row))]  # of files that were put together
    for number, name in enumerate(first):
        column = {row[number].strip() for row in others if number < len(row)}
        if not name.strip():
            continue
        if len(name) > LONG or name.strip() in column or re.fullmatch(r"[-+]?\d+([.,]\d+)?", name.strip()):
            return False
    return any(name.strip() for name in first)
