"""The main table: models × tasks, with the records behind each number. It is complete without JavaScript.

The scripts sort, filter and colour the table, and open the records of a number in a dialog.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.grouping.costs import NONE, CostColumn, count, duration, memory, shown_costs
from harness.grouping.groups import succeeded
from harness.report.board import Board, failures_of
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import (
    FLAGS,
    baselines_named,
    group,
    interval,
    legend,
    marks,
    mean,
    metric_texts,
    recipe,
    score,
    signed,
    spread,
    troubles,
)
from harness.report.entries import Entry
from harness.report.page.table_sections import STEPS, heat_steps
from harness.report.page.view import Part, View, fill
from harness.store import Record

UNFOLDED_TROUBLES = 6  # lines on trainings that failed or fell short, up to which the list is unfolded
MAX_ALIKE = 40  # names of rows that an entry cannot be told apart from
WIDTH, HEIGHT, EDGE, DOT = 108, 18, 4, 3  # pixels of a strip of seeds; `DOT` is a radius
MIDDLE = HEIGHT // 2
LEVELS = (MIDDLE, MIDDLE - 4, MIDDLE + 4)  # y of dots that would otherwise overlap


@dataclass(frozen=True)
class TableCell:
    """A cell of the table, for scores.html.

    Attributes:
        text: the number.
        href: address of its first record; None: no link.
        value: the value to sort by; None: last.
        best: whether it is the best of its column.
        task: title of the task; None for the average and for costs.
        number: index of the cell in the section's data, which the dialog shows; None for cells about the whole row.
        row: index of the row in the section's data, for cells about the whole row.
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
    """Return the table with its filters and legend; its data are the records behind each number."""
    board = view.board
    if not board.rows:
        return None
    shown, costs = view.rows_shown, shown_costs(view.rows_shown)
    cells = [
        (number, column) for number, row in enumerate(shown) for column in board.columns if column.title in row.entries
    ]
    cell_numbers = {(row, column.title): number for number, (row, column) in enumerate(cells)}
    scores = [_score_cells(view, column, cell_numbers) for column in board.columns]
    rows = []
    for number, row in enumerate(shown):
        row_cells = [*(column[number] for column in scores), *_summary_cells(view, row, number, costs)]
        # The row `best baseline` stands for folded rows, which are shown on demand.
        rows.append(_row_facts(row, row_cells, folded=number >= len(board.table_rows)))
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
        troubles=troubles(board),
        unfolded_troubles=UNFOLDED_TROUBLES,
    )
    groups = [
        {
            "title": row.title,
            "cells": [cell_numbers[number, column.title] for column in board.columns if column.title in row.entries],
        }
        for number, row in enumerate(shown)
    ]
    details = [_cell_details(view, view.source_row(shown[number], column), column) for number, column in cells]
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
    """Return a column from top to bottom. All its cells share one scale of colours and one scale of seeds."""
    entries = [row.entries.get(column.title) for row in view.rows_shown]
    heat = heat_steps(entry.mean if entry else None for entry in entries)
    strips = SeedStrips(filter(None, entries), column.trivial)
    cells = []
    for number, (row, entry) in enumerate(zip(view.rows_shown, entries, strict=True)):
        if entry is None:
            cells.append(TableCell(NONE, task=column.title))
            continue
        cells.append(
            TableCell(
                mean(entry), view.address(view.records(row, column)[0]["id"]), entry.mean, entry.best, column.title,
                numbers[number, column.title], heat=heat[number], letters=group(entry), marks=marks(entry),
                below=interval(entry) if entry.standing else spread(entry.sd).strip(), strip=strips.strip(entry),
            )
        )  # fmt: skip
    return cells


def _summary_cells(view: View, row: Row, number: int, costs: Sequence[CostColumn]) -> Iterator[TableCell]:
    """Return the average over several tasks and the costs; each links to the first record of the row."""
    columns = view.board.columns
    href = view.address(next(view.records(row, column)[0]["id"] for column in columns if column.title in row.entries))
    if len(columns) > 1:
        average_href = None if row.average is None else href
        yield TableCell(score(row.average), average_href, row.average, row.best, row=number)
    for cost in costs:
        value = cost.number(row)
        yield TableCell(NONE) if value is None else TableCell(cost.cell_text(row), href, value, row=number)


def _trivial(board: Board) -> list[tuple[str | None, str]]:
    scores = [(column.title, score(column.trivial)) for column in board.columns]
    return scores + ([(None, score(board.trivial_average))] if len(board.columns) > 1 else [])


def _legend(board: Board) -> list[str]:
    """Explain the cells of the table and the marks that are used, and add the notes of the board."""
    entries = [entry for row in board.rows for entry in row.entries.values()]
    has_standings = any(entry.standing for entry in entries)
    lines = [
        "The large number is the mean over seeds, groups and marks stand before it. Bold: the best of its column, ties to two "
        "digits included. –: no result."
    ]
    if has_standings:
        lines.append("Below it: the 95 % interval of the mean, over test rows and seeds.")
    if any(entry.sd is not None and not entry.standing for entry in entries):
        lines.append("±: sample standard deviation over the seeds, where there is no interval.")
    if any(entry.scores for entry in entries):
        trivial = " dashed line: the trivial answer;" if any(column.trivial is not None for column in board.columns) else ""
        bar = " bar: the interval;" if has_standings else ""
        any_failed = any(sign.trouble.failed for entry in entries for sign in entry.trouble)
        hollow = " hollow: its training failed;" if any_failed else ""
        lines.append(
            f"A dot for each seed;{hollow} line: their mean;{bar}{trivial} all of a column on one scale. A dot far from its "
            "neighbours is a training that went otherwise, such as one that has learned nothing."
        )
    if len(board.columns) > 1:
        lines.append("The average needs a score in every column.")
    if any(row.is_baseline for row in board.rows):
        lines.append("Italics: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{line}." for line in [*baselines_named(board), *legend(board)]]
    return lines + [f"Note: {note}" for note in board.notes]


class SeedStrips:
    """The seeds of each cell of a column as dots on one scale, on which failed seeds are apart from the others.

    Args:
        entries: the entries of the column.
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
        """Draw a dot for each seed, a bar for the interval, and lines for the mean and the trivial answer.

        The dot of a seed whose training failed is hollow.
        """
        if not entry.scores or entry.mean is None:
            return None
        failed = {seed for sign in entry.trouble if sign.trouble.failed for seed in sign.seeds}
        seeds = sorted(entry.scores, key=lambda seed: entry.scores[seed])
        dots = _spread_dots([self._x(entry.scores[seed]) for seed in seeds])
        title = ", ".join(
            f"seed {seed}: {score(value)}" + (" (its training failed)" if seed in failed else "")
            for seed, value in sorted(entry.scores.items())
        )
        return fill(
            "seed_strip.svg", width=WIDTH, height=HEIGHT, middle=MIDDLE, radius=DOT, title=title, mean=self._x(entry.mean),
            trivial=None if self.trivial is None else self._x(self.trivial),
            interval=(self._x(entry.standing.low), self._x(entry.standing.high)) if entry.standing else None,
            dots=[(x, y, seed in failed) for seed, (x, y) in zip(seeds, dots, strict=True)],
        )  # fmt: skip

    def _x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)


def _spread_dots(xs: Sequence[float]) -> list[tuple[float, int]]:
    """Return x and y of dots from their sorted x. A dot that would overlap the previous one is above or below it."""
    level, dots = 0, []
    for number, x in enumerate(xs):
        level = (level + 1) % len(LEVELS) if number and x - xs[number - 1] < 2 * DOT else 0
        dots.append((x, LEVELS[level]))
    return dots


def _cell_details(view: View, row: Row, column: BoardColumn) -> dict[str, Any]:
    """Return the seeds, records, recipes and metrics of a cell, for the dialog of the page."""
    entry, records = row.entries[column.title], view.records(row, column)
    recipes = [
        recipe({name: [(value, ())] for name, value in (record.get("recipe") or {}).items()}) for record in records
    ]
    return {
        "title": f"{row.title} on {column.title}",
        "task": column.title,
        "facts": _cell_facts(view, row, column, entry),
        "seeds": [_seed_texts(view, record) for record in records],
        "metrics": [[name, metric_texts([value])[0]] for name, value in entry.metrics.items()],
        "recipes": [text for text in dict.fromkeys(recipes) if text],
    }


def _cell_facts(view: View, row: Row, column: BoardColumn, entry: Entry) -> list[list[str]]:
    alike = _alike(view, row, column)
    more = f" and {len(alike) - MAX_ALIKE} more" if len(alike) > MAX_ALIKE else ""
    facts = {
        column.metric or "score": mean(entry),
        "standard deviation over seeds": score(entry.sd) if entry.sd is not None else "",
        "95 % interval": interval(entry) if entry.standing else "",
        "rank" if group(entry).startswith("#") else "group": group(entry),
        "cannot be told apart from": ", ".join(alike[:MAX_ALIKE]) + more,
        "search for the recipe": duration(seconds) if (seconds := entry.costs["search_seconds"]) else "",
        "trivial answer": score(column.trivial) if column.trivial is not None else "",
        "published": "; ".join(
            f"{number.metric} {score(number.value)} ({signed(number.difference)}), {number.source}"
            for number in row.published.get(column.title, ())
        ),
        "marks": "; ".join(f"{letter} {meaning}" for flag, (letter, meaning) in FLAGS.items() if flag in entry.flags),
    }
    return [[name, value] for name, value in facts.items() if value]


def _alike(view: View, row: Row, column: BoardColumn) -> list[str]:
    """Return the titles of the rows that share a letter with a row in a column."""
    standings = {
        other.title: entry.standing
        for other in view.board.rows
        if (entry := other.entries.get(column.title)) and entry.standing
    }
    standing = standings.pop(row.title, None)
    return [title for title, other in standings.items() if standing and standing.groups & other.groups]


def _seed_texts(view: View, record: Record) -> list[str]:
    """Return seed, status, score, training time, peak memory, trained parameters, id and address."""
    cost = record.get("cost") or {}
    errors = [f"{failure.type}: {failure.message}" for failure in failures_of([record])]
    return [
        str(record["seed"]),
        "; ".join(errors) or record["status"],
        score(record["score"]) if succeeded(record) else NONE,
        duration(cost.get("train_seconds")),
        memory(cost.get("peak_memory_bytes")),
        count(cost.get("trainable_parameters")),
        record["id"],
        view.address(record["id"]),
    ]
