"""Quotation marks that enclose nothing: curly ones around the cells of a table, and straight ones behind a blank.

No CSV knows them, so they stay part of the text, and a delimiter between them cuts the cell in two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.place import place
from harness.errors import BenchError

CLOSING = {"“": "”“", "„": "“”", "”": "”", "‟": "”", "«": "»", "»": "«"}  # opening mark → those that may end it
FEW, OFTEN = 3, 0.05  # rows with a cell that is cut, and their share, from which it is the file's way of writing
MOSTLY = 0.5  # cells in curly quotes for each row from which these are hardly text
CURE = 'write straight ones, such as with: sed \'s/[“”„]/"/g\''


def odd_marks(rows: Sequence[Mapping[str, str]], text: str, delimiter: str, quote: str) -> dict[str, Any]:
    """What to report of the rows of a table: `cut_quotes` with their places, the numbers of cells in `curly_quotes` and in `spaced_quotes`.

    Raises:
        BenchError: enough rows have a cell that is cut, so that their columns are shifted.
    """
    found: dict[str, Any] = {}
    if f"{delimiter} {quote}" in text:
        spaced = sum(cell[:2] == f" {quote}" and cell.rstrip()[-1] == quote for row in rows for cell in row.values())
        found = {"spaced_quotes": spaced} if spaced >= max(FEW, OFTEN * len(rows)) else {}
    if not any(mark in text for mark in CLOSING):
        return found
    cut, kept = [], 0
    for row in rows:
        cells = list(row.values())
        if not any(cell[:1] in CLOSING for cell in cells if cell):
            continue
        cells = [cell.strip() for cell in cells]
        kept += sum(len(cell) > 2 and cell[0] in CLOSING and cell[-1] in CLOSING[cell[0]] for cell in cells)
        if is_cut(cells):
            cut.append(place(row, "a row"))
    if len(cut) >= max(FEW, OFTEN * len(rows)):
        raise BenchError(
            f"{cut[0]}: a cell that begins with a curly quotation mark ends in another column, as in {len(cut):,} rows: these marks enclose nothing in a "
            f"CSV, and its delimiter has cut the text in two; {CURE}"
        )
    return {
        **found,
        **({"cut_quotes": len(cut), "cut_quotes_at": cut} if cut else {}),
        **({"curly_quotes": kept} if kept >= max(FEW, MOSTLY * len(rows)) else {}),
    }


def is_cut(cells: Sequence[str]) -> bool:
    """Whether a cell begins with an opening mark and its closing one ends a later cell."""
    for number, cell in enumerate(cells):
        if cell[:1] in CLOSING and cell and not any(mark in cell[1:] for mark in CLOSING[cell[0]]):
            ends = CLOSING[cell[0]]
            if any(later and later[-1] in ends and later[0] not in CLOSING for later in cells[number + 1 :]):
                return True
    return False


def hint(fields: Sequence[str]) -> str:
    """What to add to the error about a row of another number of fields; empty where no mark is left open in it."""
    if any(cell[:2] == ' "' and '"' not in cell[2:] for cell in fields):
        return "; a quotation mark behind a blank encloses nothing: delete the blank before it"
    cells = [cell.strip() for cell in fields]
    left_open = any(cell[:1] in CLOSING and not any(mark in cell[1:] for mark in CLOSING[cell[0]]) for cell in cells if cell)
    return f"; curly quotation marks (“ ”) enclose nothing in a CSV: {CURE}" if left_open else ""
