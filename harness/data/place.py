"""Where a row stands in its publisher's files, so that whatever is wrong with it can be found there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class PlacedRow(dict):
    """A row that knows its place. Equal to the plain dict of the same columns: the place is none of them."""

    __slots__ = ("file", "spot")

    def __init__(self, columns: Mapping[str, Any], file: str | Path, spot: int | str):
        super().__init__(columns)
        self.file, self.spot = file, spot

    def __reduce__(self) -> Any:
        return PlacedRow, (dict(self), self.file, self.spot)

    def place(self) -> str:
        """`reviews.csv:18` for a line, `dev.json: data[3].paragraphs[0].qas[1]` for a place inside a line or a table."""
        return f"{self.file}:{self.spot}" if isinstance(self.spot, int) else f"{self.file}: {self.spot}"


def placed(columns: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """New columns in the place of a row, where that has one."""
    return PlacedRow(columns, row.file, row.spot) if isinstance(row, PlacedRow) else dict(columns)


def place(row: Mapping[str, Any], otherwise: str) -> str:
    """What an error calls a row: its file and line, or `otherwise` where its source does not know them."""
    return row.place() if isinstance(row, PlacedRow) else otherwise
