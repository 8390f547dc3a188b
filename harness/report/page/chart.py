"""Score against cost: what each model costs, and which ones nothing beats on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.grouping.costs import CostColumn, costs_of
from harness.report import board_text as text
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.page.widgets import box, field, fields, numbered

Point = tuple[float, float]
Measured = tuple[int, float | None, Row | Entry]  # number of the row, score, what has the costs


def chart(view: View) -> Part | None:
    """All points of all charts; the script draws the one that is chosen."""
    board = view.board
    shown = view.rows_shown
    costs = costs_of(shown)
    plots = []
    if len(board.columns) > 1:
        rows = [(number, row.average, row) for number, row in enumerate(shown)]
        plots.append(_plot("average of all tasks", "average score", board.trivial_average, costs, rows))
    for column in board.columns:
        # The row `best baseline` has the entries of other rows.
        entries = [
            (number, row.entries.get(column.title))
            for number, row in enumerate(shown)
            if view.behind(row, column) is row
        ]
        measured = [(number, entry.mean, entry) for number, entry in entries if entry]
        plots.append(_plot(column.title, column.metric or "score", column.trivial, costs, measured))
    plots = [plot for plot in plots if any(plot["points"])]
    if not plots:
        return None
    names = [[row.title, row.architecture or "other"] for row in shown]
    axes = [{"title": cost.axis, "ticks": [[value, cost.text(value)] for value in cost.ticks]} for cost in costs]
    return Part(_frame(plots, axes), {"rows": names, "costs": axes, "plots": plots})


def _plot(
    title: str, axis: str, trivial: float | None, costs: Sequence[CostColumn], rows: Sequence[Measured]
) -> dict[str, Any]:
    """`points`: for each cost [row, cost, score, both as texts, whether it is on the front], the cheapest first."""
    return {"title": title, "axis": axis, "trivial": trivial, "points": [_points(cost, rows) for cost in costs]}


def _points(cost: CostColumn, rows: Sequence[Measured]) -> list[list[Any]]:
    known = [(value, score, number) for number, score, thing in rows if score is not None and (value := cost.of(thing))]
    known.sort(key=lambda point: (point[0], -point[1], point[2]))
    best = front([(value, score) for value, score, _ in known])
    return [
        [number, value, score, cost.text(value), text.score(score), int((value, score) in best)]
        for value, score, number in known
    ]


def front(points: Sequence[Point]) -> set[Point]:
    """The (cost, score) points that no other one beats: none costs as little and scores more, or costs less and scores as much."""
    found: set[Point] = set()
    highest = float("-inf")
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if score > highest:
            found.add((cost, score))
            highest = score
    return found


def _frame(plots: Sequence[Mapping[str, Any]], axes: Sequence[Mapping[str, Any]]) -> Html:
    table = box("Score against cost as a table", id="cost-table")
    said = "The line joins the models that no other beats: for their score nothing is cheaper, for their cost nothing scores more."
    return join(
        tag("p", said),
        fields(field("cost-plot", "Score", body=numbered(plots)), field("cost-axis", "Cost", body=numbered(axes))),
        tag(
            "div",
            tag("div", id="cost-chart", class_="chart"),
            tag("details", tag("summary", "The same as a table"), table, class_="needs-script"),
            class_="beside",
        ),
    )
