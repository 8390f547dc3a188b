"""Who overtakes whom on a learning curve: found by `harness.stats.overtaking`, told in words here."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from harness.grouping.groups import Column, scores_by_row
from harness.grouping.row_names import row_title
from harness.stats.multiple_tests import ALPHA, holm
from harness.stats.statistics_cache import ColumnStatistics


@dataclass(frozen=True)
class Overtaking:
    """Two rows whose order at the smallest and the largest size that both have differs, and which can be told apart at some size.

    Attributes:
        early, late: the one that is ahead at the smallest size, and at the largest.
        differences: late minus early at each of the curve's sizes, over the seeds that both have; None where there are none.
        verdicts: at each size -1 (early is ahead), 1 (late is) or 0 (they cannot be told apart); None where nothing was tested.
        crossings: numbers of rows at which straight lines between the means, on the logarithmic scale, cross: estimates.
    """

    early: str
    late: str
    differences: tuple[float | None, ...]
    verdicts: tuple[int | None, ...]
    crossings: tuple[float, ...]

    @property
    def shown(self) -> bool:
        """Whether the one was really ahead and then the other was; else one of the two leads is chance as far as anybody knows."""
        known = [verdict for verdict in self.verdicts if verdict]
        return -1 in known and 1 in known[known.index(-1) :]


@dataclass(frozen=True)
class Overtakings:
    """What `harness.stats.overtaking` finds on a task.

    Attributes:
        overtakings: those that are shown first, then by title.
        unproven: pairs of which the means change their order, but which no size tells apart.
    """

    overtakings: tuple[Overtaking, ...] = ()
    unproven: int = 0


def size_key(train_rows: int | None) -> float:
    """To sort sizes by: all rows come last."""
    return train_rows or math.inf




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


def overtakings(sizes: Sequence[AtSize], baselines: Collection[str] = ()) -> Overtakings:
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
    return Overtakings(tuple(sorted(found, key=lambda one: (not one.shown, one.early, one.late))), unproven)


def overtakings_by_curve(columns: Mapping[str, Column], found: Mapping[str, ColumnStatistics]) -> dict[str, Overtakings]:
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
        curve: _with_titles(
            overtakings(*_sizes_and_baselines([(columns[title], found.get(title)) for _, title in sorted(sizes.items(), key=_item_size)]))
        )
        for curve, sizes in by_curve.items()
        if len(sizes) > 1
    }


def _item_size(item: tuple[int | None, str]) -> float:
    return size_key(item[0])


def _sizes_and_baselines(sizes: Sequence[tuple[Column, ColumnStatistics | None]]) -> tuple[list[AtSize], set[str]]:
    tested, baselines = [], set()
    for places, found in sizes:
        baselines |= {where.row_key for where in places if where.is_baseline}
        counts = ((r["task"].get("rows") or {}).get("train") for own in places.values() for r in own.values())
        p = {(one, other): p for one, other, p in found.p} if found else {}
        tested.append(AtSize(next(filter(None, counts), None), scores_by_row(places), p))
    return tested, baselines


def _with_titles(found: Overtakings) -> Overtakings:
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
