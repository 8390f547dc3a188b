"""Two rows of the board compared task by task: differences, p values, and effect sizes that tasks have in common.

The usual effect size would be Cohen's d over paired seeds. It divides by the standard deviation over seeds, which three
seeds hardly determine, and has no upper bound if they hardly differ. The two effect sizes used here need no standard
deviation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
from scipy import optimize, stats

from harness.cell import is_trial
from harness.errors import BenchError, unknown
from harness.grouping.groups import BoardPlace, identified, main_places, records_by_place, scores_by_row, succeeded
from harness.grouping.row_names import command_name, row_named
from harness.metrics.additive import Array
from harness.stats.column_statistics import ScoredRecord, require_same_rows
from harness.stats.multiple_tests import ALPHA, holm
from harness.stats.paired import (
    LEVEL,
    RESAMPLES,
    Difference,
    Resampling,
    TestRows,
    difference,
    is_share_of_right_rows,
    mean_spread,
)
from harness.stats.seed_variance import SeedVariance
from harness.store import Record, Store

Places = Mapping[BoardPlace, list[Record]]


@dataclass(frozen=True)
class Effect:
    """An effect size with its 95 % interval; None stands for infinity."""

    value: float | None
    low: float
    high: float | None


def superiority(ours: Sequence[float], theirs: Sequence[float]) -> Effect:
    """The probability that a training of ours scores higher than one of theirs on these test rows; ties count half.

    All pairs of seeds are compared (Vargha & Delaney's A, 2000, recommended for few runs by Agarwal et al. 2021, "Deep
    reinforcement learning at the edge of the statistical precipice"). The interval is Newcombe's (2006, part 2, method
    5), with Student's t instead of the normal quantile: three seeds beat three others by chance one time in ten, so the
    interval must include 0.5.

    Args:
        ours, theirs: scores of the seeds.
    """
    one, other = (np.round(np.asarray(scores, dtype=float), 9) for scores in (ours, theirs))
    value = float((np.sign(one[:, None] - other[None, :]).mean() + 1) / 2)
    product, half = len(one) * len(other), (len(one) + len(other)) / 2 - 1
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, max(1, len(one) + len(other) - 2)))

    def excess(chance: float) -> float:
        """The squared distance from the value minus its limit; zero at the ends of the interval."""
        spread = 1 + half * ((1 - chance) / (2 - chance) + chance / (1 + chance))
        return (value - chance) ** 2 - quantile**2 * chance * (1 - chance) * spread / product

    inside = min(max(value, 1e-9), 1 - 1e-9)  # 0 and 1 would be roots
    low = 0.0 if value == 0.0 else float(optimize.brentq(excess, 0.0, inside))
    high = 1.0 if value == 1.0 else float(optimize.brentq(excess, inside, 1.0))
    return Effect(value, low, high)


def odds_ratio(ours: Sequence[Any], theirs: Sequence[Any], rows: int, resamples: int = RESAMPLES) -> Effect | None:
    """The odds ratio of McNemar's test: rows that only ours has right, divided by rows that only theirs has right.

    None unless rows are either right or wrong.

    For one seed the interval is exact (Clopper & Pearson for the share of ours). The rows of several seeds are not
    independent, so the value is then the geometric mean of the ratios, each with half a row added to both sides
    (Haldane 1956), and the interval is that of the mean logarithm over rows and seeds
    (`harness.stats.paired.mean_spread`). Seeds in which both have the same rows right are left out.

    If a seed has no row that only theirs (or only ours) has right, the ratio has no upper (or lower) bound. The
    interval is then unbounded at that end, and its other end is at least as far out as the exact bound of each seed. If
    this is so for every seed, the ratio is infinite (or 0).

    Args:
        ours, theirs: metrics as `TaskFamily.additive` returns them, one for each seed, paired.
        rows: number of test rows.
    """
    if not all(map(is_share_of_right_rows, (*ours, *theirs))):
        return None
    pairs = [(our.counts[:, 0] > 0, their.counts[:, 0] > 0) for our, their in zip(ours, theirs, strict=True)]
    # For each seed [rows, 2]: whether only ours, and whether only theirs has a row right.
    discordant = [np.stack([our & ~their, their & ~our], axis=1).astype(float) for our, their in pairs]
    discordant = [counts for counts in discordant if counts.any()]
    exact = [_exact_odds_ratio(*map(int, counts.sum(axis=0))) for counts in discordant]
    if not exact:
        return Effect(1.0, 0.0, None)
    if len(exact) == 1:
        return exact[0]
    times = Resampling(rows, resamples).times
    each = np.array([float(_log_ratio(counts.sum(axis=0))) for counts in discordant])
    drawn = np.array([_log_ratio(times @ counts) for counts in discordant])
    log_ratio = mean_spread(each, drawn, TestRows(rows, points=False))
    value, low, high = map(math.exp, (log_ratio.value, log_ratio.low, log_ratio.high))
    infinite, zero = [seed.value is None for seed in exact], [seed.value == 0 for seed in exact]
    return Effect(
        None if all(infinite) else 0.0 if all(zero) else value,
        0.0 if any(zero) else min(low, *(seed.low for seed in exact)) if any(infinite) else low,
        None if any(infinite) else max(high, *(seed.high or 0.0 for seed in exact)) if any(zero) else high,
    )


def _exact_odds_ratio(ours: int, theirs: int) -> Effect:
    """The odds ratio of one seed from the two counts of rows, which are not both 0."""
    share = stats.binomtest(ours, ours + theirs).proportion_ci(LEVEL, method="exact")
    return Effect(_odds(ours / (ours + theirs)), share.low / (1 - share.low), _odds(float(share.high)))


def _odds(share: float) -> float | None:
    return share / (1 - share) if share < 1 else None


def _log_ratio(counts: Array) -> Array:
    """[..., 2] → [...], the logarithm of the ratio of two counts."""
    return np.log((counts[..., 0] + 0.5) / (counts[..., 1] + 0.5))


@dataclass(frozen=True)
class TaskComparison:
    """Two rows of the board on one task.

    Attributes:
        task: title of the column.
        metric: its primary metric.
        ours, theirs: means over common seeds.
        difference: ours minus theirs.
        p: p value of the difference, adjusted for the number of tasks (Holm).
        superiority: see `superiority`.
        odds_ratio: see `odds_ratio`; None unless rows are either right or wrong.
    """

    task: str
    metric: str
    ours: float
    theirs: float
    difference: Difference
    p: float
    superiority: Effect
    odds_ratio: Effect | None

    @property
    def verdict(self) -> int:
        """1: ours is better; -1: theirs is better; 0: they cannot be told apart."""
        if self.p >= ALPHA:
            return 0
        return 1 if self.difference.value > 0 else -1


def compare(
    store: Store, ours: str, theirs: str, tasks: Iterable[str] = (), tell: Callable[[str], None] | None = None
) -> list[TaskComparison]:
    """Compare two rows of the board on all common tasks.

    Args:
        store: the results folder.
        ours, theirs: names of rows, see `harness.grouping.row_names.row_named`.
        tasks: titles of tasks, also of sizes of learning curves, such as `sst2 (100 train rows)`; empty: all tasks.
        tell: called with a line about the tasks on which only one of the two has a score.

    Raises:
        BenchError: a model or task is unknown, the two have nothing in common, or predictions are missing or of
            different rows.
    """
    requested = list(tasks)
    places, _ = records_by_place(record for record in store.records() if identified(record) and not is_trial(record))
    ours, theirs = (row_named(name, places, f"results in {store.name!r}") for name in (ours, theirs))
    if ours == theirs:
        titles = sorted({command_name(place) for place in places})
        raise BenchError(f"{ours} and {theirs} are the same row; name two, of: {', '.join(titles)}")
    known = {place.task for place in (places if requested else main_places(places))}
    for name in requested:
        if name not in known:
            raise unknown("task", name, sorted(known), where=f"results in {store.name!r}")
    compared = sorted(known.intersection(requested) if requested else known)
    comparisons = [
        comparison
        for task in compared
        if (comparison := _compare_on_task(store, places, task, ours, theirs)) is not None
    ]
    lacking = "; ".join(_reasons_missing(places, compared, ours, theirs))
    if not comparisons:
        raise BenchError(
            f"{ours} and {theirs} have no task and seed in common in {store.name!r}{lacking and f' ({lacking})'}; run both on one"
        )
    if lacking and tell:
        tell(f"not compared: {lacking}")
    adjusted = holm([comparison.difference.p for comparison in comparisons])
    return [replace(comparison, p=p) for comparison, p in zip(comparisons, adjusted, strict=True)]


def _reasons_missing(places: Places, tasks: Iterable[str], ours: str, theirs: str) -> Iterator[str]:
    """Sentences on the tasks on which only one of the two has a score."""
    for name in (ours, theirs):
        done = {place.task: records for place, records in places.items() if command_name(place) == name}
        other = {place.task for place in places if command_name(place) in (ours, theirs)}
        for task in tasks:
            if task in other and not any(map(succeeded, done.get(task, ()))):
                yield f"{name} {'failed' if task in done else 'was not run'} on {task}"


def _compare_on_task(store: Store, places: Places, task: str, ours: str, theirs: str) -> TaskComparison | None:
    column = {
        place: {record["seed"]: record for record in records if succeeded(record)}
        for place, records in places.items()
        if place.task == task
    }
    sides = [next((place for place in column if command_name(place) == name), None) for name in (ours, theirs)]
    groups = [column.get(place, {}) for place in sides]
    seeds = sorted(groups[0].keys() & groups[1].keys())
    if not seeds:
        return None
    # From all rows of the column, as on the board.
    prior = SeedVariance(scores_by_row(column)).prior(*(side.row_key for side in sides))
    pairs = [tuple(ScoredRecord(store, group[seed]) for group in groups) for seed in seeds]
    for our, their in pairs:
        require_same_rows(our, their, f"{task}: {ours} and {theirs}")
    metrics, rows = [[scored.metric for scored in side] for side in zip(*pairs, strict=True)], len(pairs[0][0].ids)
    scores = [[group[seed]["score"] for seed in seeds] for group in groups]
    mean = difference(*metrics, rows, pairs[0][0].resamples, prior)
    return TaskComparison(
        task=task,
        metric=groups[0][seeds[0]]["primary_metric"],
        ours=fmean(scores[0]),
        theirs=fmean(scores[1]),
        difference=mean,
        p=mean.p,
        superiority=superiority(*scores),
        odds_ratio=odds_ratio(*metrics, rows),
    )
