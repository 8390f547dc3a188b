"""Markdown tables that read well as plain text too, and the escaping that names need in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from harness.report.entries import Entry
from harness.report.rows import Row
from harness.report.text import group, marks, mean, spread
from harness.shown import sentence


def escape(text: str) -> str:
    """Text as Markdown shows it letter for letter, on one line."""
    text = re.sub(r"([\\*`\[\]<>~$]|&(?=#?\w+;))", r"\\\1", sentence(text))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def title(row: Row) -> str:
    """A row's, in italics where it is a baseline's."""
    return f"*{escape(row.title)}*" if row.is_baseline else escape(row.title)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table with its columns padded to equal width; the first `left` columns start at the left, the others end at the right.

    Cells are Markdown already, but for `|`.
    """
    headers, *rows = [[cell.replace("|", r"\|") for cell in line] for line in (headers, *rows)]
    lines = [headers, *rows]
    widths = [max(3, *(cell_len(line[number]) for line in lines)) for number in range(len(headers))]
    rule = ["-" * width if number < left else "-" * (width - 1) + ":" for number, width in enumerate(widths)]
    return "\n".join(_line(line, widths, left) for line in [headers, rule, *rows])


@dataclass(frozen=True)
class Score:
    """A number of a column as it is to be shown: the mean, what follows it, whether it is bold, its group and its marks."""

    mean: str
    spread: str = ""
    best: bool = False
    marks: str = ""
    group: str = ""


def shown(entry: Entry | None) -> Score:
    """An entry, or its absence."""
    return Score(mean(entry), spread(entry.sd), entry.best, marks(entry), group(entry)) if entry else Score(mean(None))


def score_cells(scores: Sequence[Score]) -> list[str]:
    """A column of `mean ± sd` with the best in bold, the numbers in line with each other, and the marks behind them."""
    bold = "**" if any(one.best for one in scores) else ""
    before, behind, grouped, marked = (
        max(map(cell_len, texts))
        for texts in zip(*((one.mean, one.spread, one.group, one.marks) for one in scores), strict=True)
    )
    cells = []
    for one in scores:
        star = bold if one.best else " " * len(bold)
        number = f"{star}{one.mean}{one.spread}{star}"
        left, right = " " * (before - cell_len(one.mean)), " " * (behind - cell_len(one.spread))
        letters = f" {one.group}{' ' * (grouped - cell_len(one.group))}" if grouped else ""
        cells.append(f"{left}{number}{right}{letters}{one.marks}{' ' * (marked - cell_len(one.marks))}")
    return cells


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = [
        cell + " " * (width - cell_len(cell)) if number < left else " " * (width - cell_len(cell)) + cell
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
