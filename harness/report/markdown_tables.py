"""Markdown tables that can also be read as plain text, the escaping of names in them, and the main table of leaderboard.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from harness.finding import some
from harness.grouping.costs import NONE, shown_costs
from harness.report.board import Board
from harness.report.board_rows import Row
from harness.report.board_text import baselines_named, group, legend, marks, mean, score, spread, troubles
from harness.report.entries import Entry
from harness.report.verdict import verdict
from harness.shown import sentence


def escape(text: str) -> str:
    """Text escaped for Markdown, on one line."""
    text = re.sub(r"([\\*`\[\]<>~$]|&(?=#?\w+;))", r"\\\1", sentence(text))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def row_heading(row: Row) -> str:
    """The title of a row, in italics for a baseline."""
    return f"*{escape(row.title)}*" if row.is_baseline else escape(row.title)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table with padded columns; the first `left` columns are aligned to the left, the others to the right.

    Cells are Markdown, but `|` in them is escaped here.
    """
    headers, *rows = [[cell.replace("|", r"\|") for cell in line] for line in (headers, *rows)]
    lines = [headers, *rows]
    widths = [max(3, *(cell_len(line[number]) for line in lines)) for number in range(len(headers))]
    rule = ["-" * width if number < left else "-" * (width - 1) + ":" for number, width in enumerate(widths)]
    return "\n".join(_table_line(line, widths, left) for line in [headers, rule, *rows])


@dataclass(frozen=True)
class ScoreCell:
    """The parts of a cell with a score: the mean, its spread, whether it is bold, its marks and its group."""

    mean: str
    spread: str = ""
    best: bool = False
    marks: str = ""
    group: str = ""


def entry_cell(entry: Entry | None) -> ScoreCell:
    """The parts of the cell of an entry, or of a missing one."""
    return ScoreCell(mean(entry), spread(entry.sd), entry.best, marks(entry), group(entry)) if entry else ScoreCell(mean(None))


def score_cells(scores: Sequence[ScoreCell]) -> list[str]:
    """A column of `mean ± sd` with the best in bold, the numbers aligned, and the marks behind them."""
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


def _table_line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = [
        cell + " " * (width - cell_len(cell)) if number < left else " " * (width - cell_len(cell)) + cell
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def recommendations(board: Board) -> list[str]:
    """The lines of the verdict: which model to fine-tune."""
    return ["\n".join(f"- {escape(line)}" for line in verdict(board).lines())]


def board_introduction(board: Board) -> list[str]:
    """A paragraph on how the scores were made."""
    seeds = sorted({seed for column in board.columns for seed in column.seeds})
    spread = " ± sample standard deviation over the seeds" if len(seeds) > 1 else ""
    when = ""
    if board.dates:
        first, last = board.dates
        when = f", run on {first}" if first == last else f", run from {first} to {last}"
    suites = f" of suite {escape(', '.join(board.suites))}" if board.suites else ""
    return [
        f"Every model is fine-tuned on every task{suites} under one protocol and scored once on the test split. Scores are each "
        f"task's primary metric on a scale of 0–100, higher is better: mean{spread} ({some(board.cells, 'cell')}{when}; "
        f"seeds {', '.join(map(str, seeds)) or NONE})."
    ]


def main_table(board: Board) -> list[str]:
    """Models × tasks."""
    rows = board.table_rows
    columns = [
        [
            escape(column.title),
            *score_cells([*(entry_cell(row.entries.get(column.title)) for row in rows), ScoreCell(score(column.trivial))]),
        ]
        for column in board.columns
    ]
    if len(board.columns) > 1:
        averages = [ScoreCell(score(row.average), best=row.best) for row in rows]
        columns.append(["average", *score_cells([*averages, ScoreCell(score(board.trivial_average))])])
    columns += [[cost.title, *map(cost.cell_text, rows), ""] for cost in shown_costs(rows)]
    names = ["model", *map(row_heading, rows), "*trivial answer*"]
    headers, *lines = zip(names, *columns, strict=True)
    return [table(headers, lines)]


def notes_below(board: Board) -> list[str]:
    """Legend and notes."""
    lines = ["**Bold**: best of the column, ties to two digits included. –: no result."]
    if len(board.columns) > 1:
        lines[0] += " The average needs a score in every column."
    if any(row.is_baseline for row in board.rows):
        lines.append("*Italics*: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{escape(line)}." for line in [*baselines_named(board), *legend(board)]]
    lines += [f"Trouble: {escape(line)}." for line in troubles(board)]
    lines += [f"Note: {escape(note)}" for note in board.notes]
    return ["\n".join(f"- {line}" for line in lines)]
