"""The difference between two models on the same test rows, with interval and p values.

A score varies with the choice of the test rows and with the seed of the training. Both are taken into account
(Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks"; Dror et al. 2018, "The hitchhiker's
guide to testing statistical significance in NLP").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from harness.metrics.additive import Additive, Array
from harness.stats.seed_variance import MeanError, Prior, nearly_equal

RESAMPLES = 2000
SEED = 0  # of the resampling, so that the same records give the same numbers
LEVEL = 0.95


@dataclass(frozen=True)
class MeanSpread:
    """A mean over seeds in points (0-100), with its uncertainty from test rows and seeds.

    Attributes:
        value: the mean.
        low, high: 95 % interval.
        p: p value of the hypothesis that the mean is zero, from the same distribution as the interval.
        degrees: Satterthwaite's degrees of freedom, which say how well the standard error is known; not used for p.
        row_error: standard error from the choice of the test rows.
        seed_error: standard error from the seeds, including the interaction of seeds and rows. None for a single seed,
            whose interval does not cover other seeds.
        seed_degrees: degrees of freedom of `seed_error`; None if that is None or 0.
        seeds, rows: numbers of seeds and of test rows.
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
    """The mean difference of two models over their common seeds.

    Attributes:
        resamples: number of resamples of the rows.
        p_randomised: p value by approximate randomisation (Noreen 1989), which randomly swaps the predictions of the
            two models row by row. None for metrics that are not functions of sums over rows.
        p_mcnemar: p value of the exact McNemar test on the rows that only one model has right. None unless the metric
            is the share of right rows, and for several seeds, because their rows are not independent.
    """

    resamples: int
    p_randomised: float | None
    p_mcnemar: float | None


def difference(
    ours: Sequence[Any], theirs: Sequence[Any], rows: int, resamples: int = RESAMPLES, prior: Prior | None = None
) -> Difference:
    """The difference between two models (ours minus theirs).

    The error has two parts. That of the rows comes from the paired bootstrap (Efron & Tibshirani 1993; Koehn 2004):
    rows are drawn with replacement, the same for both models and all seeds. That of the seeds is the standard error of
    the differences over seeds, moderated by the other rows of the column (`harness.stats.seed_variance`). Rows and
    seeds are crossed random effects; their interaction is counted with the seeds. Percentiles of resampled seeds would
    be too narrow for so few seeds.

    Args:
        ours, theirs: metrics as `TaskFamily.additive` returns them, one for each seed, with the same order of rows.
            Equal seeds have equal splits and order of data.
        rows, resamples: number of test rows, and of resamples for the bootstrap and the randomisation.
        prior: prior of the variance of the differences over seeds.
    """
    resampling = Resampling(rows, resamples)
    scores = [(resampling.score(our), resampling.score(their)) for our, their in zip(ours, theirs, strict=True)]
    each = np.array([float(our.score - their.score) for our, their in scores])
    drawn = np.array([our.drawn - their.drawn for our, their in scores])
    keys = [(row_keys(our), row_keys(their)) for our, their in zip(ours, theirs, strict=True)]
    test_rows = TestRows(rows, count_differing_rows(keys), all(map(is_share_of_right_rows, (*ours, *theirs))))
    mean = mean_spread(each, drawn, test_rows, prior)
    return Difference(
        **vars(mean),
        resamples=resamples,
        p_randomised=_randomised(ours, theirs, abs(mean.value), resamples),
        p_mcnemar=_mcnemar(ours, theirs),
    )


@dataclass(frozen=True)
class ResampledScore:
    """The score on all rows, and [resamples] of it."""

    score: float
    drawn: Array


class Resampling:
    """Bootstrap resamples of the test rows, the same for all models and seeds.

    Attributes:
        times: [resamples, rows], how often each row is drawn.
    """

    def __init__(self, rows: int, resamples: int = RESAMPLES):
        rng = np.random.default_rng(SEED)
        self.times = rng.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(float)

    def score(self, metric: Any) -> ResampledScore:
        """Score a metric as `TaskFamily.additive` returns it."""
        whole = np.ones((1, self.times.shape[1]))
        return ResampledScore(float(metric.resampled(whole)[0]), metric.resampled(self.times))


@dataclass(frozen=True)
class TestRows:
    """Numbers of test rows, which limit p values and intervals.

    Attributes:
        count: number of rows.
        differing: number of rows on which two models differ; None if unknown or for a single model.
        shares: whether the metric is the share of right rows.
        points: whether the mean is in points (0-100); else no interval is widened.
    """

    count: int
    differing: int | None = None
    shares: bool = False
    points: bool = True

    @property
    def smallest_p(self) -> float:
        """The smallest possible p value: that of an exact test if all differing rows favour the same model."""
        return min(1.0, 2.0 ** (1 - (self.count if self.differing is None else self.differing)))

    @property
    def smallest_half_width(self) -> float:
        """The half-width in points if nothing differs: the exact bound (Clopper & Pearson 1934) for 0 of the rows."""
        return 100 * (1 - ((1 - LEVEL) / 2) ** (1 / self.count)) if self.points else 0.0


def mean_spread(each: Array, drawn: Array, rows: TestRows, prior: Prior | None = None) -> MeanSpread:
    """The mean over seeds of a score or a difference, with its interval; see `difference`.

    Args:
        each: [seeds], values on all test rows.
        drawn: [seeds, resamples], values on resamples of the rows.
        rows: the test rows.
        prior: prior of the variance over seeds.
    """
    seeds, value, error = len(each), float(each.mean()), mean_error(each, drawn, rows, prior)
    half = error.half_width(LEVEL)
    return MeanSpread(
        value=value,
        low=value - half,
        high=value + half,
        p=error.p(value),
        degrees=error.degrees,
        row_error=math.sqrt(error.row_variance),
        seed_error=math.sqrt(error.seed_variance) if seeds > 1 else None,
        seed_degrees=error.seed_degrees if error.seed_variance else None,
        seeds=seeds,
        rows=rows.count,
    )


def mean_error(each: Array, drawn: Array, rows: TestRows, prior: Prior | None = None) -> MeanError:
    """The error of a mean over seeds, without the costly interval. The arguments are those of `mean_spread`."""
    seeds, means = len(each), drawn.mean(axis=0)
    row_variance = 0.0 if nearly_equal(means) else float(means.var(ddof=1))
    half_width = rows.smallest_half_width if rows.shares or not row_variance else 0.0
    limits = {"smallest_p": rows.smallest_p, "smallest_half_width": half_width}
    row_degrees = rows.count - 1
    if seeds == 1:
        return MeanError(row_variance, row_degrees, **limits)
    seed_variance, degrees = 0.0 if nearly_equal(each) else float(each.var(ddof=1)), float(seeds - 1)
    if prior:
        seed_variance, degrees = prior.posterior(seed_variance, degrees)
    if not seed_variance:  # unknown, so the interaction of seeds and rows is counted with the rows
        return MeanError(row_variance, row_degrees, **limits)
    # The interaction of seeds and rows is in both variances. It increases the variance over rows of a single seed.
    interaction = float(drawn.var(axis=1, ddof=1).mean() - row_variance) / (seeds - 1)
    row_variance = min(row_variance, max(0.0, row_variance - interaction))
    return MeanError(row_variance, row_degrees, seed_variance / seeds, degrees, **limits)


def _randomised(ours: Sequence[Any], theirs: Sequence[Any], value: float, resamples: int) -> float | None:
    if not all(isinstance(metric, Additive) for metric in (*ours, *theirs)):
        return None
    rows = len(ours[0].counts)
    swapped = np.random.default_rng(SEED + 1).integers(0, 2, size=(resamples, rows)).astype(float)
    differences = np.zeros(resamples)
    for our, their in zip(ours, theirs, strict=True):
        change = swapped @ (their.counts - our.counts)
        differences += our.score(our.counts.sum(axis=0) + change) - their.score(their.counts.sum(axis=0) - change)
    # Ties count. Sums in another order may differ in their last bits.
    reached = np.count_nonzero(np.abs(differences / len(ours)) >= value - 1e-9)
    return float((reached + 1) / (resamples + 1))


def _mcnemar(ours: Sequence[Any], theirs: Sequence[Any]) -> float | None:
    if len(ours) != 1 or not all(map(is_share_of_right_rows, (*ours, *theirs))):
        return None
    our_right, their_right = ours[0].counts[:, 0] > 0, theirs[0].counts[:, 0] > 0
    only_ours, only_theirs = int(np.sum(our_right & ~their_right)), int(np.sum(their_right & ~our_right))
    return float(stats.binomtest(only_ours, only_ours + only_theirs).pvalue) if only_ours + only_theirs else 1.0


def count_differing_rows(pairs: Sequence[tuple[Array | None, Array | None]]) -> int | None:
    """Count the rows on which two models differ with any seed. None if the metric is not an `Additive`.

    Args:
        pairs: `row_keys` of both models for each seed.
    """
    if any(keys is None for pair in pairs for keys in pair):
        return None
    return int(np.any([ours != theirs for ours, theirs in pairs], axis=0).sum())


def row_keys(metric: Any) -> Array | None:
    """[rows], numbers that are equal for rows with equal counts. None if the metric is not an `Additive`."""
    if not isinstance(metric, Additive):
        return None
    return metric.counts @ np.random.default_rng(SEED).random(metric.counts.shape[1])


def is_share_of_right_rows(metric: Any) -> bool:
    """Whether a metric is the share of right rows, such as accuracy."""
    if not isinstance(metric, Additive):
        return False
    counts = metric.counts
    return counts.shape[1] == 2 and bool(np.isin(counts[:, 0], (0.0, 100.0)).all() and (counts[:, 1] == 1.0).all())
