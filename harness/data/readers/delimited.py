"""Read delimiter-separated values: CSV (RFC 4180) and TSV.

The two differ in their defaults only. In a CSV a double quote encloses fields. In a TSV it is an ordinary character: files such as
GLUE's have unbalanced quotes, and a reader that honours them swallows all rows up to the next one. If every quote of a TSV was
clearly written by a program, the quotes are removed and the report says so. `quoting: minimal` or `none` decides it explicitly.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.printed import first_duplicate
from harness.data.readers.quotes import Quotes, Records, quote_report, unbalanced_hint, unquoted
from harness.errors import BenchError, unknown
from harness.safe_text import short

QUOTING = ("minimal", "all", "none", "auto")
FIELD_LIMIT = 2**31 - 1  # characters; Python's default of 131,072 is less than a long article
AUTO = "auto"
OTHERS = {";": "semicolon", "\t": "tab", "|": "bar"}  # delimiters other than the comma that a CSV may have
# A first line that tells Excel the delimiter.
SEP = re.compile(r'"?sep=(.)"?[,;\t|]*(?:\r\n|\n|\Z)', re.IGNORECASE)
HEAD = 1000  # records that show whether a text is a table


def read_csv(
    files: Any,
    *,
    delimiter: str = AUTO,
    quoting: str = "minimal",
    quote: str = '"',
    escape: str | None = None,
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Return rows of strings; `NA`, `null` and empty fields are not converted.

    Blank lines and rows of blank fields are skipped and counted as `empty_rows`. A first line `sep=;`, which is meant for Excel,
    sets the delimiter for `auto` and is reported as `first_line`.

    Args:
        delimiter: One character, or `auto`: the comma, unless it does not cut every line into the same number of fields (two or
            more) and exactly one of semicolon, tab and bar does. Another one than the comma is reported as `delimiter`.
        quoting: `minimal` or `all`: quotes enclose fields, which may then contain delimiters, line ends and doubled quotes.
            `none`: quotes are ordinary text. `auto`: quotes are text, unless every cell with a quote is written as a program
            quotes it, and all cells but numbers are in quotes or one has doubled quotes inside; their number is then reported as
            `quoted`.
        quote: The character that encloses fields.
        escape: A character, such as the backslash, that makes a following quote or delimiter ordinary text.
        header: True if the first row names the columns; False to call them "0", "1", ...; or a list of their names.
        report: Gets the counts above and those of `harness.data.readers.quotes`.
    """
    if quoting not in QUOTING:
        raise unknown("quoting", quoting, QUOTING)
    marks = {"delimiter": "," if delimiter == AUTO else delimiter, "quote": quote, "escape": escape or "\0"}
    for name, mark in marks.items():
        if len(mark) != 1 or mark in "\r\n":
            raise BenchError(f"{name} is {mark!r}; it must be one character")
    if len(set(marks.values())) < len(marks):
        raise BenchError("delimiter, quote and escape must be three different characters")
    quotes = Quotes(quoting, quote, escape)
    rows: list[dict[str, str]] = []
    counts: Counter[str] = Counter()
    notes: dict[str, Any] = {}
    for path in as_paths(files):
        text = read_text(path, encoding)
        separator = None
        if line := SEP.match(text):
            text, separator = "\n" + text[line.end() :], line[1]  # the other lines keep their numbers
            counts["empty_rows"] -= 1
            if delimiter not in (AUTO, separator):
                raise BenchError(
                    f"{path}:1: {line[0].strip()} says another delimiter than the format's, {delimiter!r}; "
                    f"say in a task file delimiter: {separator!r}, or delete the line"
                )
            notes["first_line"] = line[0].strip()
        mark, records = delimiter, None
        if delimiter == AUTO:
            mark, records = (separator, None) if separator else _detect(path, text, quotes)
            if mark != ",":
                notes["delimiter"] = OTHERS.get(mark, mark)
        try:
            of_file = as_rows(path, records or _records(path, text, mark, quotes, counts), header, counts)
        except BenchError as error:
            hint = ""
            if (delimiter, quotes) == (AUTO, Quotes("minimal", '"', None)) and (options := odd_quotes(path, text)):
                shown = ", ".join(f"{name}: {json.dumps(value)}" for name, value in options.items())
                hint = f"; in a task file {shown} make a table of it"
            raise BenchError(f"{error}{hint}") from None
        for name, value in quote_report(of_file, text, mark, quotes).items():
            notes[name] = notes[name] + value if name in notes else value  # numbers, and lists of places
        rows += of_file
    if report is not None:
        report.update(notes)
        report.update({name: number for name, number in counts.items() if number})
    return rows


# The defaults of a TSV: tabs, and quotes that are text unless every cell has them.
read_tsv = partial(read_csv, delimiter="\t", quoting=AUTO)


def odd_quotes(path: Path, text: str) -> dict[str, str]:
    """Return the options `quote` and `delimiter` if the text is a table only with single quotes; else an empty dict."""
    marks = [mark for mark in (",", *OTHERS) if f"{mark}'" in text]
    if not marks or any(
        _table(path, text, mark, Quotes("minimal", '"', None), HEAD) for mark in (",", *OTHERS) if mark in text
    ):
        return {}
    fitting = [mark for mark in marks if _table(path, text, mark, Quotes("minimal", "'", None), None)]
    return {"quote": "'", "delimiter": fitting[0]} if len(fitting) == 1 else {}


def head(path: Path, text: str, kind: str, most: int, quote: str = '"') -> list[list[str]]:
    """Return the fields of the first non-empty records of a `csv` or `tsv` with the usual quoting, including its header."""
    quotes = Quotes("minimal" if kind == "csv" else AUTO, quote, None)
    if line := SEP.match(text):
        text = text[line.end() :]
    mark = "\t" if kind == "tsv" else line[1] if line else _detect(path, text, quotes, most)[0]
    records = (fields for _, fields in _records(path, text, mark, quotes) if not _is_empty(fields))
    return list(islice(records, most))


def as_rows(path: Path, records: Records, header: bool | Sequence[str], counts: Counter[str]) -> list[PlacedRow]:
    """Return records as rows with the names of their columns.

    Args:
        records: (line, fields) pairs.
        header: As for `read_csv`.
        counts: Gets `empty_rows` and `repeated_headers`, which occur where files were concatenated.
    """
    records = _skip_empty(records, counts)
    first = next(records, None)
    if first is None:
        return []
    number, title = first
    if header is True:
        # Data frames write their index as a first column without a name; its position becomes its name.
        names = [name.strip() or str(index) for index, name in enumerate(title)]
    else:
        names = [str(index) for index in range(len(title))] if header is False else [str(name) for name in header]
        number, records = 0, chain([first], records)
    if (duplicate := first_duplicate(names)) is not None:
        at = f"{path}:{number}" if number else str(path)
        raise BenchError(f"{at}: column {short(duplicate)!r} occurs twice; rename one, or name all columns in `header`")
    check_header = header is True and len(names) > 1
    rows = []
    for number, fields in records:
        if check_header and fields[0].endswith(title[0]) and is_repeated(title, fields):
            counts["repeated_headers"] += 1
            continue
        if len(fields) != len(names):
            raise BenchError(
                f"{path}:{number}: {len(fields)} fields where {len(names)} columns are expected ({_brief(names)}); check "
                f"delimiter and quoting{'' if header is True else ', and header'}{unbalanced_hint(fields)}"
            )
        rows.append(PlacedRow(zip(names, fields, strict=True), path, number))
    return rows


def is_repeated(title: Sequence[str], fields: Sequence[str]) -> bool:
    """Whether a row repeats the header, possibly after the byte order mark of a concatenated file."""
    return list(fields[1:]) == list(title[1:]) and fields[0].lstrip("\ufeff") == title[0]


def _detect(path: Path, text: str, quotes: Quotes, most: int | None = None) -> tuple[str, list[tuple[int, list[str]]] | None]:
    """Return the delimiter and its records, or the comma without records unless exactly one delimiter makes a table.

    Args:
        most: The number of records to look at; None for all.
    """
    tables = {",": _table(path, text, ",", quotes, most)}
    if tables[","] is None:
        tables |= {mark: _table(path, text, mark, quotes, most) for mark in OTHERS if mark in text}
    fitting = [(mark, records) for mark, records in tables.items() if records]
    return fitting[0] if len(fitting) == 1 else (",", None)


def _table(path: Path, text: str, delimiter: str, quotes: Quotes, most: int | None) -> list[tuple[int, list[str]]] | None:
    """Return all records if they have the same number of fields, two or more; else None."""
    records, width = [], 0
    try:
        for number, fields in islice(_records(path, text, delimiter, quotes), most):
            if not _is_empty(fields):
                width = width or len(fields)
                if len(fields) < 2 or len(fields) != width:
                    return None
            records.append((number, fields))
    except BenchError:  # a misplaced quote; reported once the delimiter is known
        return None
    return records if width else None


def _is_empty(fields: Sequence[str]) -> bool:
    """Whether a line contains nothing but blanks and delimiters."""
    if fields and fields[0] and not fields[0].isspace():  # the usual case, quickly
        return False
    return not "".join(fields).strip()


def _skip_empty(records: Records, counts: Counter[str]) -> Iterator[tuple[int, list[str]]]:
    for number, fields in records:
        if _is_empty(fields):
            counts["empty_rows"] += 1
        else:
            yield number, fields


def _records(path: Path, text: str, delimiter: str, quotes: Quotes, counts: Counter[str] | None = None) -> Records:
    """Yield (first line, fields) of every record; a blank line has no fields."""
    if quotes.quoting == AUTO and quotes.quote in text:
        return unquoted(list(_plain(text, delimiter)), quotes.quote, Counter() if counts is None else counts)
    return _plain(text, delimiter) if quotes.quoting in ("none", AUTO) else _quoted(path, text, delimiter, quotes)


def _plain(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # csv.QUOTE_NONE would not do: it fails at a carriage return inside a line.
    for number, line in enumerate(split_lines(text), start=1):
        yield number, line.split(delimiter) if line else []


def _quoted(path: Path, text: str, delimiter: str, quotes: Quotes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quotes.quote,
        escapechar=quotes.escape,
        strict=True,
    )
    while True:
        number = reader.line_num + 1
        limit = csv.field_size_limit(FIELD_LIMIT)  # a global of the csv module: set for this record only
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BenchError(
                f"{path}:{number}: broken CSV ({error}); mend the line, or say in a task file's data (bench task new NAME) "
                "quoting: none, where quotes are text, or another `quote` or `escape`"
            ) from None
        finally:
            csv.field_size_limit(limit)
        if fields is None:
            return
        yield number, fields


def _brief(names: Sequence[str]) -> str:
    shown = [short(name, 30) for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
