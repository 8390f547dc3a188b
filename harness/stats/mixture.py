"""How far a mean is from what endless rows and seeds would give: two parts, of which the seeds' is hardly known.

The sum of an error whose variance is known well, the rows', and one whose variance is known from few seeds is not Student's t of any
degrees: one t for both, with degrees made out of the two estimates (Satterthwaite 1946), takes three seeds that agree by chance for
three seeds that always agree. The two are kept apart here, as for Behrens and Fisher's problem: how large the seeds' variance may
be is integrated over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from harness.metrics.additive import Array

POINTS = 192  # of the integral; against twice as many, p agrees to nine digits
REST = 1e-15  # chance that is left out at each end of it
MANY = 1e6  # degrees from which Student's t is normal


@dataclass(frozen=True)
class Error:
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
