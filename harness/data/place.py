"""The place of a row in its source file, so that an error can name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class PlacedRow(dict):
    """A row that knows its place. It is equal to the plain dict of the same columns.

    Attributes:
        file: The path of the file.
        spot: The line number, or a path inside the file such as `data[3].paragraphs[0]`.
    """

    __slots__ = ("file", "spot")

    def __init__(self, columns: Mapping[str, Any], file: str | Path, spot: int | str):
        super().__init__(columns)
        self.file, self.spot = file, spot

    def __reduce__(self) -> Any:
        return PlacedRow, (dict(self), self.file, self.spot)

    def place(self) -> str:
        """Return `reviews.csv:18` for a line, `dev.json: data[3].paragraphs[0].qas[1]` for a place inside a line or table."""
        return f"{self.file}:{self.spot}" if isinstance(self.spot, int) else f"{self.file}: {self.spot}"


def placed(columns: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of new columns with the place of `row`, if that has one."""
    return PlacedRow(columns, row.file, row.spot) if isinstance(row, PlacedRow) else dict(columns)


def place(row: Mapping[str, Any], otherwise: str) -> str:
    """Return the file and line of a row for error messages, or `otherwise` if they are not known."""
    return row.place() if isinstance(row, PlacedRow) else otherwise
