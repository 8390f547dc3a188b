"""The picture of a learning curve: an SVG that needs no script. Colours and marks are by architecture, as in the other chart."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.grouping.costs import NONE
from harness.report.curve_text import point_text
from harness.report.curves import Curve, CurveLine
from harness.report.page.markup import Html, tag

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


def chart(curve: Curve, number: int) -> Html:
    """Score against training rows on a logarithmic axis, a line a model, with 95 % intervals; `number` tells charts apart."""
    return _Chart(curve).picture(f"curve-{number}")


def drawable(curve: Curve) -> bool:
    """Whether any point has a place."""
    return any(True for line in curve.lines for _ in _known(curve, line))


def _known(curve: Curve, line: CurveLine) -> Iterator[tuple[int, float]]:
    """The points of a line that have a place: number of the size, mean."""
    for number, (size, point) in enumerate(zip(curve.sizes, line.points, strict=True)):
        if size.rows and point and point.mean is not None:
            yield number, point.mean


class _Chart:
    """Where everything is."""

    def __init__(self, curve: Curve):
        self.curve = curve
        self.lines = [line for line in curve.lines if any(_known(curve, line))]
        self.height = max(340, TOP + FOOT + GAP * (len(self.lines) + 1))
        self.foot = self.height - FOOT
        self.right = WIDTH - 28 - LETTER * max(min(NAMES, len(line.title)) for line in self.lines)
        rows = [math.log10(size.rows) for size in curve.sizes if size.rows]
        self.first, self.span = min(rows), max(max(rows) - min(rows), 0.1)
        means = [mean for line in self.lines for _, mean in _known(curve, line)]
        room = max(2.0, (max(means) - min(means)) / 10)
        self.low, self.high = min(means) - room, max(means) + room
        kinds = [_kind(line) for line in self.lines]
        self.styles = [f"{kind} dash-{kinds[:place].count(kind) % DASHES}" for place, kind in enumerate(kinds)]

    def x(self, rows: int) -> float:
        share = (math.log10(rows) - self.first) / self.span
        return LEFT + INSIDE + share * (self.right - LEFT - 2 * INSIDE)

    def y(self, score: float) -> float:
        """What lies beyond the chart is at its edge."""
        share = (min(self.high, max(self.low, score)) - self.low) / (self.high - self.low)
        return self.foot - share * (self.foot - TOP)

    def places(self, number: int) -> list[tuple[int, float, float]]:
        """Of a line's points: number of the size, x, y."""
        beside = (number - (len(self.lines) - 1) / 2) * min(APART, 1.6 * INSIDE / len(self.lines))
        sizes = self.curve.sizes
        return [(n, self.x(sizes[n].rows) + beside, self.y(mean)) for n, mean in _known(self.curve, self.lines[number])]

    def picture(self, name: str) -> Html:
        metric = self.curve.metric or "score"
        told = f"{metric} against training rows, a line for each model. The table below has the same numbers."
        return tag(
            "svg",
            tag("title", f"Learning curves of {self.curve.task}", id=f"{name}-title"),
            tag("desc", told, id=f"{name}-desc"),
            self._sizes(), self._scores(metric), self._trivial(),
            [self._line(number) for number in range(len(self.lines))],
            self._names(),
            [self._points(number) for number in range(len(self.lines))],
            viewBox=f"0 0 {WIDTH} {self.height}", role="group", aria_labelledby=f"{name}-title", aria_describedby=f"{name}-desc",
        )  # fmt: skip

    def _sizes(self) -> Iterator[Html]:
        """Marks at the sizes; where two have no room side by side, the smaller one goes without its number."""
        marks = [(self.x(size.rows), size.label) for size in self.curve.sizes if size.rows]
        after = math.inf
        for at, label in reversed(marks):
            half = len(label) * LETTER / 2
            shown = at + half + 6 < after
            after = at - half if shown else after
            text = tag("text", label, x=_n(at), y=self.foot + 18, text_anchor="middle") if shown else None
            yield tag("g", _rule(at, at, TOP, self.foot), text, class_="tick")
        middle = _n((LEFT + self.right) / 2)
        yield tag("text", "training rows (logarithmic)", x=middle, y=self.height - 8, text_anchor="middle")

    def _scores(self, metric: str) -> Iterator[Html]:
        step = next(step for step in (1, 2, 5, 10, 20, 50) if (self.high - self.low) / step <= 8)
        for value in range(math.ceil(self.low / step) * step, math.floor(self.high) + 1, step):
            at = self.y(value)
            text = tag("text", value, x=LEFT - 6, y=_n(at + 4), text_anchor="end")
            yield tag("g", _rule(LEFT, self.right, at, at), text, class_="tick")
        turned = f"translate(12 {_n((TOP + self.foot) / 2)}) rotate(-90)"
        yield tag("text", metric, x=0, y=0, transform=turned, text_anchor="middle")

    def _trivial(self) -> Html | None:
        """The trivial answer's scores, where they are all in the picture."""
        known = [(size.rows, size.trivial) for size in self.curve.sizes if size.rows and size.trivial is not None]
        if not known or not all(self.low <= score <= self.high for _, score in known):
            return None
        path = "L".join(f"{_n(self.x(rows))} {_n(self.y(score))}" for rows, score in known)
        # Its name stands below the middle of its first piece, where no marks are.
        at, up = ((sum(pair) / len(pair)) for pair in zip(*((self.x(r), self.y(s)) for r, s in known[:2]), strict=True))
        name = tag("text", "trivial answer", x=_n(at), y=_n(up + 14), text_anchor="middle")
        return tag("g", tag("path", d=f"M{path}", class_="trivial"), name)

    def _line(self, number: int) -> Html:
        """The line and the intervals of its points, with an end where they end within the picture."""
        line, places = self.lines[number], self.places(number)
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for _, x, y in places)
        bars = []
        for size, x, _ in places:
            point = line.points[size]
            if point.low is not None:
                ends = [
                    f"M{_n(x - 3)} {_n(self.y(end))}h6"
                    for end in (point.low, point.high)
                    if self.low <= end <= self.high
                ]
                bars.append(
                    tag(
                        "path",
                        d=f"M{_n(x)} {_n(self.y(point.low))}V{_n(self.y(point.high))}{''.join(ends)}",
                        class_="bar",
                    )
                )
        return tag(
            "g", bars, tag("path", d=path, class_="line"), class_=f"curve {self.styles[number]}", aria_hidden="true"
        )

    def _names(self) -> Iterator[Html]:
        """At the ends of the lines, moved apart where they would touch."""
        ends = sorted((self.places(number)[-1][2], number) for number in range(len(self.lines)))
        spots, free = [], -math.inf
        for place, (y, number) in enumerate(ends):
            # Those below need room too.
            free = max(free + GAP, min(max(y, TOP + 4), self.foot - GAP * (len(ends) - 1 - place)))
            spots.append((free, y, number))
        for spot, y, number in spots:
            x, title = self.places(number)[-1][1], self.lines[number].title
            short = title if len(title) <= NAMES else title[: NAMES - 1] + "…"
            lead = tag("path", d=f"M{_n(x + 7)} {_n(y)}L{_n(self.right + 2)} {_n(spot)}", class_="lead-line")
            text = tag("text", short, x=_n(self.right + 6), y=_n(spot + 4))
            yield tag("g", lead, text, class_=f"name {self.styles[number]}", aria_hidden="true")

    def _points(self, number: int) -> Iterator[Html]:
        line = self.lines[number]
        for size, x, y in self.places(number):
            told = f"{line.title}: {point_text(line.points[size])} {self.curve.metric or NONE} at {self.curve.sizes[size].label} rows"
            mark = tag("path", d=SHAPES[_kind(line)], transform=f"translate({_n(x)} {_n(y)})")
            read = tag("text", told, x=_n((LEFT + self.right) / 2), y=_n(TOP + 12), text_anchor="middle", class_="told")
            yield tag(
                "g",
                mark,
                tag("title", told),
                read,
                class_=f"point {_kind(line)}",
                tabindex=0,
                role="img",
                aria_label=told,
            )


def _kind(line: CurveLine) -> str:
    return line.architecture if line.architecture in SHAPES else "other"


def _rule(x1: float, x2: float, y1: float, y2: float) -> Html:
    return tag("line", x1=_n(x1), x2=_n(x2), y1=_n(y1), y2=_n(y2))


def _n(number: float) -> str:
    return f"{number:.1f}"
