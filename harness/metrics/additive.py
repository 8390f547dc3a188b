"""Metrics as functions of sums over rows: all resamples of the rows are scored by one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Additive:
    """A metric that is a function of sums over rows.

    Attributes:
        counts: [rows, kinds], the summands. For a mean over rows these are the row's value and 1.
        score: sums [..., kinds] → scores [...] (0-100). For the sums over all rows this is the metric itself.
    """

    counts: Array
    score: Callable[[Array], Array]

    def resampled(self, times: Array) -> Array:
        """[resamples] of the score, if row r counts `times[resample, r]` times."""
        return self.score(times @ self.counts)


def mean_of(values: Sequence[float], scale: float = 100.0) -> Additive:
    """A mean over rows, such as accuracy. `scale` turns the values into 0-100."""
    counts = np.stack([np.asarray(values, dtype=float) * scale, np.ones(len(values))], axis=1)
    return Additive(counts, lambda sums: _ratio(sums[..., 0], sums[..., 1]))


def f1_of(counts: Sequence[Sequence[float]]) -> Additive:
    """Micro-averaged F1 from the (correct, predicted, actual) counts of each row; 0 if both denominators are 0."""
    return Additive(
        np.asarray(counts, dtype=float).reshape(-1, 3),
        lambda sums: _ratio(200.0 * sums[..., 0], sums[..., 1] + sums[..., 2]),
    )


def over_classes(predictions: Sequence[str], references: Sequence[str], metric: str) -> Additive:
    """An average over classes or Matthews' correlation, as in `harness.metrics.classification.ClassificationMetric`.

    Averages are taken over the classes in the references, whatever is predicted; for a resample, over those in the
    resample.

    Args:
        predictions, references: one label per row.
        metric: `macro_` or `weighted_` followed by `f1`, `precision` or `recall`; or `matthews`.
    """
    names = sorted({*predictions, *references})
    index = {name: number for number, name in enumerate(names)}
    rows, kinds = len(references), len(names)
    counts = np.zeros((3, rows, kinds))  # correct, predicted, actual
    for row, (label, gold) in enumerate(zip(predictions, references, strict=True)):
        counts[0, row, index[gold]] = label == gold
        counts[1, row, index[label]] = counts[2, row, index[gold]] = 1

    def score(sums: Array) -> Array:
        correct, predicted, actual = np.split(sums, 3, axis=-1)
        if metric == "matthews":
            total = actual.sum(-1)
            spread = [total**2 - (side**2).sum(-1) for side in (predicted, actual)]
            return 100 * _ratio(correct.sum(-1) * total - (predicted * actual).sum(-1), np.sqrt(spread[0] * spread[1]))
        average, _, name = metric.partition("_")
        below = {"precision": predicted, "recall": actual, "f1": (predicted + actual) / 2}[name]
        weights = actual if average == "weighted" else (actual > 0).astype(float)
        return 100 * _ratio((weights * _ratio(correct, below)).sum(-1), weights.sum(-1))

    return Additive(np.concatenate(list(counts), axis=1), score)


def ratio_of(above: Sequence[float], below: Sequence[float]) -> Additive:
    """A ratio of two sums, such as precision (correct by predicted); 0 if the denominator is 0."""
    counts = np.stack([np.asarray(above, dtype=float), np.asarray(below, dtype=float)], axis=1)
    return Additive(counts, lambda sums: 100 * _ratio(sums[..., 0], sums[..., 1]))


def rows_of(score_rows: Callable[[Sequence[int]], float], rows: int) -> Any:
    """Any other metric: `score_rows` scores each resample from the indices of its rows."""
    return _Rescored(score_rows, rows)


@dataclass(frozen=True)
class _Rescored:
    score_rows: Callable[[Sequence[int]], float]
    rows: int

    def resampled(self, times: Array) -> Array:
        indices = np.arange(self.rows)
        return np.array([self.score_rows(np.repeat(indices, counts.astype(int)).tolist()) for counts in times])


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below != 0)
