"""Line-parallel text: line N of one file belongs to line N of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.errors import BenchError


def read(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, str]]:
    """Rows with one column for each entry of `files`, a mapping of column -> path (or paths, taken pairwise).

    Outer white space goes; what is inside a line stays, U+0085, U+2028 and a lone carriage return included. The report
    gets `empty`, the number of rows with a side without text: they are kept, or else the files would lose their step.
    """
    if not isinstance(files, Mapping):
        raise BenchError("format 'lines' needs a file per column, such as {source: train.en, target: train.de}")
    columns = {name: as_paths(paths) for name, paths in files.items()}
    if len({len(paths) for paths in columns.values()}) > 1:
        counts = ", ".join(f"{len(paths)} for {name}" for name, paths in columns.items())
        raise BenchError(f"format 'lines' needs as many files for each column, but there are {counts}")
    rows: list[dict[str, str]] = []
    for paths in zip(*columns.values(), strict=True):
        texts = [[line.strip() for line in split_lines(read_text(path, encoding))] for path in paths]
        if len({len(lines) for lines in texts}) > 1:
            counts = ", ".join(f"{path}: {len(lines)}" for path, lines in zip(paths, texts, strict=True))
            raise BenchError(
                f"files that should be parallel differ in their number of lines ({counts}); from where they differ on, no line "
                "belongs to its neighbour: fetch them again"
            )
        for number, lines in enumerate(zip(*texts, strict=True), start=1):
            rows.append(PlacedRow(zip(columns, lines, strict=True), paths[0], number))
    if report is not None:
        report.update(empty=sum(not all(row.values()) for row in rows))
    return rows
