"""Are all models equal over the tasks? Demšar (2006), "Statistical comparisons of classifiers over multiple data sets"."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from harness.metrics.additive import Array
from harness.report.overall import Friedman

LEAST_MODELS, LEAST_TASKS = 3, 5
ALPHA = 0.05


def friedman(ranks: Array) -> tuple[Friedman | None, str]:
    """Friedman's test and Nemenyi's critical difference, or why there are none.

    Args:
        ranks: [tasks, models], of mean scores.
    """
    tasks, models = ranks.shape
    if models < LEAST_MODELS or tasks < LEAST_TASKS:
        return None, (
            f"Friedman's test is left out: with {models} models on {tasks} tasks it has no power, whatever they are like "
            f"(it takes {LEAST_MODELS} models and {LEAST_TASKS} tasks at least, and ten tasks to be of much use)."
        )
    if np.all(ranks == ranks[0, 0]):
        return None, "Friedman's test is left out: all models are equal on every task."
    found = stats.friedmanchisquare(*ranks.T)
    distance = critical_difference(models, tasks)
    return Friedman(float(found.statistic), models - 1, float(found.pvalue), distance), ""


def critical_difference(models: int, tasks: int) -> float:
    """By which two average ranks must differ at the level 0.05 (Nemenyi 1963)."""
    quantile = float(stats.studentized_range.ppf(1 - ALPHA, models, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(models * (models + 1) / (6 * tasks))
