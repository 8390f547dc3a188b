"""Read Excel workbooks (.xlsx) with openpyxl, which `pip install "bench-harness[excel]"` installs."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.data.compressed import check_size, zip_errors
from harness.data.file_layer import as_paths, read_bytes
from harness.data.readers.delimited import as_rows
from harness.errors import BenchError, unknown

CURE = 'save it as CSV, or run: pip install "bench-harness[excel]"'


def read(
    files: Any, *, sheet: str | None = None, header: bool | Sequence[str] = True, report: dict[str, Any] | None = None
) -> list[dict[str, str]]:
    """Return rows of strings, as a CSV of the same sheet would give them; a formula gives the value that Excel last computed.

    Empty rows are skipped, and counted as `empty_rows` if others follow. Columns without a name and values are left out.

    Args:
        sheet: The name of the sheet; by default the first one. If there are several, its name is reported as `sheet`.
        header: True if the first row names the columns; False to call them "0", "1", ...; or a list of their names.
        report: Gets the counts above, and `repeated_headers`.
    """
    rows: list[dict[str, str]] = []
    counts: Counter[str] = Counter()
    for path in as_paths(files):
        name, lines = _lines(path, sheet)
        if name and report is not None:
            report["sheet"] = name
        counts["empty_rows"] += sum(after - before - 1 for (before, _), (after, _) in pairwise(lines))
        width = max((len(fields) for _, fields in lines), default=0)
        if lines and not isinstance(header, bool) and len(header) != width:
            raise BenchError(f"{path}: {width} columns, but `header` names {len(header)}")
        padded = ((number, fields + [""] * (width - len(fields))) for number, fields in lines)
        of_file = as_rows(path, padded, header, counts)
        if lines and not of_file and header is True and name:
            raise BenchError(
                f"{path}: its first sheet, {name!r}, has no rows below the first; name the sheet with the table in a task file "
                "(bench task new NAME), such as data: {format: xlsx, sheet: NAME}"
            )
        rows += of_file
    if report is not None:
        report.update({key: number for key, number in counts.items() if number})
    return rows


def _lines(path: Path, sheet: str | None) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the name of the sheet if it was chosen among several, and the (row number, fields) of its non-empty rows.

    Rows are counted from 1, and have no empty fields at their ends.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise BenchError(f"{path}: an Excel file, which openpyxl would read; {CURE}") from None
    data = read_bytes(path)
    with zip_errors(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_size(sum(member.file_size for member in archive.infolist()), len(data), path)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = {worksheet.title: worksheet for worksheet in book.worksheets}
        if sheet is not None and sheet not in sheets:
            raise unknown("sheet", sheet, sheets, where=str(path))
        name = sheet or next(iter(sheets))
        values = list(sheets[name].iter_rows(values_only=True))
    except BenchError:
        raise
    except Exception as error:  # openpyxl raises errors of many types for a broken file
        raise BenchError(f"{path}: no Excel workbook that can be read ({type(error).__name__}); save it as CSV") from None
    return name if sheet is None and len(sheets) > 1 else "", list(_fields(values))


def _fields(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, list[str]]]:
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
