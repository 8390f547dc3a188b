"""How much the seed of a training decides, in a whole column of the board.

Three seeds hardly know their own variance: they agree by chance now and then. What the other rows of the column show helps, as
in moderated t tests (Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments"): a prior variance, with degrees of freedom that say how alike the rows are, fitted to all of them by moments.
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

MOST = 4.0  # degrees of a prior; more make nearly no difference where rows are alike, and harm where one is unlike the others
SHARE = 0.5  # of the degrees of the other rows, as rows are not alike
ALIKE = 1e-9  # points; scores that differ by less are equal


@dataclass(frozen=True)
class Prior:
    """A variance over seeds that others have shown.

    Attributes:
        variance: of one seed, in squared points.
        degrees: how many the prior counts for.
    """

    variance: float
    degrees: float

    def moderated(self, variance: float, degrees: float) -> tuple[float, float]:
        """A variance from seeds of one's own, and its degrees, in the light of the prior; never smaller than it is itself.

        Where it is large it may be that of a model that is less stable than others.
        """
        total = self.degrees + degrees
        return max(variance, (self.degrees * self.variance + degrees * variance) / total), total


class SeedVariance:
    """The luck of a column's rows.

    Args:
        scores: row → seed → score, of all rows of the column. Rows whose score is the same for each seed, such as
            baselines, have no luck.
    """

    def __init__(self, scores: Mapping[str, Mapping[int, float]]):
        self._degrees: dict[str, int] = {}  # of the rows that tell of luck
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
        """What is known beforehand of the variance of a row over seeds, or of the difference of two; None: nothing.

        Pairs share rows, so a prior has no more degrees than the other rows have, however many pairs it was fitted to.
        """
        names = [name for name in (one, other) if name in self._random]
        # What differs from a row without luck varies as it does itself.
        found = (None, self._own, self._pairs)[len(names)]
        others = sum(degrees for name, degrees in self._degrees.items() if name not in names)
        if found is None or not others:
            return None
        return replace(found, degrees=min(found.degrees, SHARE * others, MOST))


def same(values: Sequence[float]) -> bool:
    """Whether all are the same, but for what sums in another order make of them."""
    return max(values) - min(values) < ALIKE


def _variance(values: Sequence[float]) -> float:
    """Zero for a single one, and for those that are the same."""
    return 0.0 if len(values) < 2 or same(values) else float(np.var(values, ddof=1))


def _fitted_prior(found: Sequence[tuple[float, int]]) -> Prior | None:
    """The prior by moments of the logarithms (Smyth 2004, section 6.2); with endless degrees where they vary no more than by chance.

    Args:
        found: variances, not zero, and their degrees.
    """
    if len(found) < 2:
        return None
    variances, degrees = (np.array(each, dtype=float) for each in zip(*found, strict=True))
    logs = np.log(variances) - special.digamma(degrees / 2) + np.log(degrees / 2)
    excess = float(logs.var(ddof=1) - special.polygamma(1, degrees / 2).mean())
    if excess <= 1e-6:
        return Prior(float(np.average(variances, weights=degrees)), math.inf)
    half = math.exp(
        optimize.brentq(lambda log: math.log(special.polygamma(1, math.exp(log))) - math.log(excess), -30.0, 30.0)
    )
    return Prior(float(np.exp(logs.mean() + special.digamma(half) - math.log(half))), 2 * half)


POINTS = 192  # of the integral; against twice as many, p agrees to nine digits
REST = 1e-15  # chance that is left out at each end of it
MANY = 1e6  # degrees from which Student's t is normal


@dataclass(frozen=True)
class MeanError:
    """The error of a mean.

    Attributes:
        rows: variance that comes from the test rows.
        row_degrees: degrees of freedom of that variance.
        seeds: variance that comes from the seeds.
        seed_degrees: degrees of freedom of that variance; infinite where there is none.
        least: the smallest p value that so many rows can show, however they look.
        unseen: half of the narrowest interval that so many rows allow, in the mean's unit.
    """

    rows: float
    row_degrees: float
    seeds: float = 0.0
    seed_degrees: float = math.inf
    least: float = 0.0
    unseen: float = 0.0

    @property
    def degrees(self) -> float:
        """Satterthwaite's, of the whole variance: to be read as a size of it all, since no p value comes from them."""
        parts = ((self.rows, self.row_degrees), (self.seeds, self.seed_degrees))
        below = sum(variance**2 / degrees for variance, degrees in parts if variance)
        return (self.rows + self.seeds) ** 2 / below if below else math.inf

    def p(self, value: float) -> float:
        """The chance of an error of this size or more, to either side."""
        if not self.rows + self.seeds:  # two that agree on every row and seed
            return 1.0 if value == 0.0 else self.least
        return max(self.least, float(self._beyond(abs(value))))

    def half(self, level: float) -> float:
        """Half of the interval of a mean, for a level such as 0.95."""
        if not self.rows + self.seeds:
            return self.unseen
        error = math.sqrt(self.rows + self.seeds)
        high = error
        while self._beyond(high) > 1 - level:
            high *= 2
        found = optimize.brentq(lambda size: self._beyond(size) - (1 - level), 0.0, high, xtol=1e-10 * error)
        return max(self.unseen, float(found))

    def _beyond(self, size: float) -> float:
        """Were the seeds' variance known, it would be Student's t with the degrees of the rows' part; its mean over what that may be."""
        if not self.seeds:
            return 2 * float(_below(self.row_degrees, -size / math.sqrt(self.rows)))
        factors, weights = _factors(self.seed_degrees)
        variances = self.rows + self.seeds * factors
        with np.errstate(divide="ignore", over="ignore"):
            degrees = self.row_degrees * (variances / self.rows) ** 2 if self.rows else np.full(len(factors), np.inf)
        return 2 * float(weights @ _below(degrees, -size / np.sqrt(variances)))


def _below(degrees: Array | float, values: Array | float) -> Array:
    """Student's t, lower tail."""
    few = np.minimum(degrees, MANY)
    return np.where(np.asarray(degrees) < MANY, special.stdtr(few, values), special.ndtr(values))


@lru_cache(maxsize=256)
def _factors(degrees: float) -> tuple[Array, Array]:
    """By how much a variance may exceed its estimate with so many degrees, and weights: degrees over a chi-squared.

    The trapezoid rule in the logarithm, whose error falls exponentially for what is smooth and fades at both ends.
    """
    low, high = special.gammaincinv(degrees / 2, REST), special.gammainccinv(degrees / 2, REST)
    places = np.linspace(math.log(max(low, 1e-290)), math.log(high), POINTS)  # of half a chi-squared
    density = np.exp(degrees / 2 * (places - math.log(degrees / 2)) + degrees / 2 - np.exp(places))
    return degrees / 2 / np.exp(places), density / density.sum()
