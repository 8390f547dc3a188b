"""How much the seed of a training decides, in a whole column of the board.

Three seeds hardly know their own variance: they agree by chance now and then. What the other rows of the column show helps, as
in moderated t tests (Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments"): a prior variance, with degrees of freedom that say how alike the rows are, fitted to all of them by moments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import optimize, special

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


class Luck:
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
        self._own = _fitted([(own[name], len(scores[name]) - 1) for name in self._random])
        self._pairs = _fitted(pairs)

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


def _fitted(found: Sequence[tuple[float, int]]) -> Prior | None:
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
