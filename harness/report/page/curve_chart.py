"""The picture of a learning curve as SVG, which needs no script.

It is drawn here and not by matplotlib because its marks can be read with the Tab key and its colours follow the page's dark mode.
Colours and marks are by architecture, as in the other charts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from harness.report.board_text import NONE
from harness.report.curve_text import point_text
from harness.report.curves import Curve, CurveLine
from harness.report.page.templates import fill

SHAPES = {
    "encoder": "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z",
    "decoder": "M-4.5-4.5H4.5V4.5H-4.5Z",
    "encoder-decoder": "M0-5.5L5.5 4.5H-5.5Z",
    "other": "M0-6L6 0L0 6L-6 0Z",
}
DASHES = 4  # kinds of lines in sections.css, for models of one architecture
WIDTH, LEFT, TOP, FOOT = 800, 52, 14, 46
INSIDE = 24  # from the frame to the first and the last size
LETTER, GAP = 6.8, 15  # pixels of a letter, and between two names
NAMES = 32  # letters of the longest name that is written out
APART = 4  # pixels between the points of neighbouring lines, so that their intervals can be seen


def chart(curve: Curve, number: int) -> Markup:
    """Score against training rows on a logarithmic axis with 95 % intervals, a line for each model.

    Args:
        curve: with a point that has a place, see `drawable`.
        number: tells the charts of a page apart.
    """
    return _CurveChart(curve).picture(f"curve-{number}")


def drawable(curve: Curve) -> bool:
    """Whether any point has a place in the chart."""
    return any(True for line in curve.lines for _ in _placed(curve, line))


def _placed(curve: Curve, line: CurveLine) -> Iterator[tuple[int, float]]:
    """The points of a line that have a place: number of the size, and mean."""
    for number, (size, point) in enumerate(zip(curve.sizes, line.points, strict=True)):
        if size.rows and point and point.mean is not None:
            yield number, point.mean


class _CurveChart:
    """The layout of a chart.

    Attributes:
        lines: those with a point in the chart.
        height, foot, right: of the picture, of the lower axis, and of the right end of the axes, in pixels.
        low, high: ends of the axis of scores.
        styles: CSS classes of each line.
    """

    def __init__(self, curve: Curve):
        self.curve = curve
        self.lines = [line for line in curve.lines if any(_placed(curve, line))]
        self.height = max(340, TOP + FOOT + GAP * (len(self.lines) + 1))
        self.foot = self.height - FOOT
        self.right = WIDTH - 28 - LETTER * max(min(NAMES, len(line.title)) for line in self.lines)
        rows = [math.log10(size.rows) for size in curve.sizes if size.rows]
        self.first, self.span = min(rows), max(max(rows) - min(rows), 0.1)
        means = [mean for line in self.lines for _, mean in _placed(curve, line)]
        room = max(2.0, (max(means) - min(means)) / 10)
        self.low, self.high = min(means) - room, max(means) + room
        kinds = [_kind(line) for line in self.lines]
        self.styles = [f"{kind} dash-{kinds[:place].count(kind) % DASHES}" for place, kind in enumerate(kinds)]

    def x(self, rows: int) -> float:
        """The place of a number of training rows."""
        share = (math.log10(rows) - self.first) / self.span
        return LEFT + INSIDE + share * (self.right - LEFT - 2 * INSIDE)

    def y(self, score: float) -> float:
        """The place of a score; what lies beyond the chart is at its edge."""
        share = (min(self.high, max(self.low, score)) - self.low) / (self.high - self.low)
        return self.foot - share * (self.foot - TOP)

    def places(self, number: int) -> list[tuple[int, float, float]]:
        """The points of a line: number of the size, x, y."""
        beside = (number - (len(self.lines) - 1) / 2) * min(APART, 1.6 * INSIDE / len(self.lines))
        sizes = self.curve.sizes
        return [(n, self.x(sizes[n].rows) + beside, self.y(mean)) for n, mean in _placed(self.curve, self.lines[number])]

    def picture(self, name: str) -> Markup:
        """The SVG element; `name` begins the ids in it."""
        numbers = range(len(self.lines))
        return fill(
            "learning_curve.svg", chart=self, name=name, task=self.curve.task, metric=self.curve.metric or "score",
            width=WIDTH, left=_n(LEFT), right=_n(self.right), top=_n(TOP), foot=_n(self.foot), label_x=LEFT - 6,
            centre=_n((LEFT + self.right) / 2), readout_y=_n(TOP + 12),
            turned=f"translate(12 {_n((TOP + self.foot) / 2)}) rotate(-90)",
            size_ticks=self._size_ticks(), score_ticks=self._score_ticks(), trivial=self._trivial(),
            lines=[self._line(number) for number in numbers], names=self._names(),
            points=[point for number in numbers for point in self._points(number)],
        )  # fmt: skip

    def _size_ticks(self) -> list[tuple[str, str | None]]:
        """x and label of each size; where two labels have no room side by side, the smaller size has none."""
        ticks, after = [], math.inf
        for at, label in reversed([(self.x(size.rows), size.label) for size in self.curve.sizes if size.rows]):
            half = len(label) * LETTER / 2
            shown = at + half + 6 < after
            after = at - half if shown else after
            ticks.append((_n(at), label if shown else None))
        return ticks

    def _score_ticks(self) -> list[tuple[str, str, int]]:
        """y of the line, y of its label, and the score."""
        step = next(step for step in (1, 2, 5, 10, 20, 50) if (self.high - self.low) / step <= 8)
        scores = range(math.ceil(self.low / step) * step, math.floor(self.high) + 1, step)
        return [(_n(self.y(score)), _n(self.y(score) + 4), score) for score in scores]

    def _trivial(self) -> dict[str, str] | None:
        """The line of the trivial answer's scores, where all are in the picture; its name is below the middle of the first piece."""
        scores = [(size.rows, size.trivial) for size in self.curve.sizes if size.rows and size.trivial is not None]
        if not scores or not all(self.low <= score <= self.high for _, score in scores):
            return None
        path = "L".join(f"{_n(self.x(rows))} {_n(self.y(score))}" for rows, score in scores)
        first = [(self.x(rows), self.y(score)) for rows, score in scores[:2]]
        x, y = (sum(pair) / len(pair) for pair in zip(*first, strict=True))
        return {"path": f"M{path}", "x": _n(x), "y": _n(y + 14)}

    def _line(self, number: int) -> dict[str, Any]:
        """The line and the intervals of its points, with an end where they end within the picture."""
        line, places = self.lines[number], self.places(number)
        bars = []
        for size, x, _ in places:
            point = line.points[size]
            if point.low is None:
                continue
            inside = [end for end in (point.low, point.high) if self.low <= end <= self.high]
            ends = "".join(f"M{_n(x - 3)} {_n(self.y(end))}h6" for end in inside)
            bars.append(f"M{_n(x)} {_n(self.y(point.low))}V{_n(self.y(point.high))}{ends}")
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for _, x, y in places)
        return {"style": self.styles[number], "bars": bars, "path": path}

    def _names(self) -> Iterator[dict[str, str]]:
        """At the ends of the lines, moved apart where they would touch."""
        ends = sorted((self.places(number)[-1][2], number) for number in range(len(self.lines)))
        free = -math.inf
        for place, (y, number) in enumerate(ends):
            # Those below need room too.
            free = max(free + GAP, min(max(y, TOP + 4), self.foot - GAP * (len(ends) - 1 - place)))
            x, title = self.places(number)[-1][1], self.lines[number].title
            yield {
                "style": self.styles[number],
                "lead": f"M{_n(x + 7)} {_n(y)}L{_n(self.right + 2)} {_n(free)}",
                "x": _n(self.right + 6),
                "y": _n(free + 4),
                "text": title if len(title) <= NAMES else title[: NAMES - 1] + "…",
            }

    def _points(self, number: int) -> Iterator[dict[str, str]]:
        line = self.lines[number]
        for size, x, y in self.places(number):
            score = f"{point_text(line.points[size])} {self.curve.metric or NONE}"
            yield {
                "kind": _kind(line),
                "shape": SHAPES[_kind(line)],
                "place": f"translate({_n(x)} {_n(y)})",
                "text": f"{line.title}: {score} at {self.curve.sizes[size].label} rows",
            }


def _kind(line: CurveLine) -> str:
    return line.architecture if line.architecture in SHAPES else "other"


def _n(number: float) -> str:
    return f"{number:.1f}"
