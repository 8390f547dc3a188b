"""Metrics as functions of sums over rows, so that any resample of the rows is scored by one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Additive:
    """What a corpus metric counts, row by row.

    Attributes:
        counts: [rows, kinds]; of a mean over rows for instance the row's value and 1.
        score: sums [..., kinds] → scores [...], in 0-100. For the sums over all rows it is the metric itself.
    """

    counts: Array
    score: Callable[[Array], Array]

    def resampled(self, times: Array) -> Array:
        """The scores [resamples] where row r counts `times[resample, r]` times."""
        return self.score(times @ self.counts)


def mean_of(values: Sequence[float], scale: float = 100.0) -> Additive:
    """A mean over rows, such as accuracy."""
    counts = np.stack([np.asarray(values, dtype=float) * scale, np.ones(len(values))], axis=1)
    return Additive(counts, lambda sums: _ratio(sums[..., 0], sums[..., 1]))


def f1_of(counts: Sequence[Sequence[float]]) -> Additive:
    """Micro-averaged F1 of rows' (right, predicted, wanted) counts; 0 where nothing is predicted and nothing wanted."""
    return Additive(
        np.asarray(counts, dtype=float).reshape(-1, 3),
        lambda sums: _ratio(200.0 * sums[..., 0], sums[..., 1] + sums[..., 2]),
    )


def over_classes(predictions: Sequence[str], references: Sequence[str], metric: str) -> Additive:
    """A metric of `harness.metrics.classification.ClassificationMetric` that is an average over classes, or Matthews' correlation.

    Averages run over the classes of the references, whatever is predicted; in a resample, over those that it holds.

    Args:
        predictions, references: a label a row.
        metric: `macro_` or `weighted_` with `f1`, `precision` or `recall` behind it, or `matthews`.
    """
    names = sorted({*predictions, *references})
    place = {name: number for number, name in enumerate(names)}
    rows, kinds = len(references), len(names)
    counts = np.zeros((3, rows, kinds))  # right, predicted, wanted
    for row, (ours, gold) in enumerate(zip(predictions, references, strict=True)):
        counts[0, row, place[gold]] = ours == gold
        counts[1, row, place[ours]] = counts[2, row, place[gold]] = 1

    def score(sums: Array) -> Array:
        right, predicted, wanted = np.split(sums, 3, axis=-1)
        if metric == "matthews":
            total = wanted.sum(-1)
            spread = [total**2 - (side**2).sum(-1) for side in (predicted, wanted)]
            return 100 * _ratio(right.sum(-1) * total - (predicted * wanted).sum(-1), np.sqrt(spread[0] * spread[1]))
        average, _, name = metric.partition("_")
        below = {"precision": predicted, "recall": wanted, "f1": (predicted + wanted) / 2}[name]
        weights = wanted if average == "weighted" else (wanted > 0).astype(float)
        return 100 * _ratio((weights * _ratio(right, below)).sum(-1), weights.sum(-1))

    return Additive(np.concatenate(list(counts), axis=1), score)


def ratio_of(above: Sequence[float], below: Sequence[float]) -> Additive:
    """A ratio of two counts, such as precision: right ones by predicted ones; 0 where there is nothing below."""
    counts = np.stack([np.asarray(above, dtype=float), np.asarray(below, dtype=float)], axis=1)
    return Additive(counts, lambda sums: 100 * _ratio(sums[..., 0], sums[..., 1]))


def rows_of(score_rows: Callable[[Sequence[int]], float], rows: int) -> Any:
    """A metric that is no function of sums: every resample is scored anew, from the numbers of its rows."""
    return _Rescored(score_rows, rows)


@dataclass(frozen=True)
class _Rescored:
    """Scores resamples with the metric itself; slow."""

    score_rows: Callable[[Sequence[int]], float]
    rows: int

    def resampled(self, times: Array) -> Array:
        numbers = np.arange(self.rows)
        return np.array([self.score_rows(np.repeat(numbers, one.astype(int)).tolist()) for one in times])


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below != 0)
