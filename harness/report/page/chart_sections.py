"""Sections with charts that a script draws: score against cost, and training curves. Their data are made here.

The charts are drawn by 16 KB of own scripts in `js/`, because a library such as Plotly would add megabytes to each page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.grouping.contenders import average
from harness.grouping.costs import CostColumn, shown_costs
from harness.report import board_text as text
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.page.templates import fill
from harness.report.page.view import Part, View

CostPoint = tuple[float, float]  # cost and score
Measured = tuple[int, float | None, Row | Entry]  # number of the row, score, what has the costs
HistoryPoint = list[float | None]  # step, mean training loss since the last validation, validation score
AXES = (("share", "share of the training"), ("step", "step"))


def cost_chart(view: View) -> Part | None:
    """Score against cost: all points of all charts; the script draws the chosen one."""
    board = view.board
    shown = view.rows_shown
    costs = shown_costs(shown)
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
    return Part(fill("cost.html", plots=plots, axes=axes), {"rows": names, "costs": axes, "plots": plots})


def _plot(
    title: str, axis: str, trivial: float | None, costs: Sequence[CostColumn], rows: Sequence[Measured]
) -> dict[str, Any]:
    """`points`: for each cost [row, cost, score, both as texts, whether it is on the front], the cheapest first."""
    return {"title": title, "axis": axis, "trivial": trivial, "points": [_points(cost, rows) for cost in costs]}


def _points(cost: CostColumn, rows: Sequence[Measured]) -> list[list[Any]]:
    known = [(value, score, number) for number, score, thing in rows if score is not None and (value := cost.number(thing))]
    known.sort(key=lambda point: (point[0], -point[1], point[2]))
    on_front = front([(value, score) for value, score, _ in known])
    return [
        [number, value, score, cost.text(value), text.score(score), int((value, score) in on_front)]
        for value, score, number in known
    ]


def front(points: Sequence[CostPoint]) -> set[CostPoint]:
    """The Pareto front: points for which no other one costs at most as much and scores at least as high."""
    best: set[CostPoint] = set()
    highest = float("-inf")
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if score > highest:
            best.add((cost, score))
            highest = score
    return best


def training(view: View) -> Part | None:
    """Training curves: the histories of all records that have one; the script draws the chosen task."""
    tasks = [task for column in view.board.columns if (task := _training(view, column))]
    if not tasks:
        return None
    return Part(fill("training.html", tasks=tasks, axes=AXES), tasks)


def _training(view: View, column: BoardColumn) -> dict[str, Any] | None:
    models = []
    for row in view.rows_of(column):
        seeds = [seed for record in view.records(row, column) if (seed := _seed(record, view.training(record)))]
        if seeds:
            models.append(
                {
                    "title": row.title,
                    "architecture": row.architecture,
                    "steps": max(seed["steps"] for seed in seeds),
                    "seeds": seeds,
                    "mean": mean_history([seed["history"] for seed in seeds]),
                }
            )
    return {"title": column.title, "metric": column.metric or "score", "models": models} if models else None


def _seed(record: Mapping[str, Any], training_part: Mapping[str, Any]) -> dict[str, Any] | None:
    """One training; None for a record without a history, such as that of a baseline."""
    history = [[line["step"], _round(line["loss"]), _round(line["score"])] for line in training_part.get("history") or ()]
    if not history:
        return None
    return {
        "seed": record["seed"],
        "steps": training_part.get("steps") or history[-1][0],
        "kept": training_part.get("best_step"),
        "score": _round(record["score"]),
        "history": history,
    }


def _round(value: float | None) -> float | None:
    """Four digits, as many as a chart can show: the page has very many of these numbers."""
    return None if value is None else float(f"{value:.4g}")


def mean_history(histories: Sequence[Sequence[HistoryPoint]]) -> list[HistoryPoint]:
    """The mean curve, with a point at each step that all histories have."""
    by_step = [{point[0]: point for point in history} for history in histories]
    steps = [step for step in by_step[0] if all(step in one for one in by_step)]
    return [[step, *(_round(average(one[step][place] for one in by_step)) for place in (1, 2))] for step in steps]
