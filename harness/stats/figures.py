"""Average rank, mean normalised score and win rate with their intervals, and which models differ over the tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from harness.metrics.additive import Array
from harness.report.overall import Figure
from harness.stats.across import PerTask, interval, p_value, rank_variances, score_covariances
from harness.stats.holm import holm

ALPHA = 0.05
Figures = tuple[Figure, Figure | None, Figure]  # rank, normalised score, wins


def points(per: PerTask) -> list[Figures]:
    """The figures of each model, without intervals."""

    def mean(part: Array, model: int) -> Figure | None:
        return Figure(float(part[:, model].mean())) if len(part) else None

    return [
        (mean(per.ranks, model), mean(per.scores, model), mean(per.wins, model)) for model in range(per.ranks.shape[1])
    ]


def sure(
    per: PerTask, drawn: Sequence[Sequence[Array]]
) -> tuple[list[Figures], set[frozenset[int]] | None]:  # fmt: skip
    """The figures with intervals, and the pairs of models that differ; None for these where nothing can be told.

    Pairs are tested by their difference in normalised score, which depends little on who else is on the board; a difference
    in average ranks does (Benavoli, Corani & Mangili 2016, "Should we really use post-hoc tests based on mean-ranks?").

    Args:
        per: what each task says.
        drawn: of tasks, of models: [resamples] of mean scores, as `harness.stats.inner` draws them.
    """
    many = [np.array(one) for one in drawn]
    models, within = per.ranks.shape[1], rank_variances(many)
    covariance = score_covariances([many[t] for t in per.scaled], per.trivial) if len(per.scaled) > 1 else None
    figures = []
    for model, (rank, score, wins) in enumerate(points(per)):
        among = interval(per.ranks[:, model], within[model], (models + 1) / 2, (1.0, float(models)))
        # The share of the others that a model ranks above is what it wins, but that seeds of one score say more.
        beaten = interval(per.wins[:, model], within[model] / (models - 1) ** 2, 0.5, (0.0, 1.0))
        if covariance is not None:
            middle, variance = float(per.scores.mean()), float(covariance[model, model])
            score = Figure(score.value, *interval(per.scores[:, model], variance, middle, (-math.inf, 1.0)))
        figures.append((Figure(rank.value, *among), score, Figure(wins.value, *beaten)))
    return figures, None if covariance is None else _different(per.scores, covariance)


def _different(scores: Array, covariance: Array) -> set[frozenset[int]]:
    pairs = list(combinations(range(scores.shape[1]), 2))
    alone = np.diag(covariance)
    p = [
        p_value(scores[:, one] - scores[:, other], float(alone[one] + alone[other] - 2 * covariance[one, other]))
        for one, other in pairs
    ]
    return {frozenset(pair) for pair, adjusted in zip(pairs, holm(p), strict=True) if adjusted < ALPHA}
