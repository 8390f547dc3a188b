"""Two models on the same test rows: the difference of their scores with its interval and p values.

A score depends on chance twice: on the choice of the test rows and on the seed of the training. Both are taken into account
(Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks"; Dror et al. 2018, "The hitchhiker's guide
to testing statistical significance in NLP").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from harness.metrics.additive import Additive, Array
from harness.stats.seed_variance import MeanError, Prior, same

RESAMPLES = 2000
SEED = 0  # seed of the resampling: the same records give the same numbers
LEVEL = 0.95


@dataclass(frozen=True)
class MeanSpread:
    """A mean over seeds in points (0-100), with its uncertainty from test rows and seeds.

    Attributes:
        value: the mean.
        low, high: 95 % interval.
        p: p value of the hypothesis that the mean is zero, from the same distribution as the interval.
        degrees: Satterthwaite's degrees of freedom, a measure of how well the whole standard error is known; not used for p.
        row_error: standard error from the choice of the test rows.
        seed_error: standard error from the seeds, with the interaction of seeds and rows. None for a single seed; the interval is
            then for that seed only.
        seed_degrees: degrees of freedom of `seed_error`; None where that is None or 0.
        seeds: number of seeds.
        rows: number of test rows.
    """

    value: float
    low: float
    high: float
    p: float
    degrees: float
    row_error: float
    seed_error: float | None
    seed_degrees: float | None
    seeds: int
    rows: int


@dataclass(frozen=True)
class Difference(MeanSpread):
    """Our score minus theirs, over the seeds that both have.

    Attributes:
        resamples: number of resamples of the rows.
        p_randomised: p value by approximate randomisation (Noreen 1989), which swaps the predictions of the two models at random
            row by row. None for metrics that are not sums over rows.
        p_mcnemar: p value of the exact McNemar test on the rows that only one model has right. None unless rows are right or
            wrong, and for several seeds, whose rows are not independent.
    """

    resamples: int
    p_randomised: float | None
    p_mcnemar: float | None


def difference(
    ours: Sequence[Any], theirs: Sequence[Any], rows: int, resamples: int = RESAMPLES, prior: Prior | None = None
) -> Difference:
    """The difference between two models, from what `TaskFamily.additive` gives for each seed, in the same order of rows.

    The error has two parts. That of the rows comes from the paired bootstrap (Efron & Tibshirani 1993; Koehn 2004): rows are drawn
    with replacement, the same for both models and all seeds, and the metric is computed anew. That of the seeds is the standard
    error of the differences over seeds, moderated by the other rows of the column (`harness.stats.seed_variance`). Rows and seeds
    are crossed random effects; their interaction counts for the seeds. Percentiles of resampled seeds would be too narrow for so
    few of them.

    Args:
        ours, theirs: metrics, one for each seed. Seed k of ours and of theirs have the same splits and order of data.
        rows: number of test rows.
        resamples: number of resamples of the bootstrap and of the randomisation.
        prior: of the variance over seeds of the differences.
    """
    drawing = Resampling(rows, resamples)
    scores = [(drawing.of(our), drawing.of(their)) for our, their in zip(ours, theirs, strict=True)]
    each = np.array([float(our.score - their.score) for our, their in scores])
    drawn = np.array([our.drawn - their.drawn for our, their in scores])
    marks = [(row_marks(our), row_marks(their)) for our, their in zip(ours, theirs, strict=True)]
    tested = TestRows(rows, rows_that_differ(marks), all(map(is_share_of_right_rows, (*ours, *theirs))))
    mean = mean_spread(each, drawn, tested, prior)
    return Difference(
        **vars(mean),
        resamples=resamples,
        p_randomised=_randomised(ours, theirs, abs(mean.value), resamples),
        p_mcnemar=_mcnemar(ours, theirs),
    )


@dataclass(frozen=True)
class ResampledScore:
    """A metric on all rows, and on each resample of them."""

    score: float
    drawn: Array


class Resampling:
    """Resamples of the test rows, the same for every model and seed.

    Args:
        rows: number of test rows.
        resamples: number of resamples.
    """

    def __init__(self, rows: int, resamples: int = RESAMPLES):
        self.whole = np.ones((1, rows))
        chance = np.random.default_rng(SEED)
        self.times = chance.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(float)

    def of(self, metric: Any) -> ResampledScore:
        """The scores of a metric, such as `TaskFamily.additive` returns."""
        return ResampledScore(float(metric.resampled(self.whole)[0]), metric.resampled(self.times))


@dataclass(frozen=True)
class TestRows:
    """The test rows, as far as their number limits p values and intervals.

    Attributes:
        count: number of rows.
        unlike: number of rows on which two models differ; None where unknown or for a single model.
        shares: whether the metric is the share of rows that are right.
        points: whether the mean is in points (0-100); else no interval is widened.
    """

    count: int
    unlike: int | None = None
    shares: bool = False
    points: bool = True

    @property
    def least(self) -> float:
        """The smallest possible p value: that of an exact test where all rows on which two models differ favour the same one."""
        return min(1.0, 2.0 ** (1 - (self.count if self.unlike is None else self.unlike)))

    @property
    def unseen(self) -> float:
        """Half-width in points that remains where nothing differs: the exact bound (Clopper & Pearson 1934) for 0 of the rows."""
        return 100 * (1 - ((1 - LEVEL) / 2) ** (1 / self.count)) if self.points else 0.0


def mean_spread(each: Array, drawn: Array, rows: TestRows, prior: Prior | None = None) -> MeanSpread:
    """The mean over seeds of a score or a difference, with its interval; see `difference`.

    Args:
        each: [seeds], values on all test rows.
        drawn: [seeds, resamples], values on resamples of the rows.
        rows: the test rows.
        prior: of the variance over seeds.
    """
    seeds, value, error = len(each), float(each.mean()), error_of(each, drawn, rows, prior)
    half = error.half(LEVEL)
    return MeanSpread(
        value=value,
        low=value - half,
        high=value + half,
        p=error.p(value),
        degrees=error.degrees,
        row_error=math.sqrt(error.rows),
        seed_error=math.sqrt(error.seeds) if seeds > 1 else None,
        seed_degrees=error.seed_degrees if error.seeds else None,
        seeds=seeds,
        rows=rows.count,
    )


def error_of(each: Array, drawn: Array, rows: TestRows, prior: Prior | None = None) -> MeanError:
    """The error of a mean over seeds, without the costly interval; arguments as of `mean_spread`."""
    seeds, together = len(each), drawn.mean(axis=0)
    row_variance = 0.0 if same(together) else float(together.var(ddof=1))
    limits = {"least": rows.least, "unseen": rows.unseen if rows.shares or not row_variance else 0.0}
    row_degrees = rows.count - 1
    if seeds == 1:
        return MeanError(row_variance, row_degrees, **limits)
    seed_variance, degrees = 0.0 if same(each) else float(each.var(ddof=1)), float(seeds - 1)
    if prior:
        seed_variance, degrees = prior.moderated(seed_variance, degrees)
    if not seed_variance:  # the variance over seeds is unknown, so the interaction of seeds and rows counts for the rows
        return MeanError(row_variance, row_degrees, **limits)
    # The interaction of seeds and rows is in both parts: it is what the variance over rows gains when seeds are not averaged.
    both = float(drawn.var(axis=1, ddof=1).mean() - row_variance) / (seeds - 1)
    rest = min(row_variance, max(0.0, row_variance - both))
    return MeanError(rest, row_degrees, seed_variance / seeds, degrees, **limits)


def _randomised(ours: Sequence[Any], theirs: Sequence[Any], value: float, resamples: int) -> float | None:
    if not all(isinstance(one, Additive) for one in (*ours, *theirs)):
        return None
    rows = len(ours[0].counts)
    swapped = np.random.default_rng(SEED + 1).integers(0, 2, size=(resamples, rows)).astype(float)
    differences = np.zeros(resamples)
    for our, their in zip(ours, theirs, strict=True):
        change = swapped @ (their.counts - our.counts)
        differences += our.score(our.counts.sum(axis=0) + change) - their.score(their.counts.sum(axis=0) - change)
    # Ties count; sums in another order differ in their last bits.
    reached = np.count_nonzero(np.abs(differences / len(ours)) >= value - 1e-9)
    return float((reached + 1) / (resamples + 1))


def _mcnemar(ours: Sequence[Any], theirs: Sequence[Any]) -> float | None:
    if len(ours) != 1 or not all(map(is_share_of_right_rows, (*ours, *theirs))):
        return None
    right, also = ours[0].counts[:, 0] > 0, theirs[0].counts[:, 0] > 0
    only, other = int(np.sum(right & ~also)), int(np.sum(also & ~right))
    return float(stats.binomtest(only, only + other).pvalue) if only + other else 1.0


def rows_that_differ(pairs: Sequence[tuple[Array | None, Array | None]]) -> int | None:
    """The number of rows on which two models differ with any seed; None for metrics that are not sums over rows.

    Args:
        pairs: `row_marks` of ours and theirs, one pair for each seed.
    """
    if any(mark is None for pair in pairs for mark in pair):
        return None
    return int(np.any([ours != theirs for ours, theirs in pairs], axis=0).sum())


def row_marks(metric: Any) -> Array | None:
    """[rows], a number that is equal where the metric counts the same in a row; None for metrics that are not sums over rows."""
    if not isinstance(metric, Additive):
        return None
    return metric.counts @ np.random.default_rng(SEED).random(metric.counts.shape[1])


def is_share_of_right_rows(metric: Any) -> bool:
    """Whether a metric is the share of right rows."""
    if not isinstance(metric, Additive):
        return False
    counts = metric.counts
    return counts.shape[1] == 2 and bool(np.isin(counts[:, 0], (0.0, 100.0)).all() and (counts[:, 1] == 1.0).all())
