"""A cell's seeds as dots on a line, so that a seed that collapsed is seen beside those that learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.report import board_text as text
from harness.report.entries import Entry
from harness.report.page.markup import Html, tag

WIDTH, HEIGHT, EDGE, DOT = 108, 18, 4, 3  # pixels; `DOT` is a radius
MIDDLE = HEIGHT // 2
LEVELS = (MIDDLE, MIDDLE - 4, MIDDLE + 4)  # of dots that would cover each other


class Strips:
    """The strips of one column: all of them have its scale.

    Args:
        entries: of the column.
        trivial: the trivial answer's score.
    """

    def __init__(self, entries: Iterable[Entry], trivial: float | None):
        values = [] if trivial is None else [trivial]
        for entry in entries:
            values += entry.scores.values()
            values += [entry.standing.low, entry.standing.high] if entry.standing and entry.scores else []
        self.trivial = trivial
        self.low, self.high = min(values, default=0.0), max(values, default=0.0)

    def strip(self, entry: Entry) -> Html | None:
        """Dots for the seeds, a bar for the interval, a line for the mean, a dashed one for the trivial answer.

        The dot of a seed whose training failed is hollow.
        """
        if not entry.scores or entry.mean is None:
            return None
        parts = []
        if self.trivial is not None:
            parts.append(tag("path", d=f"M{self._x(self.trivial)} 0V{HEIGHT}", class_="trivial"))
        if entry.standing:
            low, high = self._x(entry.standing.low), self._x(entry.standing.high)
            parts.append(tag("path", d=f"M{low} {MIDDLE}H{high}", class_="range"))
        parts.append(tag("path", d=f"M{self._x(entry.mean)} 1V{HEIGHT - 1}", class_="middle"))
        failed = {seed for one in entry.trouble if one.trouble.failed for seed in one.seeds}
        seeds = sorted(entry.scores, key=lambda seed: entry.scores[seed])
        places = _apart([self._x(entry.scores[seed]) for seed in seeds])
        dots = [
            tag("circle", cx=x, cy=y, r=DOT, class_="failed" if seed in failed else None)
            for seed, (x, y) in zip(seeds, places, strict=True)
        ]
        said = ", ".join(
            f"seed {seed}: {text.score(score)}" + (" (its training failed)" if seed in failed else "")
            for seed, score in sorted(entry.scores.items())
        )
        return tag(
            "svg", tag("title", said), parts, dots,
            viewBox=f"0 0 {WIDTH} {HEIGHT}", width=WIDTH, height=HEIGHT, class_="strip", aria_hidden="true",
        )  # fmt: skip

    def _x(self, score: float) -> float:
        share = (score - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)


def _apart(places: Sequence[float]) -> list[tuple[float, int]]:
    """x and y of dots, given their x in order: those that would cover the one before stand above or below it."""
    level, found = 0, []
    for number, x in enumerate(places):
        level = (level + 1) % len(LEVELS) if number and x - places[number - 1] < 2 * DOT else 0
        found.append((x, LEVELS[level]))
    return found
