"""The main table: models × tasks. It is whole without JavaScript; the scripts sort, filter and colour it and open records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.grouping.costs import CostColumn, shown_costs
from harness.report import board_text as text
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.page.cell_details import cell_details
from harness.report.page.slice_sections import STEPS, heat_steps
from harness.report.page.templates import fill
from harness.report.page.view import Part, View

TROUBLES = 6  # trainings in trouble that are unfolded at first
WIDTH, HEIGHT, EDGE, DOT = 108, 18, 4, 3  # pixels of a strip of seeds; `DOT` is a radius
MIDDLE = HEIGHT // 2
LEVELS = (MIDDLE, MIDDLE - 4, MIDDLE + 4)  # heights of dots that would cover each other


@dataclass(frozen=True)
class TableCell:
    """A cell of the table, for scores.html.

    Attributes:
        text: the number.
        href: the first record behind it; None: none.
        value: to sort by; None: last.
        best: whether it is the best of its column.
        task: title of the task; None: the average or a cost.
        number: position in the section's data, which the dialog of the cell shows; None: that of the whole row.
        row: number of the row in the section's data, for a cell with many records.
        heat: colour of the heat map.
        letters, marks, below: texts beside and below the number.
        strip: the seeds as dots.
    """

    text: str
    href: str | None = None
    value: float | None = None
    best: bool = False
    task: str | None = None
    number: int | None = None
    row: int | None = None
    heat: int | None = None
    letters: str = ""
    marks: str = ""
    below: str = ""
    strip: Markup | None = None


def score_table(view: View) -> Part | None:
    """The table with its filters and legend; as data the records behind each number."""
    board = view.board
    if not board.rows:
        return None
    shown, costs = view.rows_shown, shown_costs(view.rows_shown)
    places = [(number, column) for number, row in enumerate(shown) for column in board.columns if column.title in row.entries]
    numbers = {(row, column.title): number for number, (row, column) in enumerate(places)}
    scores = [_score_cells(view, column, numbers) for column in board.columns]
    rows = []
    for number, row in enumerate(shown):
        cells = [column[number] for column in scores]
        cells += _summary_cells(view, row, number, costs)
        rows.append(_row_facts(row, cells, folded=number >= len(board.table_rows)))
    html = fill(
        "scores.html",
        families=sorted({column.family for column in board.columns}),
        tasks=[column.title for column in board.columns],
        methods=_choices(row.method for row in board.rows),
        architectures=_choices(row.architecture for row in board.rows if row.architecture),
        folded=len(shown) > len(board.table_rows),
        steps=STEPS,
        headings=_headings(board, costs),
        rows=rows,
        trivial=_trivial(board),
        costs=len(costs),
        legend=_legend(board),
        troubles=text.troubles(board),
        unfolded_troubles=TROUBLES,
    )
    details = cell_details(view, [(view.behind(shown[number], column), column) for number, column in places])
    groups = [
        {"title": row.title, "cells": [numbers[number, column.title] for column in board.columns if column.title in row.entries]}
        for number, row in enumerate(shown)
    ]
    return Part(html, {"cells": details, "rows": groups})


def _choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [("", "all"), *((value, value) for value in sorted(set(values)))]


def _headings(board: Board, costs: Sequence[CostColumn]) -> list[dict[str, str | None]]:
    def heading(title: str, first: str, below: str | None = None, column: BoardColumn | None = None) -> dict[str, str | None]:
        facts = {"title": title, "below": below, "first": first}
        return {**facts, "task": column.title if column else None, "family": column.family if column else None}

    headings = [heading("model", "up"), *(heading(column.title, "down", column.metric, column) for column in board.columns)]
    headings += [heading("average", "down", "of all tasks")] if len(board.columns) > 1 else []
    return headings + [heading(cost.title, "up") for cost in costs]


def _row_facts(row: Row, cells: Sequence[TableCell], folded: bool) -> dict[str, Any]:
    """`folded`: a baseline that the row `best baseline` stands for; shown on demand."""
    return {
        "title": row.title,
        "sort_key": row.title.casefold(),
        "below": " · ".join(dict.fromkeys(filter(None, (row.architecture, row.method)))),
        "method": row.method,
        "architecture": row.architecture or "",
        "parameters": max(row.parameters) if row.parameters else None,
        "is_baseline": row.is_baseline,
        "folded": folded,
        "cells": cells,
    }


def _score_cells(view: View, column: BoardColumn, numbers: Mapping[tuple[int, str], int]) -> list[TableCell]:
    """A column from top to bottom, with the colours and the scale of seeds that its cells share."""
    entries = [row.entries.get(column.title) for row in view.rows_shown]
    heat = heat_steps(entry.mean if entry else None for entry in entries)
    strips = SeedStrips(filter(None, entries), column.trivial)
    cells = []
    for place, (row, entry) in enumerate(zip(view.rows_shown, entries, strict=True)):
        if entry is None:
            cells.append(TableCell(text.NONE, task=column.title))
            continue
        cells.append(
            TableCell(
                text.mean(entry), view.address(view.records(row, column)[0]["id"]), entry.mean, entry.best, column.title,
                numbers[place, column.title], heat=heat[place], letters=text.group(entry), marks=text.marks(entry),
                below=text.interval(entry) if entry.standing else text.spread(entry.sd).strip(), strip=strips.strip(entry),
            )
        )  # fmt: skip
    return cells


def _summary_cells(view: View, row: Row, number: int, costs: Sequence[CostColumn]) -> Iterable[TableCell]:
    """The average over tasks, where there are several, and the costs; each leads to the first record of the row."""
    columns = view.board.columns
    href = view.address(next(view.records(row, column)[0]["id"] for column in columns if column.title in row.entries))
    if len(columns) > 1:
        known = row.average is not None
        yield TableCell(text.score(row.average), href if known else None, row.average, row.best, row=number)
    for cost in costs:
        value = cost.number(row)
        yield TableCell(text.NONE) if value is None else TableCell(cost.cell_text(row), href, value, row=number)


def _trivial(board: Board) -> list[tuple[str | None, str]]:
    scores = [(column.title, text.score(column.trivial)) for column in board.columns]
    return scores + ([(None, text.score(board.trivial_average))] if len(board.columns) > 1 else [])


def _legend(board: Board) -> list[str]:
    """What stands in a cell of the table, the marks that are used, and notes on what had to be kept apart."""
    entries = [entry for row in board.rows for entry in row.entries.values()]
    lines = [
        "The large number is the mean over seeds, groups and marks stand before it. Bold: the best of its column, ties to two "
        "digits included. –: no result."
    ]
    if any(entry.standing for entry in entries):
        lines.append("Below it: the 95 % interval of the mean, over test rows and seeds.")
    if any(entry.sd is not None and not entry.standing for entry in entries):
        lines.append("±: sample standard deviation over the seeds, where there is no interval.")
    if any(entry.scores for entry in entries):
        trivial = " dashed line: the trivial answer;" if any(column.trivial is not None for column in board.columns) else ""
        bar = " bar: the interval;" if any(entry.standing for entry in entries) else ""
        hollow = any(own.trouble.failed for one in entries for own in one.trouble)
        failed = " hollow: its training failed;" if hollow else ""
        lines.append(
            f"A dot for each seed;{failed} line: their mean;{bar}{trivial} all of a column on one scale. A dot far from its "
            "neighbours is a training that went otherwise, such as one that has learned nothing."
        )
    if len(board.columns) > 1:
        lines.append("The average needs a score in every column.")
    if any(row.is_baseline for row in board.rows):
        lines.append("Italics: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{line}." for line in [*text.baselines_named(board), *text.legend(board)]]
    return lines + [f"Note: {note}" for note in board.notes]


class SeedStrips:
    """The seeds of each cell of a column as dots on one scale, so that a seed that failed is seen beside those that learned.

    Args:
        entries: of the column.
        trivial: score of the trivial answer.
    """

    def __init__(self, entries: Iterable[Entry], trivial: float | None):
        values = [] if trivial is None else [trivial]
        for entry in entries:
            values += entry.scores.values()
            values += [entry.standing.low, entry.standing.high] if entry.standing and entry.scores else []
        self.trivial = trivial
        self.low, self.high = min(values, default=0.0), max(values, default=0.0)

    def strip(self, entry: Entry) -> Markup | None:
        """Dots for the seeds, a bar for the interval, a line for the mean, a dashed one for the trivial answer.

        The dot of a seed whose training failed is hollow.
        """
        if not entry.scores or entry.mean is None:
            return None
        failed = {seed for one in entry.trouble if one.trouble.failed for seed in one.seeds}
        seeds = sorted(entry.scores, key=lambda seed: entry.scores[seed])
        places = _apart([self._x(entry.scores[seed]) for seed in seeds])
        title = ", ".join(
            f"seed {seed}: {text.score(score)}" + (" (its training failed)" if seed in failed else "")
            for seed, score in sorted(entry.scores.items())
        )
        return fill(
            "seed_strip.svg", width=WIDTH, height=HEIGHT, middle=MIDDLE, radius=DOT, title=title, mean=self._x(entry.mean),
            trivial=None if self.trivial is None else self._x(self.trivial),
            interval=(self._x(entry.standing.low), self._x(entry.standing.high)) if entry.standing else None,
            dots=[(x, y, seed in failed) for seed, (x, y) in zip(seeds, places, strict=True)],
        )  # fmt: skip

    def _x(self, score: float) -> float:
        share = (score - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)


def _apart(places: Sequence[float]) -> list[tuple[float, int]]:
    """x and y of dots from their sorted x: a dot that would cover the one before stands above or below it."""
    level, dots = 0, []
    for number, x in enumerate(places):
        level = (level + 1) % len(LEVELS) if number and x - places[number - 1] < 2 * DOT else 0
        dots.append((x, LEVELS[level]))
    return dots
