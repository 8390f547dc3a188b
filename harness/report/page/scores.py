"""The main table: models × tasks. It is whole without JavaScript; `js/` sorts, filters and colours it and opens records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from harness.grouping.costs import CostColumn, costs_of
from harness.report import board_text as text
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.page.heat import steps
from harness.report.page.markup import Html, join, tag
from harness.report.page.records import cell_data
from harness.report.page.section import Part
from harness.report.page.strip import Strips
from harness.report.page.tools import tools
from harness.report.page.view import View
from harness.report.page.widgets import box

TROUBLES = 6  # that are unfolded at first


def scores(view: View) -> Part | None:
    """The table with its tools, and what is behind each number."""
    board = view.board
    if not board.rows:
        return None
    shown = view.rows_shown
    places = [(row, column) for row in shown for column in board.columns if column.title in row.entries]
    numbers = {(id(row), column.title): number for number, (row, column) in enumerate(places)}
    cells = [(view.behind(row, column), column) for row, column in places]
    several = len(board.columns) > 1
    costs = costs_of(shown)
    heat = {
        column.title: steps(entry.mean if (entry := row.entries.get(column.title)) else None for row in shown)
        for column in board.columns
    }
    strips = {
        column.title: Strips((row.entries[column.title] for row in shown if column.title in row.entries), column.trivial)
        for column in board.columns
    }
    lines = []
    for place, row in enumerate(shown):
        line = [
            _score(
                view, row, column, strips[column.title], heat[column.title][place], numbers.get((id(row), column.title))
            )
            for column in board.columns
        ]
        link = partial(_behind, _address(view, row), place)
        line += [_average(row, link)] if several else []
        folded = place >= len(board.table_rows)
        lines.append(_row(row, [*line, *(_cost(row, cost, link) for cost in costs)], folded))
    table = tag(
        "table",
        tag("caption", "Score of each model on each task, and what it cost", class_="hidden"),
        tag("thead", tag("tr", _headers(view, several, costs))),
        tag("tbody", lines),
        tag("tfoot", _trivial(view, several, costs)),
        class_="scores sortable",
        id="scores-table",
    )
    rows = [
        {
            "title": row.title,
            "cells": [numbers[id(row), column.title] for column in board.columns if column.title in row.entries],
        }
        for row in shown
    ]
    skip = tag("a", "Skip the table", href="#after-scores", class_="skip")
    after = tag("span", id="after-scores", tabindex=-1)
    framed = box("Table of scores", table, tall=True)
    how = tag("details", tag("summary", "How to read this table"), _legend(board), open=True)
    troubles = text.troubles(board)
    trouble = tag(
        "details",
        tag("summary", f"Trainings in trouble ({len(troubles)})"),
        tag("ul", [tag("li", one) for one in troubles]),
        open=len(troubles) <= TROUBLES,
    ) if troubles else None  # fmt: skip
    body = join(tools(board, len(shown), len(shown) - len(board.table_rows)), skip, framed, after, how, trouble)
    return Part(body, {"cells": cell_data(view, cells), "rows": rows})


def _headers(view: View, several: bool, costs: Sequence[CostColumn]) -> list[Html]:
    tasks = [
        _header(column.title, "down", column.metric, task=column.title, family=column.family)
        for column in view.board.columns
    ]
    average = [_header("average", "down", "of all tasks")] if several else []
    return [_header("model", "up"), *tasks, *average, *(_header(cost.title, "up") for cost in costs)]


def _header(title: str, first: str, below: str | None = None, **data: str) -> Html:
    """A heading that sorts; `first` is the direction of the first press."""
    label = tag("button", title, tag("span", below, class_="below") if below else None, type="button")
    return tag(
        "th", label, scope="col", aria_sort="none", data_first=first, **{f"data_{key}": v for key, v in data.items()}
    )


def _row(row: Row, cells: Iterable[Html], folded: bool) -> Html:
    """`folded`: a baseline that the row `best baseline` stands for; shown on demand."""
    below = " · ".join(dict.fromkeys(filter(None, (row.architecture, row.method))))
    name = tag("th", row.title, tag("span", below, class_="below"), scope="row", data_v=row.title.casefold())
    most = max(row.parameters) if row.parameters else None
    facts = {"title": row.title, "method": row.method, "architecture": row.architecture or "", "parameters": most, "folded": folded or None}
    kind = "baseline" if row.is_baseline else None
    return tag("tr", name, *cells, class_=kind, **{f"data_{key}": value for key, value in facts.items()})


def _score(view: View, row: Row, column: BoardColumn, strips: Strips, heat: int | None, number: int | None) -> Html:
    entry = row.entries.get(column.title)
    if entry is None or number is None:
        return tag("td", text.NONE, class_="number", data_task=column.title)
    first = view.records(row, column)[0]["id"]
    link = tag(
        "a",
        tag(
            "span",
            tag("span", text.mean(entry), class_="mean"),
            tag("span", text.group(entry), class_="letters") if text.group(entry) else None,
            tag("span", text.marks(entry), class_="marks") if text.marks(entry) else None,
            class_="value",
        ),
        tag("span", _sure(entry), class_="below") if _sure(entry) else None,
        strips.strip(entry),
        href=view.address(first),
        data_cell=number,
    )
    return tag(
        "td", link, class_="number best" if entry.best else "number", data_v=entry.mean, data_heat=heat,
        data_task=column.title,
    )  # fmt: skip


def _sure(entry: Entry) -> str:
    """The interval of a mean; where nobody knows it, the spread of the seeds."""
    if entry.standing:
        return text.interval(entry)
    return text.spread(entry.sd).strip()


def _address(view: View, row: Row) -> str:
    """Of the first of a row's records."""
    return view.address(
        next(view.records(row, column)[0]["id"] for column in view.board.columns if column.title in row.entries)
    )


def _behind(address: str, place: int, shown: str) -> Html:
    """A number that many records stand behind; without JavaScript it leads to the first."""
    return tag("a", tag("span", shown, class_="mean"), href=address, data_row=place)


def _average(row: Row, link: Callable[[str], Html]) -> Html:
    shown = link(text.score(row.average)) if row.average is not None else text.NONE
    return tag("td", shown, class_="number best" if row.best else "number", data_v=row.average)


def _cost(row: Row, cost: CostColumn, link: Callable[[str], Html]) -> Html:
    value = cost.of(row)
    return tag("td", text.NONE if value is None else link(cost.shown(row)), class_="number", data_v=value)


def _trivial(view: View, several: bool, costs: Sequence[CostColumn]) -> Html:
    tasks = [
        tag("td", text.score(column.trivial), class_="number", data_task=column.title) for column in view.board.columns
    ]
    average = [tag("td", text.score(view.board.trivial_average), class_="number")] if several else []
    return tag("tr", tag("th", "trivial answer", scope="row"), tasks, average, [tag("td") for _ in costs])


def _legend(board: Board) -> Html:
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
        known = any(column.trivial is not None for column in board.columns)
        trivial = " dashed line: the trivial answer;" if known else ""
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
    lines += [f"Note: {note}" for note in board.notes]
    return tag("ul", [tag("li", line) for line in lines])
