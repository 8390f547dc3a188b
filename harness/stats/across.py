"""Figures over tasks: what each task says of each model, and how sure the mean over the tasks is.

Tasks are what the interval is about: it says where the mean would lie over many more tasks like these. In a hierarchy the
variance between the tasks' own figures holds that of seeds and rows already; to draw all three levels with replacement
counts these twice, and percentiles of a handful of tasks are too narrow (Ren et al. 2010, "Nonparametric bootstrapping for
hierarchical data"). So only seeds and rows are drawn (`harness.stats.inner`), the level of the tasks is known without: all
figures are means over tasks. The larger of the two variances counts, for tasks may agree by chance more than their seeds
and rows allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.metrics.additive import Array

LEVEL = 0.95
NEUTRAL = 0.5  # of a task, on which every model is as good as all are on average; see `interval`
DIGITS = 9  # sums in another order differ in their last bits, and are ties
LEAST_GAIN = 1.0  # points that the best model beats the trivial answer by, for a scale that is not noise


@dataclass(frozen=True)
class PerTask:
    """What each task says.

    Attributes:
        ranks: [tasks, models], 1 for the best.
        wins: [tasks, models], 0-1.
        scores: [scaled tasks, models]; 0 for the trivial answer's, 1 for the best.
        scaled: numbers of the tasks that have such a scale.
        trivial: [scaled tasks], their trivial scores.
    """

    ranks: Array
    wins: Array
    scores: Array
    scaled: list[int]
    trivial: Array


def per_task(scores: Sequence[Sequence[Mapping[int, float]]], trivial: Sequence[float | None]) -> PerTask:
    """Ranks, wins and normalised scores.

    Args:
        scores: of tasks, of models: seed → score (0-100).
        trivial: each task's trivial score; None where it is not known.
    """
    means = np.array([[math.fsum(one.values()) / len(one) for one in models] for models in scores])
    best = means.max(axis=1)
    scaled = [t for t, low in enumerate(trivial) if low is not None and best[t] - low >= LEAST_GAIN]
    lows = np.array([trivial[t] for t in scaled], dtype=float)
    return PerTask(
        ranks=ranks(means, axis=1),
        wins=np.array([_wins([list(one.values()) for one in models]) for models in scores]),
        scores=(means[scaled] - lows[:, None]) / (best[scaled] - lows)[:, None],
        scaled=scaled,
        trivial=lows,
    )


def ranks(scores: Array, axis: int) -> Array:
    """1 for the highest; equal ones share the mean of their ranks."""
    return stats.rankdata(-np.round(scores, DIGITS), axis=axis)


def _wins(models: Sequence[Sequence[float]]) -> Array:
    """Each model's chance to beat another: all scores are sorted once, whatever the number of pairs."""
    weights = np.concatenate([np.full(len(seeds), 1 / len(seeds)) for seeds in models])
    _, place = np.unique(np.round(np.concatenate(models), DIGITS), return_inverse=True)
    mass = np.bincount(place, weights)
    beaten = weights * (np.cumsum(mass) - mass / 2)[place]
    whole = np.add.reduceat(beaten, np.cumsum([0, *map(len, models)])[:-1])
    return (whole - 0.5) / (len(models) - 1)  # one half: against itself


def interval(values: Array, within: float, neutral: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """A 95 % interval of a mean over tasks: Student's t with a degree of freedom less than there are tasks.

    A model that is the first of all five tasks need not be the first of all tasks. Half a task is added on which it is
    average, as Agresti & Coull (1998) do for proportions; it moves the interval, not the mean that is shown.

    Args:
        values: [tasks].
        within: variance of their mean from seeds and rows.
        neutral: the value of the average model.
        bounds: what values there are.
    """
    weight = len(values) + NEUTRAL
    centre = (float(values.sum()) + NEUTRAL * neutral) / weight
    squares = float(((values - centre) ** 2).sum()) + NEUTRAL * (neutral - centre) ** 2
    half = math.sqrt(max(squares / (weight - 1) / weight, within)) * float(
        stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    )
    return max(bounds[0], centre - half), min(bounds[1], centre + half)


def p_value(values: Array, within: float) -> float:
    """Of the hypothesis that the mean over tasks is zero; arguments as of `interval`."""
    mean, error = float(values.mean()), math.sqrt(max(float(values.var(ddof=1)) / len(values), within))
    if error == 0.0:
        return 1.0 if mean == 0.0 else 2.0 ** (1 - len(values))  # of a sign test: all speak for one
    return float(2 * stats.t.sf(abs(mean) / error, len(values) - 1))


def rank_variances(drawn: Sequence[Array]) -> Array:
    """[models]: variances of average ranks from seeds and rows.

    Args:
        drawn: of tasks, [models, resamples] of scores.
    """
    return sum(ranks(one, axis=0).var(axis=1, ddof=1) for one in drawn) / len(drawn) ** 2


def score_covariances(drawn: Sequence[Array], trivial: Array) -> Array:
    """[models, models]: covariances of mean normalised scores from seeds and rows.

    Args:
        drawn: of the scaled tasks, [models, resamples] of scores.
        trivial: their trivial scores.
    """
    gains = [one - low for one, low in zip(drawn, trivial, strict=True)]
    return sum(np.cov(gain / np.maximum(gain.max(axis=0), LEAST_GAIN)) for gain in gains) / len(drawn) ** 2
