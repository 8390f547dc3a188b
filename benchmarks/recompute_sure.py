"""How sure means are, by the formulas of docs/statistics.md and draws of this script's own. Imports nothing of harness.

Draws of another generator give other digits, so a range is given for each figure: what it may be when variances that were
drawn are off by `OFF`.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy import stats

RESAMPLES = 2000
OFF = 0.15  # of a variance of 2,000 draws: 3.2 % standard error here, as much there; more than three of both together
T = 0.975


class Draws:
    """Resamples of a task's rows, the same for all models and seeds."""

    def __init__(self, number: int):
        self.rows = number
        self.chance = np.random.default_rng(20_240_229)
        self.times = self.chance.multinomial(number, np.full(number, 1 / number), size=RESAMPLES).astype(float)

    def of(self, counts: Any, score: Any) -> Any:
        """[resamples] of scores."""
        return score(self.times @ counts)


def halves(each: Any, drawn: Any, rows: int) -> list[tuple[float, float]]:
    """(standard error, degrees of freedom) of a mean over seeds, for each way in which the draws may be off.

    Args:
        each: [seeds] scores or differences.
        drawn: [seeds, resamples].
        rows: test rows.
    """
    seeds, mean_variance, single = len(each), drawn.mean(axis=0).var(ddof=1), drawn.var(axis=1, ddof=1).mean()
    found = []
    for a, b in product((1 - OFF, 1.0, 1 + OFF), repeat=2):
        row, seed = mean_variance * a, each.var(ddof=1) / seeds if seeds > 1 else 0.0
        both = max(0.0, single * b - row) / (seeds - 1) if seeds > 1 else 0.0
        part = max(0.0, seed - both)
        below = (row**2 / (rows - 1)) + (seed**2 / (seeds - 1) if part else 0.0)
        found.append((float(np.sqrt(row + part)), float((row + part) ** 2 / below) if below else np.inf))
    return found


def half_range(each: Any, drawn: Any, rows: int) -> tuple[float, float]:
    """Least and most that half of a 95 % interval may be."""
    found = [error * stats.t.ppf(T, degrees) for error, degrees in halves(each, drawn, rows) if error]
    return (min(found), max(found)) if found else (0.0, 0.0)


def p_range(each: Any, drawn: Any, rows: int) -> tuple[float, float]:
    """Least and most that the p value of a difference may be."""
    value = abs(float(each.mean()))
    found = [2 * stats.t.sf(value / error, degrees) for error, degrees in halves(each, drawn, rows) if error]
    return (min(found), max(found)) if found else (float(value == 0),) * 2


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
