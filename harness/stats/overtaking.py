"""Who overtakes whom when there are more training rows, and whether the predictions say so at each size."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from harness.report.columns import row_title
from harness.report.crossed import Crossed, Overtaking
from harness.report.curves import by_size
from harness.stats.holm import holm
from harness.stats.kept import Found
from harness.stats.scores import Column, key, scores

ALPHA = 0.05


@dataclass(frozen=True)
class AtSize:
    """One size of a learning curve.

    Attributes:
        rows: that were trained on; None where nobody knows.
        scores: row of the board → seed → score (0-100).
        p: (row, row), in the order of the alphabet → p value of their difference, not adjusted; pairs that were not tested are
            missing.
    """

    rows: int | None
    scores: Mapping[str, Mapping[int, float]]
    p: Mapping[tuple[str, str], float]


def overtakings(sizes: Sequence[AtSize], baselines: Collection[str] = ()) -> Crossed:
    """All pairs of rows whose order at the smallest and the largest size that both have differs.

    Where the difference is real is said by the paired test at each size (`harness.stats.paired`), at the level 0.05 over all
    pairs and sizes of the task (Holm 1979): the pairs are looked for among all, so all count.

    Args:
        sizes: from the smallest to the largest.
        baselines: the rows that are of baselines; two of these are no pair to tell of.
    """
    every = [(number, pair) for number, size in enumerate(sizes) for pair in size.p]
    adjusted = holm([sizes[number].p[pair] for number, pair in every])
    real = {one for one, p in zip(every, adjusted, strict=True) if p < ALPHA}
    names = sorted({name for size in sizes for name in size.scores})
    found, unproven = [], 0
    for pair in combinations(names, 2):
        differences = [_difference(size.scores, *pair) for size in sizes]
        known = [number for number in differences if number is not None]
        if all(name in baselines for name in pair) or len(known) < 2 or known[0] * known[-1] >= 0:
            continue
        way = 1 if known[-1] > 0 else -1  # so that the late one is ahead at the end
        early, late = pair if way == 1 else pair[::-1]
        ours = [None if number is None else way * number for number in differences]
        verdicts = [
            None if number is None or pair not in size.p else int(math.copysign(1, number)) * ((place, pair) in real)
            for place, (number, size) in enumerate(zip(ours, sizes, strict=True))
        ]
        if any(verdicts):
            crossings = crossing([size.rows for size in sizes], ours)
            found.append(Overtaking(early, late, tuple(ours), tuple(verdicts), tuple(crossings)))
        else:
            unproven += 1
    return Crossed(tuple(sorted(found, key=lambda one: (not one.shown, one.early, one.late))), unproven)


def crossed(columns: Mapping[str, Column], found: Mapping[str, Found]) -> dict[str, Crossed]:
    """Title of a learning curve → who overtakes whom on it.

    Args:
        columns: title of each size → place → seed → record, of those that have a score.
        found: what is known of the predictions of a size, see `harness.stats.standings`.
    """
    by_curve: dict[str, dict[int | None, str]] = {}
    for title, places in columns.items():
        for where in places:
            by_curve.setdefault(where.curve, {})[where.train_rows] = title
    return {
        curve: _named(
            overtakings(*_tested([(columns[title], found.get(title)) for _, title in sorted(sizes.items(), key=_size)]))
        )
        for curve, sizes in by_curve.items()
        if len(sizes) > 1
    }


def _size(item: tuple[int | None, str]) -> float:
    return by_size(item[0])


def _tested(sizes: Sequence[tuple[Column, Found | None]]) -> tuple[list[AtSize], set[str]]:
    tested, baselines = [], set()
    for places, found in sizes:
        baselines |= {key(where) for where in places if where.is_baseline}
        counts = ((r["task"].get("rows") or {}).get("train") for own in places.values() for r in own.values())
        p = {(one, other): p for one, other, p in found.p} if found else {}
        tested.append(AtSize(next(filter(None, counts), None), scores(places), p))
    return tested, baselines


def _named(found: Crossed) -> Crossed:
    """With the titles of the board's rows."""
    named = [replace(one, early=_title(one.early), late=_title(one.late)) for one in found.overtakings]
    return replace(found, overtakings=tuple(named))


def _title(name: str) -> str:
    return row_title(*name.split("\n"))


def crossing(rows: Sequence[int | None], differences: Sequence[float | None]) -> list[float]:
    """The numbers of rows at which a difference, straight between its points on the logarithmic scale of rows, changes its sign."""
    points = [(math.log(x), y) for x, y in zip(rows, differences, strict=True) if x and y is not None]
    found, before = [], None
    for place, (x, y) in enumerate(points):
        if y == 0:
            continue
        if before is not None and before[1] * y < 0:
            from_x, from_y = points[place - 1]  # a zero between two signs is where they cross
            found.append(math.exp(from_x + (x - from_x) * from_y / (from_y - y)))
        before = (x, y)
    return found


def _difference(scores: Mapping[str, Mapping[int, float]], one: str, other: str) -> float | None:
    """The other minus the one, over the seeds that both have."""
    ours, theirs = scores.get(one, {}), scores.get(other, {})
    seeds = sorted(ours.keys() & theirs.keys())
    return fmean(theirs[seed] - ours[seed] for seed in seeds) if seeds else None
