"""Sections with charts: score against cost, training curves and learning curves.

The first two are drawn by 16 KB of scripts in `js/`, because a library such as Plotly would add megabytes to each page.
Learning curves are drawn here as SVG. Unlike a picture made by matplotlib, they follow the dark mode of the page, and
their points can be read with the Tab key. In all charts, colours and marks show the architecture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from harness.grouping.contenders import average
from harness.grouping.costs import NONE, CostColumn, shown_costs
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import score
from harness.report.curves import Curve, CurveLine, curve_sentences, curves_introduction, point_text, size_headings
from harness.report.entries import Entry
from harness.report.page.view import Part, View, fill

CostPoint = tuple[float, float]  # cost and score
Measured = tuple[int, float | None, Row | Entry]  # number of the row, score, and the object with the costs
HistoryPoint = list[float | None]  # step, mean training loss since the last validation, validation score
AXES = (("share", "share of the training"), ("step", "step"))
UNFOLDED = 3  # learning curves that are unfolded at first, because each point of a chart is a stop of the Tab key
SHAPES = {
    "encoder": "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z",
    "decoder": "M-4.5-4.5H4.5V4.5H-4.5Z",
    "encoder-decoder": "M0-5.5L5.5 4.5H-5.5Z",
    "other": "M0-6L6 0L0 6L-6 0Z",
}
DASHES = 4  # kinds of lines in sections.css, for models of one architecture
WIDTH, LEFT, TOP, FOOT = 800, 52, 14, 46
INSIDE = 24  # pixels from the frame to the first and the last size
LETTER, GAP = 6.8, 15  # pixels of a letter, and between two names
MAX_NAME = 32  # letters of a name
APART = 4  # pixels between the points of neighbouring lines, so that their intervals can be seen


def cost_chart(view: View) -> Part | None:
    """Return the points of all charts of score against cost; the script draws the chosen chart."""
    board = view.board
    shown = view.rows_shown
    costs = shown_costs(shown)
    plots = []
    if len(board.columns) > 1:
        rows = [(number, row.average, row) for number, row in enumerate(shown)]
        plots.append(_plot("average of all tasks", "average score", board.trivial_average, costs, rows))
    for column in board.columns:
        entries = [
            (number, row.entries[column.title])
            for number, row in enumerate(shown)
            # The row `best baseline` has the entries of other rows.
            if column.title in row.entries and view.source_row(row, column) is row
        ]
        measured = [(number, entry.mean, entry) for number, entry in entries]
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
    return {"title": title, "axis": axis, "trivial": trivial, "points": [_cost_points(cost, rows) for cost in costs]}


def _cost_points(cost: CostColumn, rows: Sequence[Measured]) -> list[list[Any]]:
    """Return [row, cost, score, both as texts, whether it is on the Pareto front] for each row, the cheapest first."""
    points = [
        (value, mean, number)
        for number, mean, costed in rows
        if mean is not None and (value := cost.number(costed))
    ]
    points.sort(key=lambda point: (point[0], -point[1], point[2]))
    on_front = front([(value, mean) for value, mean, _ in points])
    return [
        [number, value, mean, cost.text(value), score(mean), int((value, mean) in on_front)]
        for value, mean, number in points
    ]


def front(points: Sequence[CostPoint]) -> set[CostPoint]:
    """Return the Pareto front: points such that no other point costs at most as much and scores at least as high."""
    best: set[CostPoint] = set()
    highest = -math.inf
    for cost, mean in sorted(points, key=lambda point: (point[0], -point[1])):
        if mean > highest:
            best.add((cost, mean))
            highest = mean
    return best


def training(view: View) -> Part | None:
    """Return the training histories of all records that have one; the script draws the chosen task."""
    tasks = [task for column in view.board.columns if (task := _training_curves(view, column))]
    return Part(fill("training.html", tasks=tasks, axes=AXES), tasks) if tasks else None


def _training_curves(view: View, column: BoardColumn) -> dict[str, Any] | None:
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


def _seed(record: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return one training; None for a record without a history, such as that of a baseline."""
    history = [[line["step"], _rounded(line["loss"]), _rounded(line["score"])] for line in training.get("history") or ()]
    if not history:
        return None
    return {
        "seed": record["seed"],
        "steps": training.get("steps") or history[-1][0],
        "kept": training.get("best_step"),
        "score": _rounded(record["score"]),
        "history": history,
    }


def _rounded(value: float | None) -> float | None:
    """Round to four digits: the page has very many of these numbers, and a chart can show no more."""
    return None if value is None else float(f"{value:.4g}")


def mean_history(histories: Sequence[Sequence[HistoryPoint]]) -> list[HistoryPoint]:
    """Return the mean curve, with a point at each step that all histories have."""
    by_step = [{point[0]: point for point in history} for history in histories]
    steps = [step for step in by_step[0] if all(step in points for points in by_step)]
    return [[step, *(_rounded(average(points[step][n] for points in by_step)) for n in (1, 2))] for step in steps]


def curves(view: View) -> Part | None:
    """Return a chart, a table and sentences for each task with several numbers of training rows."""
    shown = [
        {
            "task": curve.task,
            "metric": curve.metric or NONE,
            "chart": learning_curve(curve, number) if drawable(curve) else None,
            "lines": curve_sentences(curve),
            "headings": ("model", *size_headings(curve)),
            "rows": [(line.title, [point_text(point) for point in line.points]) for line in curve.lines],
            "trivial": [score(size.trivial) for size in curve.sizes],
        }
        for number, curve in enumerate(view.board.curves)
    ]
    introduction = curves_introduction(view.board.curves)
    return Part(fill("curves.html", introduction=introduction, curves=shown, unfolded=UNFOLDED)) if shown else None


def learning_curve(curve: Curve, number: int) -> Markup:
    """Draw score against training rows on a logarithmic axis with 95 % intervals, a line for each model.

    Args:
        curve: a curve that is `drawable`.
        number: distinguishes the charts of a page.
    """
    return _CurveChart(curve).svg(f"curve-{number}")


def drawable(curve: Curve) -> bool:
    """Whether any point can be drawn."""
    return any(True for line in curve.lines for _ in _drawable_points(curve, line))


def _drawable_points(curve: Curve, line: CurveLine) -> Iterator[tuple[int, float]]:
    """Return the points of a line that can be drawn: number of the size, and mean."""
    for number, (size, point) in enumerate(zip(curve.sizes, line.points, strict=True)):
        if size.rows and point and point.mean is not None:
            yield number, point.mean


class _CurveChart:
    """The layout of a learning curve.

    Attributes:
        lines: the lines with a point in the chart.
        height: height of the picture, in pixels.
        foot: y of the lower axis, in pixels.
        right: x of the right end of the axes, in pixels.
        low, high: ends of the axis of scores.
        styles: CSS classes of each line.
    """

    def __init__(self, curve: Curve):
        self.curve = curve
        self.lines = [line for line in curve.lines if any(_drawable_points(curve, line))]
        self.height = max(340, TOP + FOOT + GAP * (len(self.lines) + 1))
        self.foot = self.height - FOOT
        self.right = WIDTH - 28 - LETTER * max(min(MAX_NAME, len(line.title)) for line in self.lines)
        rows = [math.log10(size.rows) for size in curve.sizes if size.rows]
        self.first, self.span = min(rows), max(max(rows) - min(rows), 0.1)
        means = [mean for line in self.lines for _, mean in _drawable_points(curve, line)]
        margin = max(2.0, (max(means) - min(means)) / 10)
        self.low, self.high = min(means) - margin, max(means) + margin
        kinds = [_kind(line) for line in self.lines]
        self.styles = [f"{kind} dash-{kinds[:number].count(kind) % DASHES}" for number, kind in enumerate(kinds)]

    def x(self, rows: int) -> float:
        """Return the x of a number of training rows."""
        share = (math.log10(rows) - self.first) / self.span
        return LEFT + INSIDE + share * (self.right - LEFT - 2 * INSIDE)

    def y(self, score: float) -> float:
        """Return the y of a score; scores beyond the chart are at its edge."""
        share = (min(self.high, max(self.low, score)) - self.low) / (self.high - self.low)
        return self.foot - share * (self.foot - TOP)

    def points(self, number: int) -> list[tuple[int, float, float]]:
        """Return the points of a line: number of the size, x, y."""
        shift = (number - (len(self.lines) - 1) / 2) * min(APART, 1.6 * INSIDE / len(self.lines))
        sizes, points = self.curve.sizes, _drawable_points(self.curve, self.lines[number])
        return [(size, self.x(sizes[size].rows) + shift, self.y(mean)) for size, mean in points]

    def svg(self, name: str) -> Markup:
        """Return the SVG element; the ids in it begin with `name`."""
        numbers = range(len(self.lines))
        return fill(
            "learning_curve.svg", chart=self, name=name, task=self.curve.task, metric=self.curve.metric or "score",
            width=WIDTH, left=_n(LEFT), right=_n(self.right), top=_n(TOP), foot=_n(self.foot), label_x=LEFT - 6,
            centre=_n((LEFT + self.right) / 2), readout_y=_n(TOP + 12),
            turned=f"translate(12 {_n((TOP + self.foot) / 2)}) rotate(-90)",
            size_ticks=self._size_ticks(), score_ticks=self._score_ticks(), trivial=self._trivial(),
            lines=[self._line(number) for number in numbers], names=self._names(),
            points=[mark for number in numbers for mark in self._marks(number)],
        )  # fmt: skip

    def _size_ticks(self) -> list[tuple[str, str | None]]:
        """Return x and label of each size; if two labels do not fit side by side, the smaller size has none."""
        ticks, end = [], math.inf
        for x, label in reversed([(self.x(size.rows), size.label) for size in self.curve.sizes if size.rows]):
            half = len(label) * LETTER / 2
            fits = x + half + 6 < end
            end = x - half if fits else end
            ticks.append((_n(x), label if fits else None))
        return ticks

    def _score_ticks(self) -> list[tuple[str, str, int]]:
        """Return y of the line, y of its label, and the score."""
        step = next(step for step in (1, 2, 5, 10, 20, 50) if (self.high - self.low) / step <= 8)
        scores = range(math.ceil(self.low / step) * step, math.floor(self.high) + 1, step)
        return [(_n(self.y(score)), _n(self.y(score) + 4), score) for score in scores]

    def _trivial(self) -> dict[str, str] | None:
        """Return the line of the trivial answer, if all its scores are in the picture, with its name below."""
        scores = [(size.rows, size.trivial) for size in self.curve.sizes if size.rows and size.trivial is not None]
        if not scores or not all(self.low <= score <= self.high for _, score in scores):
            return None
        points = [(self.x(rows), self.y(score)) for rows, score in scores]
        x, y = (sum(pair) / len(pair) for pair in zip(*points[:2], strict=True))
        return {"path": _path(points), "x": _n(x), "y": _n(y + 14)}

    def _line(self, number: int) -> dict[str, Any]:
        """Return a line and the intervals of its points, with caps on the ends inside the picture."""
        line, points = self.lines[number], self.points(number)
        bars = []
        for size, x, _ in points:
            point = line.points[size]
            if point.low is None:
                continue
            inside = [end for end in (point.low, point.high) if self.low <= end <= self.high]
            caps = "".join(f"M{_n(x - 3)} {_n(self.y(end))}h6" for end in inside)
            bars.append(f"M{_n(x)} {_n(self.y(point.low))}V{_n(self.y(point.high))}{caps}")
        return {"style": self.styles[number], "bars": bars, "path": _path([(x, y) for _, x, y in points])}

    def _names(self) -> Iterator[dict[str, str]]:
        """Return the names at the ends of the lines, moved apart where they would overlap."""
        ends = sorted((self.points(number)[-1][2], number) for number in range(len(self.lines)))
        free = -math.inf
        for place, (y, number) in enumerate(ends):
            # Leave room for the names below.
            free = max(free + GAP, min(max(y, TOP + 4), self.foot - GAP * (len(ends) - 1 - place)))
            x, title = self.points(number)[-1][1], self.lines[number].title
            yield {
                "style": self.styles[number],
                "lead": f"M{_n(x + 7)} {_n(y)}L{_n(self.right + 2)} {_n(free)}",
                "x": _n(self.right + 6),
                "y": _n(free + 4),
                "text": title if len(title) <= MAX_NAME else title[: MAX_NAME - 1] + "…",
            }

    def _marks(self, number: int) -> Iterator[dict[str, str]]:
        line = self.lines[number]
        for size, x, y in self.points(number):
            text = f"{point_text(line.points[size])} {self.curve.metric or NONE}"
            yield {
                "kind": _kind(line),
                "shape": SHAPES[_kind(line)],
                "place": f"translate({_n(x)} {_n(y)})",
                "text": f"{line.title}: {text} at {self.curve.sizes[size].label} rows",
            }


def _kind(line: CurveLine) -> str:
    return line.architecture if line.architecture in SHAPES else "other"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(number: float) -> str:
    return f"{number:.1f}"
