"""Means over tasks of rank, normalised score and win rate of each model, with intervals and tests.

An interval says where the mean would be over many more tasks like these. The variance between tasks already includes
that of seeds and rows, so resampling all three levels would count these twice, and percentiles of a handful of tasks
are too narrow (Ren et al. 2010, "Nonparametric bootstrapping for hierarchical data"). So only seeds and rows are
resampled, and the variance over tasks is computed from the tasks. The larger of the two variances is used, because a
few tasks may agree by chance more than their seeds and rows allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from harness.metrics.additive import Array
from harness.stats.multiple_tests import ALPHA, holm
from harness.stats.over_tasks import Friedman, TaskMean
from harness.stats.paired import SEED

LEVEL = 0.95
NEUTRAL = 0.5  # weight of an additional task on which every model is average; see `mean_interval`
DIGITS = 9  # sums in another order differ in their last bits; values that are equal to 9 digits tie
LEAST_GAIN = 1.0  # points that the best model must be above the trivial score, so that the scale is not noise
LEAST_MODELS, LEAST_TASKS = 3, 5  # for Friedman's test
TaskMeans = tuple[TaskMean, TaskMean | None, TaskMean]  # rank, normalised score, wins


@dataclass(frozen=True)
class PerTask:
    """Ranks, wins and normalised scores of all models on each task.

    Attributes:
        ranks: [tasks, models], 1 for the best.
        wins: [tasks, models], 0-1.
        scores: [scaled tasks, models], normalised: 0 is the trivial score, 1 the best one.
        scaled: indices of the tasks with normalised scores.
        trivial: [scaled tasks], trivial scores.
    """

    ranks: Array
    wins: Array
    scores: Array
    scaled: list[int]
    trivial: Array


def per_task(scores: Sequence[Sequence[Mapping[int, float]]], trivial: Sequence[float | None]) -> PerTask:
    """Compute ranks, wins and normalised scores.

    Args:
        scores: [tasks][models], seed → score (0-100).
        trivial: [tasks], trivial scores; None if unknown.
    """
    means = np.array([[math.fsum(seeds.values()) / len(seeds) for seeds in models] for models in scores])
    best = means.max(axis=1)
    scaled = [t for t, low in enumerate(trivial) if low is not None and best[t] - low >= LEAST_GAIN]
    lows = np.array([trivial[t] for t in scaled], dtype=float)
    return PerTask(
        ranks=rank_models(means, axis=1),
        wins=np.array([_wins([list(seeds.values()) for seeds in models]) for models in scores]),
        scores=(means[scaled] - lows[:, None]) / (best[scaled] - lows)[:, None],
        scaled=scaled,
        trivial=lows,
    )


def rank_models(scores: Array, axis: int) -> Array:
    """Rank scores, 1 for the highest; equal ones share the mean of their ranks."""
    return stats.rankdata(-np.round(scores, DIGITS), axis=axis)


def _wins(models: Sequence[Sequence[float]]) -> Array:
    """[models] of the probability to beat another model, from one sort of all scores instead of all pairs."""
    weights = np.concatenate([np.full(len(seeds), 1 / len(seeds)) for seeds in models])
    _, position = np.unique(np.round(np.concatenate(models), DIGITS), return_inverse=True)
    mass = np.bincount(position, weights)
    below = weights * (np.cumsum(mass) - mass / 2)[position]
    total = np.add.reduceat(below, np.cumsum([0, *map(len, models)])[:-1])
    return (total - 0.5) / (len(models) - 1)  # without the half for the tie with itself


def mean_interval(values: Array, within: float, neutral: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of a mean over tasks, by Student's t with one degree of freedom less than there are tasks.

    A model that is first on all five tasks need not be first on all possible tasks. So half a task is added on which
    the model is average, as Agresti & Coull (1998) do for proportions. This moves the interval, but not the reported
    mean.

    Args:
        values: [tasks].
        within: variance of the mean from seeds and rows.
        neutral: the value of an average model.
        bounds: smallest and largest possible value.
    """
    weight = len(values) + NEUTRAL
    centre = (float(values.sum()) + NEUTRAL * neutral) / weight
    squares = float(((values - centre) ** 2).sum()) + NEUTRAL * (neutral - centre) ** 2
    half = math.sqrt(max(squares / (weight - 1) / weight, within)) * float(
        stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    )
    return max(bounds[0], centre - half), min(bounds[1], centre + half)


def p_value(values: Array, within: float) -> float:
    """The p value of the hypothesis that the mean over tasks is zero. The arguments are those of `mean_interval`."""
    mean, error = float(values.mean()), math.sqrt(max(float(values.var(ddof=1)) / len(values), within))
    if error == 0.0:
        return 1.0 if mean == 0.0 else 2.0 ** (1 - len(values))  # as in a sign test in which all tasks agree
    return float(2 * stats.t.sf(abs(mean) / error, len(values) - 1))


def rank_variances(drawn: Sequence[Array]) -> Array:
    """[models] of the variance of the mean rank from seeds and rows; `drawn` are scores [models, resamples] by task."""
    return sum(rank_models(scores, axis=0).var(axis=1, ddof=1) for scores in drawn) / len(drawn) ** 2


def score_covariances(drawn: Sequence[Array], trivial: Array) -> Array:
    """[models, models] of the covariances of mean normalised scores from seeds and rows.

    Args:
        drawn: for each scaled task, scores [models, resamples].
        trivial: [scaled tasks], trivial scores.
    """
    gains = [scores - low for scores, low in zip(drawn, trivial, strict=True)]
    return sum(np.cov(gain / np.maximum(gain.max(axis=0), LEAST_GAIN)) for gain in gains) / len(drawn) ** 2


def means_without_intervals(per: PerTask) -> list[TaskMeans]:
    """The means of each model without intervals."""

    def mean(values: Array, model: int) -> TaskMean | None:
        return TaskMean(float(values[:, model].mean())) if len(values) else None

    models = range(per.ranks.shape[1])
    return [(mean(per.ranks, model), mean(per.scores, model), mean(per.wins, model)) for model in models]


def means_with_intervals(
    per: PerTask, drawn: Sequence[Sequence[Array]]
) -> tuple[list[TaskMeans], set[frozenset[int]] | None]:
    """The means of each model with intervals, and the pairs of models that differ; None if no pairs can be tested.

    Pairs are tested by their difference in normalised score, which hardly depends on the other models of the board. A
    difference in mean rank depends on them (Benavoli, Corani & Mangili 2016, "Should we really use post-hoc tests based
    on mean-ranks?").

    Args:
        per: ranks, wins and scores of each task.
        drawn: [tasks][models], mean scores [resamples], see `resample_seeds`.
    """
    resampled = [np.array(models) for models in drawn]
    models, within = per.ranks.shape[1], rank_variances(resampled)
    covariance = score_covariances([resampled[t] for t in per.scaled], per.trivial) if len(per.scaled) > 1 else None
    means = []
    for model, (rank, score, wins) in enumerate(means_without_intervals(per)):
        rank_interval = mean_interval(per.ranks[:, model], within[model], (models + 1) / 2, (1.0, float(models)))
        # Apart from seeds, a win rate is the share of models ranked below: its variance is that of the rank, rescaled.
        win_interval = mean_interval(per.wins[:, model], within[model] / (models - 1) ** 2, 0.5, (0.0, 1.0))
        if covariance is not None:
            neutral, variance = float(per.scores.mean()), float(covariance[model, model])
            score = TaskMean(score.value, *mean_interval(per.scores[:, model], variance, neutral, (-math.inf, 1.0)))
        means.append((TaskMean(rank.value, *rank_interval), score, TaskMean(wins.value, *win_interval)))
    return means, None if covariance is None else _different_pairs(per.scores, covariance)


def _different_pairs(scores: Array, covariance: Array) -> set[frozenset[int]]:
    pairs = list(combinations(range(scores.shape[1]), 2))
    variances = np.diag(covariance)
    p = [
        p_value(scores[:, a] - scores[:, b], float(variances[a] + variances[b] - 2 * covariance[a, b]))
        for a, b in pairs
    ]
    return {frozenset(pair) for pair, adjusted in zip(pairs, holm(p), strict=True) if adjusted < ALPHA}


def friedman(ranks: Array) -> tuple[Friedman | None, str]:
    """Friedman's test of the hypothesis that all models are equal, with Nemenyi's critical difference (Demšar 2006).

    Args:
        ranks: [tasks, models], ranks of mean scores.

    Returns:
        The test, or None and the reason why it was left out.
    """
    tasks, models = ranks.shape
    if models < LEAST_MODELS or tasks < LEAST_TASKS:
        return None, (
            f"Friedman's test is left out: with {models} models on {tasks} tasks it has no power, whatever they are like "
            f"(it takes {LEAST_MODELS} models and {LEAST_TASKS} tasks at least, and ten tasks to be of much use)."
        )
    if np.all(ranks == ranks[0, 0]):
        return None, "Friedman's test is left out: all models are equal on every task."
    test = stats.friedmanchisquare(*ranks.T)
    distance = critical_difference(models, tasks)
    return Friedman(float(test.statistic), models - 1, float(test.pvalue), distance), ""


def critical_difference(models: int, tasks: int) -> float:
    """The smallest difference of two mean ranks that is significant at the level 0.05 (Nemenyi 1963)."""
    quantile = float(stats.studentized_range.ppf(1 - ALPHA, models, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(models * (models + 1) / (6 * tasks))


def resample_seeds(drawn: Mapping[int, Array]) -> Array:
    """[resamples] of the mean score of a model over resampled seeds and rows.

    Of n seeds, n - 1 are drawn with replacement, which gives the right variance of the mean; drawing n would make it
    too small, by a third for three seeds (McCarthy & Snowden 1985; Rao & Wu 1988). Models with the same seeds get the
    same draws, because they are paired: equal seeds have equal splits and order of data.

    Args:
        drawn: seed → [resamples] of the score; the resamples of the rows are the same for all models.
    """
    seeds = sorted(drawn)
    scores = np.array([drawn[seed] for seed in seeds])
    if len(seeds) == 1:
        return scores[0]
    number = scores.shape[1]
    chosen = np.random.default_rng([SEED, *map(abs, seeds)]).integers(0, len(seeds), size=(len(seeds) - 1, number))
    return scores[chosen, np.arange(number)].mean(axis=0)
