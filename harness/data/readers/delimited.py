"""Delimiter-separated values: CSV (RFC 4180) and TSV.

The two differ in their defaults only. In a CSV a double quote encloses fields. In a TSV it is a character like any
other: files such as GLUE's have unbalanced quotes, and a reader that honours them swallows all rows up to the next one.
Say `quoting: minimal` for the TSV that does quote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.data.files import as_paths, read_text, split_lines
from harness.errors import BenchError, unknown

QUOTING = ("minimal", "all", "none")
FIELD_LIMIT = 2**31 - 1  # characters; Python's own limit of 131,072 is less than a long article


def read_csv(
    files: Any,
    *,
    delimiter: str = ",",
    quoting: str = "minimal",
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Rows of strings; `NA`, `null` and empty fields stay the text that they are. Blank lines are skipped.

    Args:
        delimiter: one character.
        quoting: `minimal` or `all`: double quotes enclose fields, which may then hold delimiters, line ends and doubled
            quotes. `none`: quotes are ordinary text.
        header: True: the first row names the columns; False: they are called "0", "1", ...; a list: their names.
    """
    if quoting not in QUOTING:
        raise unknown("quoting", quoting, QUOTING)
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise BenchError(f"delimiter is {delimiter!r}; it must be one character")
    rows = []
    for path in as_paths(files):
        text = read_text(path, encoding)
        records = _plain(text, delimiter) if quoting == "none" else _quoted(path, text, delimiter)
        rows += _as_dicts(path, records, header)
    return rows


def read_tsv(
    files: Any,
    *,
    delimiter: str = "\t",
    quoting: str = "none",
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """As `read_csv`, with a TSV's defaults: tabs, and quotes that are text."""
    return read_csv(files, delimiter=delimiter, quoting=quoting, header=header, encoding=encoding, report=report)


def _plain(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Not csv.QUOTE_NONE: it gives up at a carriage return inside a line.
    for number, line in enumerate(split_lines(text), start=1):
        if line:
            yield number, line.split(delimiter)


def _quoted(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, fields) of every record."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        limit = csv.field_size_limit(FIELD_LIMIT)  # a global of the csv module: set for this record only
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BenchError(
                f"{path}:{number}: broken CSV ({error}); where quotes are text, say quoting: none"
            ) from None
        finally:
            csv.field_size_limit(limit)
        if fields is None:
            return
        if fields:
            yield number, fields


def _as_dicts(
    path: Path, records: Iterator[tuple[int, list[str]]], header: bool | Sequence[str]
) -> list[dict[str, str]]:
    names: list[str] | None = None
    if header is True:
        first = next(records, None)
        if first is None:
            return []
        # The unnamed first column of a table that a data frame wrote gets its index for a name.
        names = [name.strip() or str(index) for index, name in enumerate(first[1])]
    elif header is not False:
        names = [str(name) for name in header]
    if names and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BenchError(f"{path}: column {twice!r} occurs twice; rename one, or name all columns in `header`")
    rows = []
    for number, fields in records:
        if names is None:
            names = [str(index) for index in range(len(fields))]
        if len(fields) != len(names):
            raise BenchError(
                f"{path}:{number}: {len(fields)} fields where {len(names)} columns are expected ({', '.join(names)}); "
                "check delimiter, quoting and header"
            )
        rows.append(dict(zip(names, fields, strict=True)))
    return rows
