"""Markdown tables that can also be read as plain text, and the escaping of names in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from harness.report.board_rows import Row
from harness.report.board_text import group, marks, mean, spread
from harness.report.entries import Entry
from harness.safe_text import sentence


def escape(text: str) -> str:
    """Escape text for Markdown, on one line."""
    text = re.sub(r"([\\*`\[\]<>~$]|&(?=#?\w+;))", r"\\\1", sentence(text))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Make a table with padded columns; the first `left` columns are aligned to the left, the others to the right.

    Cells are Markdown, but `|` in them is escaped here.
    """
    headers, *rows = [[cell.replace("|", r"\|") for cell in line] for line in (headers, *rows)]
    widths = [max(3, *map(cell_len, cells)) for cells in zip(headers, *rows, strict=True)]
    rule = ["-" * width if number < left else "-" * (width - 1) + ":" for number, width in enumerate(widths)]
    return "\n".join(_table_line(line, widths, left) for line in [headers, rule, *rows])


def _table_line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        padding = " " * (width - cell_len(cell))
        padded.append(cell + padding if number < left else padding + cell)
    return f"| {' | '.join(padded)} |"


def row_heading(row: Row) -> str:
    """Return the title of a row, in italics for a baseline."""
    return f"*{escape(row.title)}*" if row.is_baseline else escape(row.title)


@dataclass(frozen=True)
class ScoreCell:
    """The parts of a cell with a score: the mean, its spread, whether it is bold, its marks and its group."""

    mean: str
    spread: str = ""
    best: bool = False
    marks: str = ""
    group: str = ""


def entry_cell(entry: Entry | None) -> ScoreCell:
    """Return the parts of the cell of an entry, or of a missing entry."""
    if entry is None:
        return ScoreCell(mean(None))
    return ScoreCell(mean(entry), spread(entry.sd), entry.best, marks(entry), group(entry))


def score_cells(scores: Sequence[ScoreCell]) -> list[str]:
    """Return a column of `mean ± sd` with the best in bold, the numbers aligned, and the marks after them."""
    bold = "**" if any(score.best for score in scores) else ""
    mean_width, spread_width, group_width, marks_width = (
        max(map(cell_len, texts))
        for texts in zip(*((score.mean, score.spread, score.group, score.marks) for score in scores), strict=True)
    )
    cells = []
    for score in scores:
        star = bold if score.best else " " * len(bold)
        number = f"{star}{score.mean}{score.spread}{star}"
        left, right = " " * (mean_width - cell_len(score.mean)), " " * (spread_width - cell_len(score.spread))
        letters = f" {score.group}{' ' * (group_width - cell_len(score.group))}" if group_width else ""
        cells.append(f"{left}{number}{right}{letters}{score.marks}{' ' * (marks_width - cell_len(score.marks))}")
    return cells
