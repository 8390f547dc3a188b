"""How sure means are, by the formulas of docs/statistics.md and draws of this script's own. Imports nothing of harness.

Draws of another generator give other digits, so a range is given for each figure: what it may be when variances that were
drawn are off by `OFF`.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
from scipy import integrate, special, stats

RESAMPLES = 2000
OFF = 0.15  # of a variance of 2,000 draws: 3.2 % standard error here, as much there; more than three of both together
T = 0.975
Prior = tuple[float, float]  # a variance and its degrees of freedom


class Draws:
    """Resamples of a task's rows, the same for all models and seeds."""

    def __init__(self, number: int):
        self.rows = number
        self.chance = np.random.default_rng(20_240_229)
        self.times = self.chance.multinomial(number, np.full(number, 1 / number), size=RESAMPLES).astype(float)

    def of(self, counts: Any, score: Any) -> Any:
        """[resamples] of scores."""
        return score(self.times @ counts)


def errors(each: Any, drawn: Any, rows: int, prior: Prior | None) -> list[tuple[float, float, float, float]]:
    """(variance from rows, its degrees, variance from seeds, its degrees) of a mean over seeds, four times: where the
    draws of the one and of the other variance are too small and too large.

    Args:
        each: [seeds] scores or differences.
        drawn: [seeds, resamples].
        rows: test rows.
        prior: variance over seeds that the column shows, and its degrees.
    """
    n, mean_variance, single = len(each), drawn.mean(axis=0).var(ddof=1), drawn.var(axis=1, ddof=1).mean()
    own = 0.0 if np.ptp(each) < 1e-9 else each.var(ddof=1)
    strength, before = (prior[1], prior[0]) if prior and n > 1 else (0.0, 0.0)
    seed = max(own, (strength * before + (n - 1) * own) / (strength + n - 1)) / n if n > 1 else 0.0
    found = []
    for a, b in product((1 - OFF, 1 + OFF), repeat=2):
        row = mean_variance * a
        if seed:  # row = what all seeds share + what is a seed's own / n; single = the former + the latter
            row = float(np.clip((n * row - single * b) / (n - 1), 0.0, row))
        found.append((row, rows - 1.0, seed, strength + n - 1.0))
    return found


def beyond(size: float, row: float, row_degrees: float, seed: float, seed_degrees: float) -> float:
    """The chance that the sum of both errors is farther from zero: given the chi-squared of the seeds' part, it is Student's t."""
    if not seed:
        return 2 * special.stdtr(row_degrees, -size / np.sqrt(row)) if row else float(size == 0)
    if not row:
        return 2 * stats.t.sf(size / np.sqrt(seed), seed_degrees)

    def part(log: float) -> float:
        known = row + seed * seed_degrees * np.exp(-log)
        weight = np.exp(seed_degrees / 2 * (log - np.log(2)) - np.exp(log) / 2 - special.gammaln(seed_degrees / 2))
        return 2 * weight * special.stdtr(min(row_degrees * (known / row) ** 2, 1e6), -size / np.sqrt(known))

    low, high = -40.0 / seed_degrees * 2 + np.log(seed_degrees), np.log(stats.chi2.isf(1e-14, seed_degrees))
    return integrate.quad(part, low, high, epsabs=1e-12, epsrel=1e-6, limit=200)[0]


def p_of(size: float, each: Any, drawn: Any, rows: int, prior: Prior | None) -> tuple[float, float]:
    """Least and most that the chance of an error may be that is farther from zero."""
    found = [beyond(size, *error) for error in errors(each, drawn, rows, prior)]
    return min(found), max(found)


def p_range(each: Any, drawn: Any, rows: int, prior: Prior | None) -> tuple[float, float]:
    """Least and most that the p value of a difference may be."""
    return p_of(abs(float(each.mean())), each, drawn, rows, prior)


def prior_of(scores: dict[str, dict[int, float]], names: tuple[str, ...]) -> Prior | None:
    """What a column shows of the variance over seeds of a row, or of the difference of two.

    Args:
        scores: row → seed → score.
        names: of the row, or of the two.
    """
    lucky = {name: own for name, own in scores.items() if len(own) > 1 and np.ptp(list(own.values())) >= 1e-9}
    meant, gaps = [name for name in names if name in lucky], {}
    for one, other in combinations(lucky, 2):
        shared = [lucky[one][seed] - lucky[other][seed] for seed in lucky[one] if seed in lucky[other]]
        if len(shared) > 1 and np.ptp(shared) >= 1e-9:
            gaps[one, other] = shared
    others = 0
    for name in lucky.keys() - set(meant):
        others += max([len(shared) - 1 for pair, shared in gaps.items() if name in pair], default=0)
    samples = list(gaps.values()) if len(meant) == 2 else [list(own.values()) for own in lucky.values()]
    if not meant or not others or len(samples) < 2:
        return None
    variance, degrees = inverse_gamma(
        np.array([np.var(s, ddof=1) for s in samples]), np.array([len(s) - 1 for s in samples])
    )
    return variance, min(degrees, others / 2, 4)


def inverse_gamma(variances: Any, degrees: Any) -> Prior:
    """Smyth's (2004) moments: the logarithm of a variance has that of a chi-squared, and that of the prior."""
    halves = degrees / 2
    level = np.log(variances) - special.digamma(halves) + np.log(halves)
    left = level.var(ddof=1) - special.polygamma(1, halves).mean()
    if left <= 1e-6:
        return (variances * degrees).sum() / degrees.sum(), np.inf
    half = 0.5 + 1 / left
    for _ in range(50):  # Newton's way in 1 / trigamma, which is nearly straight
        value = special.polygamma(1, half)
        half += value * (1 - value / left) / special.polygamma(2, half)
    return float(np.exp(level.mean() + special.digamma(half)) / half), float(2 * half)


def holm(values: list[float]) -> list[float]:
    """Adjusted p values, by the definition: the largest of the multiples so far."""
    order = np.argsort(values, kind="stable")
    multiples = [(len(values) - rank) * values[place] for rank, place in enumerate(order)]
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(multiples)) if len(values) else []
    return adjusted.tolist()


def redrawn(drawn: dict[int, Any], chance: np.random.Generator) -> Any:
    """[resamples]: the mean of n - 1 of n seeds, drawn with replacement."""
    many = np.array([drawn[seed] for seed in sorted(drawn)])
    if len(many) == 1:
        return many[0]
    chosen = chance.integers(0, len(many), (len(many) - 1, many.shape[1]))
    return np.take_along_axis(many, chosen, axis=0).mean(axis=0)
