"""Excel workbooks (.xlsx), read by openpyxl, which `pip install "bench-harness[excel]"` brings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.data.compressed import check_size, zip_errors
from harness.data.file_layer import as_paths, read_bytes
from harness.data.place import PlacedRow
from harness.errors import BenchError, unknown
from harness.safe_text import short

CURE = 'save it as CSV, or run: pip install "bench-harness[excel]"'


def read(
    files: Any, *, sheet: str | None = None, header: bool | Sequence[str] = True, report: dict[str, Any] | None = None
) -> list[dict[str, str]]:
    """Rows of strings, as a CSV of the same sheet would give them; of a formula what Excel computed last.

    Empty rows are skipped, and counted as `empty_rows` where others follow; columns without name and values are left out. The
    report gets `sheet` where a workbook has several and none was named.

    Args:
        sheet: its name; default: the first one.
        header: True: the first row names the columns; False: they are called "0", "1", ...; a list: their names.
    """
    rows: list[dict[str, str]] = []
    for path in as_paths(files):
        lines = list(_lines(path, sheet, report))
        width = max((len(fields) for _, fields in lines), default=0)
        if report is not None and (empty := sum(after - before - 1 for (before, _), (after, _) in pairwise(lines))):
            report["empty_rows"] = report.get("empty_rows", 0) + empty
        padded = [(number, fields + [""] * (width - len(fields))) for number, fields in lines]
        if not padded:
            continue
        if header is True:
            title = padded[0][1]
            names = [name or str(place) for place, name in enumerate(title)]
            padded, all_rows = [(number, fields) for number, fields in padded[1:] if width < 2 or fields != title], padded[1:]
            if report is not None and len(padded) < len(all_rows):
                report["repeated_headers"] = report.get("repeated_headers", 0) + len(all_rows) - len(padded)
        else:
            names = [str(place) for place in range(width)] if header is False else [str(name) for name in header]
        if not padded and header is True and sheet is None and report and report.get("sheet"):
            raise BenchError(
                f"{path}: its first sheet, {report['sheet']!r}, has no rows below the first; name the sheet with the table in a task file (bench task new NAME), "
                "such as data: {format: xlsx, sheet: NAME}"
            )
        if len(names) != width:
            raise BenchError(f"{path}: {width} columns, but `header` names {len(names)}")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BenchError(f"{path}: column {short(twice)!r} occurs twice; rename one, or name all columns in `header`")
        rows += [PlacedRow(zip(names, fields, strict=True), path, number) for number, fields in padded]
    return rows


def _lines(path: Path, sheet: str | None, report: dict[str, Any] | None) -> Iterator[tuple[int, list[str]]]:
    """(row counted from 1, fields without empty ones at the end) of every row that holds something."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise BenchError(f"{path}: an Excel file, which openpyxl would read; {CURE}") from None
    data = read_bytes(path)
    with zip_errors(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_size(sum(member.file_size for member in archive.infolist()), len(data), path)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = {one.title: one for one in book.worksheets}
        if sheet is not None and sheet not in sheets:
            raise unknown("sheet", sheet, sheets, where=str(path))
        name = sheet or next(iter(sheets))
        rows = list(sheets[name].iter_rows(values_only=True))
    except BenchError:
        raise
    except Exception as error:  # whatever openpyxl meets in a broken file
        raise BenchError(f"{path}: no Excel workbook that can be read ({type(error).__name__}); save it as CSV") from None
    if sheet is None and len(sheets) > 1 and report is not None:
        report["sheet"] = name
    for number, values in enumerate(rows, start=1):
        fields = [_text(value) for value in values]
        while fields and not fields[-1]:
            fields.pop()
        if fields:
            yield number, fields


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
