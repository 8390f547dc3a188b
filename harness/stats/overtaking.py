"""Learning curves that cross: which rows overtake which, and at which sizes the difference is significant."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from harness.grouping.groups import ColumnRecords, scores_by_row
from harness.grouping.row_names import row_title
from harness.stats.multiple_tests import ALPHA, holm
from harness.stats.statistics_cache import ColumnStatistics


@dataclass(frozen=True)
class Overtaking:
    """Two rows whose order changes from the smallest to the largest common size, and which some size tells apart.

    Attributes:
        early, late: the row that is ahead at the smallest size, and the one that is ahead at the largest.
        differences: late minus early at each size, over common seeds; None without any.
        verdicts: at each size -1 (early is ahead), 1 (late is ahead) or 0 (they cannot be told apart); None without a
            test.
        crossings: numbers of training rows at which the two cross, interpolated linearly between means on the
            logarithmic scale.
    """

    early: str
    late: str
    differences: tuple[float | None, ...]
    verdicts: tuple[int | None, ...]
    crossings: tuple[float, ...]

    @property
    def shown(self) -> bool:
        """Whether both leads are significant, that of the early row before that of the late one."""
        known = [verdict for verdict in self.verdicts if verdict]
        return -1 in known and 1 in known[known.index(-1) :]


@dataclass(frozen=True)
class Overtakings:
    """The overtakings on one learning curve.

    Attributes:
        overtakings: pairs that can be told apart at some size; first those that are `shown`, then by title.
        unproven: number of pairs whose means change their order, but which cannot be told apart at any size.
    """

    overtakings: tuple[Overtaking, ...] = ()
    unproven: int = 0


def size_key(train_rows: int | None) -> float:
    """Sort key of sizes; None (all rows) comes last."""
    return train_rows or math.inf


@dataclass(frozen=True)
class AtSize:
    """One size of a learning curve.

    Attributes:
        rows: number of training rows; None if unknown.
        scores: row key → seed → score (0-100).
        p: (row, row) in alphabetical order → p value of their difference, not adjusted; only of tested pairs.
    """

    rows: int | None
    scores: Mapping[str, Mapping[int, float]]
    p: Mapping[tuple[str, str], float]


def overtakings(sizes: Sequence[AtSize], baselines: Collection[str] = ()) -> Overtakings:
    """Find all pairs of rows whose order differs between their smallest and their largest common size.

    Differences at a size are tested by the paired test (`harness.stats.paired`), adjusted for all pairs and sizes of
    the task (Holm 1979), because all of them are searched.

    Args:
        sizes: the sizes in ascending order.
        baselines: row keys of baselines; pairs of two baselines are left out.
    """
    tests = [(number, pair) for number, size in enumerate(sizes) for pair in size.p]
    adjusted = holm([sizes[number].p[pair] for number, pair in tests])
    significant = {test for test, p in zip(tests, adjusted, strict=True) if p < ALPHA}
    names = sorted({name for size in sizes for name in size.scores})
    proven, unproven = [], 0
    for pair in combinations(names, 2):
        differences = [_difference(size.scores, *pair) for size in sizes]
        known = [number for number in differences if number is not None]
        if all(name in baselines for name in pair) or len(known) < 2 or known[0] * known[-1] >= 0:
            continue
        early, late = pair
        if known[-1] < 0:
            early, late = late, early
            differences = [None if number is None else -number for number in differences]
        verdicts = [
            None if lead is None or pair not in size.p else int(math.copysign(1, lead)) * ((index, pair) in significant)
            for index, (lead, size) in enumerate(zip(differences, sizes, strict=True))
        ]
        if any(verdicts):
            crossings = crossing([size.rows for size in sizes], differences)
            proven.append(Overtaking(early, late, tuple(differences), tuple(verdicts), tuple(crossings)))
        else:
            unproven += 1
    proven.sort(key=lambda overtaking: (not overtaking.shown, overtaking.early, overtaking.late))
    return Overtakings(tuple(proven), unproven)


def overtakings_by_curve(
    columns: Mapping[str, ColumnRecords], statistics: Mapping[str, ColumnStatistics]
) -> dict[str, Overtakings]:
    """Title of each learning curve → its overtakings, from the column of each size, and its statistics if it has some."""
    by_curve: dict[str, dict[int | None, str]] = {}
    for title, places in columns.items():
        for place in places:
            by_curve.setdefault(place.curve, {})[place.train_rows] = title
    by_title = {}
    for curve, titles in by_curve.items():
        if len(titles) > 1:
            sizes = [titles[train_rows] for train_rows in sorted(titles, key=size_key)]
            baselines = {place.row_key for title in sizes for place in columns[title] if place.is_baseline}
            result = overtakings([_at_size(columns[title], statistics.get(title)) for title in sizes], baselines)
            named = [replace(one, early=_row_title(one.early), late=_row_title(one.late)) for one in result.overtakings]
            by_title[curve] = replace(result, overtakings=tuple(named))
    return by_title


def _at_size(column: ColumnRecords, statistics: ColumnStatistics | None) -> AtSize:
    rows = (record["task"].get("rows") or {} for records in column.values() for record in records.values())
    train_rows = next(filter(None, (counts.get("train") for counts in rows)), None)
    p = {(one, other): p for one, other, p in statistics.p} if statistics else {}
    return AtSize(train_rows, scores_by_row(column), p)


def _row_title(key: str) -> str:
    return row_title(*key.split("\n"))


def crossing(rows: Sequence[int | None], differences: Sequence[float | None]) -> list[float]:
    """The numbers of rows at which a difference changes its sign, interpolated linearly in their logarithm."""
    points = [(math.log(x), y) for x, y in zip(rows, differences, strict=True) if x and y is not None]
    crossings, before = [], None
    for index, (x, y) in enumerate(points):
        if y == 0:
            continue
        if before is not None and before[1] * y < 0:
            from_x, from_y = points[index - 1]  # if that is a zero between two signs, it is the crossing
            crossings.append(math.exp(from_x + (x - from_x) * from_y / (from_y - y)))
        before = (x, y)
    return crossings


def _difference(scores: Mapping[str, Mapping[int, float]], one: str, other: str) -> float | None:
    """The mean of other minus one over common seeds; None without any."""
    first, second = scores.get(one, {}), scores.get(other, {})
    seeds = sorted(first.keys() & second.keys())
    return fmean(second[seed] - first[seed] for seed in seeds) if seeds else None
