"""Two models on the same test rows: how large the difference is, how sure, and whether it could be chance.

A score depends on chance twice: on which rows were drawn for the test, and on the seed of the training. Both are looked at
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
SEED = 0  # of the resampling: the same records give the same numbers
LEVEL = 0.95


@dataclass(frozen=True)
class MeanSpread:
    """A mean over seeds, in points of 0-100, and how far it may be from what other rows and seeds would give.

    Attributes:
        value: the mean.
        low, high: a 95 % interval.
        p: of the hypothesis that it is zero, from the same distribution as the interval (`harness.stats.seed_variance`).
        degrees: of freedom, Satterthwaite's: a size of how well the whole standard error is known. No p comes from them.
        row_error: standard error that comes from the choice of the test rows.
        seed_error: standard error that comes from the seeds, with what is peculiar to a seed on a row; None for a single seed, and
            the interval is then for that seed only.
        seed_degrees: of freedom of the latter; None where there is none, or it is 0.
        seeds: how many.
        rows: test rows.
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
        resamples: of the rows.
        p_randomised: approximate randomisation (Noreen 1989) of the metric itself: which of the two gave which of a row's
            predictions is tossed for; None for metrics that are no sums over rows.
        p_mcnemar: exact McNemar test on the rows that only one of them has right; None unless rows are right or wrong,
            and for several seeds, whose rows are not independent.
    """

    resamples: int
    p_randomised: float | None
    p_mcnemar: float | None


def difference(
    ours: Sequence[Any], theirs: Sequence[Any], rows: int, resamples: int = RESAMPLES, prior: Prior | None = None
) -> Difference:
    """The difference between two models, from what `TaskFamily.additive` gives for each seed, in the same order of rows.

    The error has two parts. That of the rows is the paired bootstrap's (Efron & Tibshirani 1993; Koehn 2004): rows are drawn
    with replacement, the same for both models and all seeds, and the metric is computed anew. That of the seeds is the sample
    deviation of the seeds' differences over the root of their number, with Student's t, in the light of what the other rows of
    the column show (`harness.stats.seed_variance`). What is in both (rows and seeds are crossed random effects) stays with the seeds. A
    percentile of resampled seeds would be too narrow for the few there are.

    Args:
        ours, theirs: one a seed, paired: seed k of ours and of theirs have the same splits and order of data.
        rows: test rows.
        resamples: of the bootstrap and of the randomisation.
        prior: of the variance of the seeds' differences.
    """
    drawing = Resampling(rows, resamples)
    scores = [(drawing.of(our), drawing.of(their)) for our, their in zip(ours, theirs, strict=True)]
    each = np.array([float(our.score - their.score) for our, their in scores])
    drawn = np.array([our.drawn - their.drawn for our, their in scores])
    marks = [(row_marks(our), row_marks(their)) for our, their in zip(ours, theirs, strict=True)]
    tested = TestRows(rows, rows_that_differ(marks), all(map(is_share_of_right_rows, (*ours, *theirs))))
    found = mean_spread(each, drawn, tested, prior)
    return Difference(
        **vars(found),
        resamples=resamples,
        p_randomised=_randomised(ours, theirs, abs(found.value), resamples),
        p_mcnemar=_mcnemar(ours, theirs),
    )


@dataclass(frozen=True)
class ResampledScore:
    """A metric on all rows, and on each resample of them."""

    score: float
    drawn: Array


class Resampling:
    """Resamples of the rows of a test, the same for every model and seed that is asked about.

    Args:
        rows: test rows.
        resamples: how many.
    """

    def __init__(self, rows: int, resamples: int = RESAMPLES):
        self.whole = np.ones((1, rows))
        chance = np.random.default_rng(SEED)
        self.times = chance.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(float)

    def of(self, metric: Any) -> ResampledScore:
        """The scores of a metric, such as `TaskFamily.additive` gives it."""
        return ResampledScore(float(metric.resampled(self.whole)[0]), metric.resampled(self.times))


@dataclass(frozen=True)
class TestRows:
    """The rows of a test, as far as they limit what may be said, however the resamples look.

    Attributes:
        count: how many.
        unlike: on how many of them two models differ; None: not known, or one model is looked at.
        shares: whether the metric is the share of rows that are right.
        points: whether the mean is in points of 0-100; else no interval is widened.
    """

    count: int
    unlike: int | None = None
    shares: bool = False
    points: bool = True

    @property
    def least(self) -> float:
        """The p value of an exact test where all rows on which two differ speak for one of them: no test gives a smaller one."""
        return min(1.0, 2.0 ** (1 - (self.count if self.unlike is None else self.unlike)))

    @property
    def unseen(self) -> float:
        """Points that what was seen in none of the rows may still make: the exact bound (Clopper & Pearson 1934) for 0 of them."""
        return 100 * (1 - ((1 - LEVEL) / 2) ** (1 / self.count)) if self.points else 0.0


def mean_spread(each: Array, drawn: Array, rows: TestRows, prior: Prior | None = None) -> MeanSpread:
    """The mean over seeds of a score or a difference, and how sure it is; see `difference`.

    Args:
        each: [seeds], on all rows.
        drawn: [seeds, resamples].
        rows: of the test.
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
    """The error of a mean over seeds, for whom an interval would be of no use; arguments as of `mean_spread`."""
    seeds, together = len(each), drawn.mean(axis=0)
    row_variance = 0.0 if same(together) else float(together.var(ddof=1))
    limits = {"least": rows.least, "unseen": rows.unseen if rows.shares or not row_variance else 0.0}
    row_degrees = rows.count - 1
    if seeds == 1:
        return MeanError(row_variance, row_degrees, **limits)
    found, degrees = 0.0 if same(each) else float(each.var(ddof=1)), float(seeds - 1)
    if prior:
        found, degrees = prior.moderated(found, degrees)
    if not found:  # nothing is known of seeds, so what is peculiar to one on a row stays with the rows
        return MeanError(row_variance, row_degrees, **limits)
    # What is peculiar to a seed on a row is in both parts: it is what the rows' variance gains when seeds are not averaged.
    both = float(drawn.var(axis=1, ddof=1).mean() - row_variance) / (seeds - 1)
    rest = min(row_variance, max(0.0, row_variance - both))
    return MeanError(rest, row_degrees, found / seeds, degrees, **limits)


def _randomised(ours: Sequence[Any], theirs: Sequence[Any], value: float, resamples: int) -> float | None:
    if not all(isinstance(one, Additive) for one in (*ours, *theirs)):
        return None
    rows = len(ours[0].counts)
    swapped = np.random.default_rng(SEED + 1).integers(0, 2, size=(resamples, rows)).astype(float)
    found = np.zeros(resamples)
    for our, their in zip(ours, theirs, strict=True):
        change = swapped @ (their.counts - our.counts)
        found += our.score(our.counts.sum(axis=0) + change) - their.score(their.counts.sum(axis=0) - change)
    # A tie counts as reached; sums in another order differ in their last bits.
    reached = np.count_nonzero(np.abs(found / len(ours)) >= value - 1e-9)
    return float((reached + 1) / (resamples + 1))


def _mcnemar(ours: Sequence[Any], theirs: Sequence[Any]) -> float | None:
    if len(ours) != 1 or not all(map(is_share_of_right_rows, (*ours, *theirs))):
        return None
    right, also = ours[0].counts[:, 0] > 0, theirs[0].counts[:, 0] > 0
    only, other = int(np.sum(right & ~also)), int(np.sum(also & ~right))
    return float(stats.binomtest(only, only + other).pvalue) if only + other else 1.0


def rows_that_differ(pairs: Sequence[tuple[Array | None, Array | None]]) -> int | None:
    """On how many rows two models differ with any seed; None for metrics that are no sums over rows.

    Args:
        pairs: what `marks_of` gives for ours and theirs, one pair a seed.
    """
    if any(mark is None for pair in pairs for mark in pair):
        return None
    return int(np.any([ours != theirs for ours, theirs in pairs], axis=0).sum())


def row_marks(metric: Any) -> Array | None:
    """A number for each row, equal where what the metric counts in it is equal; None for metrics that are no sums over rows."""
    if not isinstance(metric, Additive):
        return None
    return metric.counts @ np.random.default_rng(SEED).random(metric.counts.shape[1])


def is_share_of_right_rows(metric: Any) -> bool:
    """Whether a metric is the share of rows that are right."""
    if not isinstance(metric, Additive):
        return False
    counts = metric.counts
    return counts.shape[1] == 2 and bool(np.isin(counts[:, 0], (0.0, 100.0)).all() and (counts[:, 1] == 1.0).all())
