"""The variance over seeds, and the error of a mean over seeds and test rows.

Three seeds hardly determine their own variance, as they may agree by chance. The other rows of the column help, as in
moderated t tests (Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments"): a prior variance is fitted to all rows by moments, with degrees of freedom that say how
similar they are.

The error of a mean is the sum of two parts: one from the test rows, with a well-known variance, and one from the seeds,
with a variance that is estimated from few of them. Such a sum does not follow Student's t. A single t with degrees from
both estimates (Satterthwaite 1946) treats three seeds that agree by chance like three seeds that always agree. So the
two parts are kept apart, as in the Behrens-Fisher problem, by integrating over the possible variances of the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from scipy import optimize, special

from harness.metrics.additive import Array

MOST = 4.0  # maximal degrees of a prior; more hardly help if rows are similar, and harm if one differs from the others
SHARE = 0.5  # share of the degrees of the other rows that counts, because rows are not equal
TOLERANCE = 1e-9  # scores that differ by fewer points are equal
POINTS = 192  # points of the integral; with twice as many, p agrees to nine digits
TAIL = 1e-15  # probability that is left out at each end of the integral
MANY = 1e6  # degrees from which Student's t is taken as normal


@dataclass(frozen=True)
class Prior:
    """A prior of the variance over seeds (in squared points) from other rows, with its degrees of freedom."""

    variance: float
    degrees: float

    def posterior(self, variance: float, degrees: float) -> tuple[float, float]:
        """Combine a row's own variance with the prior, and return the variance and its degrees of freedom.

        The variance never gets smaller, because a model may be less stable than the others.
        """
        total = self.degrees + degrees
        return max(variance, (self.degrees * self.variance + degrees * variance) / total), total


class SeedVariance:
    """The variance over seeds in a column of the board.

    Args:
        scores: row → seed → score, for all rows of the column. Rows with equal scores for all seeds, such as baselines,
            have no variance and are ignored.
    """

    def __init__(self, scores: Mapping[str, Mapping[int, float]]):
        self._degrees: dict[str, int] = {}  # of the rows with variance
        own = {name: _variance(list(seeds.values())) for name, seeds in scores.items()}
        self._random = sorted(name for name, variance in own.items() if variance)
        pairs = []
        for one, other in combinations(self._random, 2):
            seeds = sorted(scores[one].keys() & scores[other].keys())
            variance = _variance([scores[one][seed] - scores[other][seed] for seed in seeds])
            if variance:
                pairs.append((variance, len(seeds) - 1))
                for name in (one, other):
                    self._degrees[name] = max(self._degrees.get(name, 0), len(seeds) - 1)
        self._own = _fitted_prior([(own[name], len(scores[name]) - 1) for name in self._random])
        self._pairs = _fitted_prior(pairs)

    def prior(self, one: str, other: str | None = None) -> Prior | None:
        """The prior of the variance of a row, or of the difference of two rows, from the other rows. None without any.

        Pairs share rows, so a prior of differences has no more degrees than the other rows have.
        """
        names = [name for name in (one, other) if name in self._random]
        # The difference from a row that does not vary has the variance of the row itself.
        prior = (None, self._own, self._pairs)[len(names)]
        others = sum(degrees for name, degrees in self._degrees.items() if name not in names)
        if prior is None or not others:
            return None
        return replace(prior, degrees=min(prior.degrees, SHARE * others, MOST))


def nearly_equal(values: Sequence[float]) -> bool:
    """Whether all values are equal, except for rounding."""
    return max(values) - min(values) < TOLERANCE


def _variance(values: Sequence[float]) -> float:
    """Sample variance; 0 for a single value and for equal values."""
    return 0.0 if len(values) < 2 or nearly_equal(values) else float(np.var(values, ddof=1))


def _fitted_prior(estimates: Sequence[tuple[float, int]]) -> Prior | None:
    """Fit a prior by moments of the logarithms (Smyth 2004, section 6.2), with infinite degrees if these vary by chance.

    Args:
        estimates: positive variances and their degrees.
    """
    if len(estimates) < 2:
        return None
    variances, degrees = (np.array(each, dtype=float) for each in zip(*estimates, strict=True))
    logs = np.log(variances) - special.digamma(degrees / 2) + np.log(degrees / 2)
    excess = float(logs.var(ddof=1) - special.polygamma(1, degrees / 2).mean())
    if excess <= 1e-6:
        return Prior(float(np.average(variances, weights=degrees)), math.inf)
    half = math.exp(
        optimize.brentq(lambda log: math.log(special.polygamma(1, math.exp(log))) - math.log(excess), -30.0, 30.0)
    )
    return Prior(float(np.exp(logs.mean() + special.digamma(half) - math.log(half))), 2 * half)


@dataclass(frozen=True)
class MeanError:
    """The error of a mean over test rows and seeds.

    Attributes:
        row_variance, row_degrees: variance from the test rows, and its degrees of freedom.
        seed_variance, seed_degrees: variance from the seeds, and its degrees of freedom; infinite for no variance.
        smallest_p: the smallest possible p value with this number of rows.
        smallest_half_width: half of the narrowest possible interval with this number of rows, in the unit of the mean.
    """

    row_variance: float
    row_degrees: float
    seed_variance: float = 0.0
    seed_degrees: float = math.inf
    smallest_p: float = 0.0
    smallest_half_width: float = 0.0

    @property
    def variance(self) -> float:
        """The whole variance."""
        return self.row_variance + self.seed_variance

    @property
    def degrees(self) -> float:
        """Satterthwaite's degrees of freedom of the whole variance, for reports only; p values do not depend on them."""
        parts = ((self.row_variance, self.row_degrees), (self.seed_variance, self.seed_degrees))
        denominator = sum(variance**2 / degrees for variance, degrees in parts if variance)
        return self.variance**2 / denominator if denominator else math.inf

    def p(self, value: float) -> float:
        """The two-sided p value: the probability of an error of this size or more."""
        if not self.variance:  # equal on every row and seed
            return 1.0 if value == 0.0 else self.smallest_p
        return max(self.smallest_p, self._tails(abs(value)))

    def half_width(self, level: float) -> float:
        """Half of the interval at a level such as 0.95."""
        if not self.variance:
            return self.smallest_half_width
        error = math.sqrt(self.variance)
        high = error
        while self._tails(high) > 1 - level:
            high *= 2
        half = optimize.brentq(lambda size: self._tails(size) - (1 - level), 0.0, high, xtol=1e-10 * error)
        return max(self.smallest_half_width, float(half))

    def _tails(self, size: float) -> float:
        """Two-sided tail probability: that for a known variance of the seeds, averaged over the possible variances."""
        if not self.seed_variance:
            return 2 * float(_lower_tail(self.row_degrees, -size / math.sqrt(self.row_variance)))
        factors, weights = _variance_factors(self.seed_degrees)
        variances = self.row_variance + self.seed_variance * factors
        with np.errstate(divide="ignore", over="ignore"):
            degrees = np.full(len(factors), np.inf)
            if self.row_variance:
                degrees = self.row_degrees * (variances / self.row_variance) ** 2
        return 2 * float(weights @ _lower_tail(degrees, -size / np.sqrt(variances)))


def _lower_tail(degrees: Array | float, values: Array | float) -> Array:
    """Lower tail of Student's t."""
    finite = np.minimum(degrees, MANY)
    return np.where(np.asarray(degrees) < MANY, special.stdtr(finite, values), special.ndtr(values))


@lru_cache(maxsize=256)
def _variance_factors(degrees: float) -> tuple[Array, Array]:
    """Possible ratios of a variance to its estimate with these degrees of freedom, and their weights.

    The ratio is `degrees` over a chi-squared variable. The trapezoid rule in the logarithm converges exponentially for
    smooth functions that vanish at both ends.
    """
    low, high = special.gammaincinv(degrees / 2, TAIL), special.gammainccinv(degrees / 2, TAIL)
    logs = np.linspace(math.log(max(low, 1e-290)), math.log(high), POINTS)  # logarithms of half a chi-squared variable
    density = np.exp(degrees / 2 * (logs - math.log(degrees / 2)) + degrees / 2 - np.exp(logs))
    return degrees / 2 / np.exp(logs), density / density.sum()
