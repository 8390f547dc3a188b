"""Which rows overtake which on a learning curve, and whether the predictions prove it at each size."""

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
        early, late: the row that is ahead at the smallest size, and the one that is ahead at the largest.
        differences: late minus early at each size, over the seeds that both have; None where there are none.
        verdicts: at each size -1 (early is ahead), 1 (late is) or 0 (they cannot be told apart); None where nothing was tested.
        crossings: estimated numbers of rows at which the two cross, by straight lines between the means on the logarithmic scale.
    """

    early: str
    late: str
    differences: tuple[float | None, ...]
    verdicts: tuple[int | None, ...]
    crossings: tuple[float, ...]

    @property
    def shown(self) -> bool:
        """Whether both leads are proven, that of the early row before that of the late one."""
        known = [verdict for verdict in self.verdicts if verdict]
        return -1 in known and 1 in known[known.index(-1) :]


@dataclass(frozen=True)
class Overtakings:
    """The overtakings on one learning curve.

    Attributes:
        overtakings: pairs that some size tells apart; those that are shown first, then by title.
        unproven: number of pairs whose means change their order, but which no size tells apart.
    """

    overtakings: tuple[Overtaking, ...] = ()
    unproven: int = 0


def size_key(train_rows: int | None) -> float:
    """Sort key of sizes; all rows come last."""
    return train_rows or math.inf


@dataclass(frozen=True)
class AtSize:
    """One size of a learning curve.

    Attributes:
        rows: number of training rows; None where unknown.
        scores: key of a row → seed → score (0-100).
        p: (row, row) in alphabetical order → p value of their difference, not adjusted. Pairs without a test are missing.
    """

    rows: int | None
    scores: Mapping[str, Mapping[int, float]]
    p: Mapping[tuple[str, str], float]


def overtakings(sizes: Sequence[AtSize], baselines: Collection[str] = ()) -> Overtakings:
    """All pairs of rows whose order at the smallest and the largest size that both have differs.

    A difference is real at a size by the paired test (`harness.stats.paired`) at the level 0.05 over all pairs and sizes of the
    task (Holm 1979). All pairs count, because all are searched.

    Args:
        sizes: from the smallest to the largest.
        baselines: keys of baselines; pairs of two baselines are left out.
    """
    tests = [(number, pair) for number, size in enumerate(sizes) for pair in size.p]
    adjusted = holm([sizes[number].p[pair] for number, pair in tests])
    real = {one for one, p in zip(tests, adjusted, strict=True) if p < ALPHA}
    names = sorted({name for size in sizes for name in size.scores})
    proven, unproven = [], 0
    for pair in combinations(names, 2):
        differences = [_difference(size.scores, *pair) for size in sizes]
        known = [number for number in differences if number is not None]
        if all(name in baselines for name in pair) or len(known) < 2 or known[0] * known[-1] >= 0:
            continue
        way = 1 if known[-1] > 0 else -1  # the late one is ahead at the end
        early, late = pair if way == 1 else pair[::-1]
        ours = [None if number is None else way * number for number in differences]
        verdicts = [
            None if number is None or pair not in size.p else int(math.copysign(1, number)) * ((place, pair) in real)
            for place, (number, size) in enumerate(zip(ours, sizes, strict=True))
        ]
        if any(verdicts):
            crossings = crossing([size.rows for size in sizes], ours)
            proven.append(Overtaking(early, late, tuple(ours), tuple(verdicts), tuple(crossings)))
        else:
            unproven += 1
    return Overtakings(tuple(sorted(proven, key=lambda one: (not one.shown, one.early, one.late))), unproven)


def overtakings_by_curve(columns: Mapping[str, Column], statistics: Mapping[str, ColumnStatistics]) -> dict[str, Overtakings]:
    """Title of each learning curve → who overtakes whom on it.

    Args:
        columns: title of each size → place → seed → record, of those that have a score.
        statistics: title of a size → its statistics; sizes whose predictions cannot be used are missing.
    """
    by_curve: dict[str, dict[int | None, str]] = {}
    for title, places in columns.items():
        for where in places:
            by_curve.setdefault(where.curve, {})[where.train_rows] = title
    by_title = {}
    for curve, titles in by_curve.items():
        if len(titles) > 1:
            sizes = [titles[train_rows] for train_rows in sorted(titles, key=size_key)]
            known = [(columns[title], statistics.get(title)) for title in sizes]
            by_title[curve] = _with_titles(overtakings(*_sizes_and_baselines(known)))
    return by_title


def _sizes_and_baselines(sizes: Sequence[tuple[Column, ColumnStatistics | None]]) -> tuple[list[AtSize], set[str]]:
    tested, baselines = [], set()
    for places, column in sizes:
        baselines |= {where.row_key for where in places if where.is_baseline}
        counts = ((r["task"].get("rows") or {}).get("train") for own in places.values() for r in own.values())
        p = {(one, other): p for one, other, p in column.p} if column else {}
        tested.append(AtSize(next(filter(None, counts), None), scores_by_row(places), p))
    return tested, baselines


def _with_titles(overtakings: Overtakings) -> Overtakings:
    """With titles of rows instead of their keys."""
    named = [replace(one, early=_title(one.early), late=_title(one.late)) for one in overtakings.overtakings]
    return replace(overtakings, overtakings=tuple(named))


def _title(name: str) -> str:
    return row_title(*name.split("\n"))


def crossing(rows: Sequence[int | None], differences: Sequence[float | None]) -> list[float]:
    """The numbers of rows at which a difference changes its sign, linear between its points on the logarithmic scale of rows."""
    points = [(math.log(x), y) for x, y in zip(rows, differences, strict=True) if x and y is not None]
    crossings, before = [], None
    for place, (x, y) in enumerate(points):
        if y == 0:
            continue
        if before is not None and before[1] * y < 0:
            from_x, from_y = points[place - 1]  # a zero between two signs is the crossing
            crossings.append(math.exp(from_x + (x - from_x) * from_y / (from_y - y)))
        before = (x, y)
    return crossings


def _difference(scores: Mapping[str, Mapping[int, float]], one: str, other: str) -> float | None:
    """Mean of other minus one over the seeds that both have; None without such seeds."""
    ours, theirs = scores.get(one, {}), scores.get(other, {})
    seeds = sorted(ours.keys() & theirs.keys())
    return fmean(theirs[seed] - ours[seed] for seed in seeds) if seeds else None
