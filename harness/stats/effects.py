"""How large a difference is, on scales that tasks share.

Cohen's d over paired seeds would be the usual choice. It divides by the deviation of the seeds, which three seeds hardly know,
and grows without end the less they differ. Here are two figures that need no deviation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from harness.metrics.additive import Array
from harness.stats.paired import LEVEL, RESAMPLES, Drawing, Drawn, Rows, right_or_wrong, spread


@dataclass(frozen=True)
class Effect:
    """A figure with its 95 % interval; None: infinite."""

    value: float | None
    low: float
    high: float | None


def superiority(ours: Sequence[float], theirs: Sequence[float]) -> Effect:
    """The chance that a training of ours scores higher than one of theirs on these test rows, ties half; 0.5: neither.

    All pairs of seeds are looked at (Vargha & Delaney's A, 2000; Agarwal et al. 2021, "Deep reinforcement learning at the edge
    of the statistical precipice", recommend it for few runs). The interval is Newcombe's (2006, part 2, method 5), with
    Student's t in the place of the normal quantile: three seeds that all beat three others come by chance one time in ten,
    so 0.5 has to stay inside.

    Args:
        ours, theirs: scores, one a seed.
    """
    one, other = (np.round(np.asarray(scores, dtype=float), 9) for scores in (ours, theirs))
    value = float((np.sign(one[:, None] - other[None, :]).mean() + 1) / 2)
    product, half = len(one) * len(other), (len(one) + len(other)) / 2 - 1
    wide = float(stats.t.ppf((1 + LEVEL) / 2, max(1, len(one) + len(other) - 2)))

    def excess(chance: float) -> float:
        """Squared distance to the value, less what is allowed."""
        spread = 1 + half * ((1 - chance) / (2 - chance) + chance / (1 + chance))
        return (value - chance) ** 2 - wide**2 * chance * (1 - chance) * spread / product

    inside = min(max(value, 1e-9), 1 - 1e-9)  # 0 and 1 are roots themselves, where they are the value
    low = 0.0 if value == 0.0 else float(optimize.brentq(excess, 0.0, inside))
    high = 1.0 if value == 1.0 else float(optimize.brentq(excess, inside, 1.0))
    return Effect(value, low, high)


def odds_ratio(ours: Sequence[Any], theirs: Sequence[Any], rows: int, resamples: int = RESAMPLES) -> Effect | None:
    """Of the rows that one of the two alone has right: how many times as many are ours; 1: neither is better.

    What McNemar's test tests. For one seed the interval is exact (Clopper & Pearson's for the share of ours). Over several
    seeds, whose rows are not independent, it is the geometric mean of the seeds' ratios, each with half a row added to both
    sides (Haldane 1956), and the interval is that of the mean logarithm over rows and seeds (`harness.stats.paired.spread`).
    A seed in which both have the same rows right says nothing and is left out.

    Where a seed has no row that only theirs (or only ours) has right, nothing bounds the ratio from above (or below): the
    interval is unbounded there, and its other end is no nearer than the exact bound of any seed. Where that is so in every
    seed, the ratio is infinite (or 0).

    Args:
        ours, theirs: what `TaskFamily.additive` gives, one a seed, paired.
        rows: test rows.

    Returns:
        None unless rows are right or wrong.
    """
    if not all(map(right_or_wrong, (*ours, *theirs))):
        return None
    pairs = [(our.counts[:, 0] > 0, their.counts[:, 0] > 0) for our, their in zip(ours, theirs, strict=True)]
    alone = [np.stack([our & ~their, their & ~our], axis=1).astype(float) for our, their in pairs]
    alone = [one for one in alone if one.any()]
    exact = [_exact(*(int(count) for count in one.sum(axis=0))) for one in alone]
    if not exact:
        return Effect(1.0, 0.0, None)
    if len(exact) == 1:
        return exact[0]
    drawing = Drawing(rows, resamples)
    drawn = [Drawn(float(_log(one.sum(axis=0))), _log(drawing.times @ one)) for one in alone]
    found = spread(np.array([one.score for one in drawn]), np.array([one.drawn for one in drawn]), Rows(rows, points=False))
    value, low, high = (math.exp(number) for number in (found.value, found.low, found.high))
    without_theirs, without_ours = [one.value is None for one in exact], [one.value == 0 for one in exact]
    return Effect(
        None if all(without_theirs) else 0.0 if all(without_ours) else value,
        0.0 if any(without_ours) else min(low, *(one.low for one in exact)) if any(without_theirs) else low,
        None if any(without_theirs) else max(high, *(one.high or 0.0 for one in exact)) if any(without_ours) else high,
    )


def _exact(only: int, other: int) -> Effect:
    """Of one seed: so many rows that only ours has right, and so many that only theirs has; not both 0."""
    share = stats.binomtest(only, only + other).proportion_ci(LEVEL, method="exact")
    return Effect(_odds(only / (only + other)), share.low / (1 - share.low), _odds(float(share.high)))


def _odds(share: float) -> float | None:
    return share / (1 - share) if share < 1 else None


def _log(counts: Array) -> Array:
    """[..., 2] → [...]: logarithms of the ratios."""
    return np.log((counts[..., 0] + 0.5) / (counts[..., 1] + 0.5))
