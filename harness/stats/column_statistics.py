"""The statistics of one column of the board: intervals of the means, tests of all pairs of rows, and resampled means.

This module imports numpy and scipy. `harness.stats.standings` imports it only for columns that are not in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, cast

import numpy as np

from harness import registry
from harness.data.source import Source
from harness.errors import BenchError
from harness.grouping.groups import BoardPlace, ColumnRecords, scores_by_row
from harness.metrics.additive import Array, rows_of
from harness.predictions import Slices, slice_scores
from harness.stats.paired import (
    RESAMPLES,
    ResampledScore,
    Resampling,
    TestRows,
    count_differing_rows,
    is_share_of_right_rows,
    mean_error,
    mean_spread,
    row_keys,
)
from harness.stats.seed_variance import Prior, SeedVariance
from harness.stats.statistics_cache import ColumnStatistics
from harness.stats.task_means import resample_seeds
from harness.store import Record, Store
from harness.task import Task

SLOW_RESAMPLES = 200  # for metrics that are not functions of sums over rows, and so are computed on each resample


class ScoredRecord:
    """The predictions of one record with a metric that scores them on resamples of the test rows.

    Attributes:
        ids: ids of the test rows, in the order of the file.
        metric: a `harness.metrics.additive.Additive`, or else an object with the same method `resampled`.
        resamples: number of resamples that this metric can afford.

    Raises:
        BenchError: the predictions are missing or damaged, or do not give the record's score.
    """

    def __init__(self, store: Store, record: Record):
        family = registry.family(record["task"]["family"])
        task = _task_of(record)
        try:
            lines = store.predictions(record["id"])
        except FileNotFoundError:
            raise BenchError(
                f"{record['id']}: its predictions.jsonl is missing in {store.name}; run the cell again"
            ) from None
        except ValueError as error:
            raise BenchError(f"{record['id']}: {error}; run the cell again") from None
        self._lines, self._family, self._task = lines, family, task
        self.ids = [line["id"] for line in lines]
        predictions, references = [line["prediction"] for line in lines], [line["reference"] for line in lines]
        metric = family.metric(task)

        def score_rows(rows: Sequence[int]) -> float:
            metrics = family.score([predictions[row] for row in rows], [references[row] for row in rows], task)
            return metric.score(metrics)

        additive = family.additive(predictions, references, task)
        self.metric: Any = additive or rows_of(score_rows, len(lines))
        self.resamples = RESAMPLES if additive else SLOW_RESAMPLES
        score = float(self.metric.resampled(np.ones((1, len(self.ids))))[0])
        if not math.isclose(score, record["score"], abs_tol=1e-6):
            raise BenchError(
                f"{record['id']}: its predictions score {score:.4f} and its record says {record['score']:.4f};"
                " one of the files was changed; run the cell again"
            )

    def slices(self) -> Slices:
        """The scores of slices of the test rows, see `harness.predictions`."""
        return slice_scores(self._family, self._task, self._lines)


def slices_of_predictions(record: Record, lines: Sequence[Mapping[str, Any]]) -> Slices:
    """Compute the scores of slices of a record that does not hold them, from its predictions.

    Raises:
        BenchError: the task family of the record is not registered here.
    """
    return slice_scores(registry.family(record["task"]["family"]), _task_of(record), lines)


def _task_of(record: Record) -> Task:
    """The task of a record without its source; metrics need only name, family and options."""
    facts = record["task"]
    return Task(facts["name"], facts["family"], cast(Source, None), options=facts.get("options") or {})


def require_same_rows(one: ScoredRecord, other: ScoredRecord, title: str) -> None:
    """Raise `BenchError` unless two records were tested on the same rows in the same order."""
    if one.ids != other.ids:
        raise BenchError(f"{title}: the two were not tested on the same rows, so they cannot be compared row by row")


class _ResampledColumn:
    """The scores of a column on all test rows and on resamples of them; `slices` are those of records that hold none."""

    def __init__(self, store: Store, column: ColumnRecords):
        self.slices: dict[str, Slices] = {}
        self.seed_variance = SeedVariance(scores_by_row(column))
        self.by_seed: dict[tuple[str, int], ResampledScore] = {}
        self._row_keys: dict[tuple[str, int], Array | None] = {}
        first = resampling = None
        for place, records in column.items():
            for seed, record in sorted(records.items()):
                scored = ScoredRecord(store, record)
                if first is None:
                    first, resampling = scored, Resampling(len(scored.ids), scored.resamples)
                require_same_rows(first, scored, record["id"])
                self.by_seed[place.row_key, seed] = resampling.score(scored.metric)
                self._row_keys[place.row_key, seed] = row_keys(scored.metric)
                if not (record.get("metrics") or {}).get("slices"):
                    self.slices[record["id"]] = scored.slices()
        self.test_rows = TestRows(len(first.ids), shares=is_share_of_right_rows(first.metric))

    def scores(self, row: str, seeds: Iterable[int]) -> tuple[Array, Array]:
        """The scores of a row: [seeds] on all test rows, and [seeds, resamples]."""
        scores = [self.by_seed[row, seed] for seed in seeds]
        return np.array([one.score for one in scores]), np.array([one.drawn for one in scores])

    def difference(self, one: str, other: str, seeds: Sequence[int]) -> tuple[Array, Array, TestRows, Prior | None]:
        """One row minus another over these seeds; the arguments of `mean_spread`."""
        scores, others = self.scores(one, seeds), self.scores(other, seeds)
        differing = count_differing_rows([(self._row_keys[one, seed], self._row_keys[other, seed]) for seed in seeds])
        rows = replace(self.test_rows, differing=differing)
        return scores[0] - others[0], scores[1] - others[1], rows, self.seed_variance.prior(one, other)


def compute_column(store: Store, column: ColumnRecords, best: BoardPlace | None) -> ColumnStatistics:
    """Compute intervals, tests and draws of one column, and the leads of its row `best` over the others.

    Raises:
        BenchError: predictions are missing, changed, or of different test rows.
    """
    resampled = _ResampledColumn(store, column)
    seeds = {place.row_key: set(records) for place, records in column.items()}
    intervals = {
        row: _interval(*resampled.scores(row, sorted(own)), resampled.test_rows, resampled.seed_variance.prior(row))
        for row, own in seeds.items()
    }
    p_values = []
    for one, other in combinations(sorted(seeds), 2):
        if both := sorted(seeds[one] & seeds[other]):
            each, *rest = resampled.difference(one, other, both)
            p_values.append((one, other, mean_error(each, *rest).p(float(each.mean()))))
    scores = resampled.by_seed
    draws = {row: resample_seeds({seed: scores[row, seed].drawn for seed in own}) for row, own in seeds.items()}
    behind = {}
    for row, own in seeds.items():
        if best and row != best.row_key and (both := sorted(seeds[best.row_key] & own)):
            lead = mean_spread(*resampled.difference(best.row_key, row, both))
            behind[row] = (lead.value, lead.low, lead.high)
    return ColumnStatistics(intervals, p_values, draws, resampled.slices, behind)


def _interval(each: Array, drawn: Array, rows: TestRows, prior: Prior | None) -> tuple[float, float]:
    """The 95 % interval of a mean, limited to 0-100 if all resamples are."""
    mean = mean_spread(each, drawn, rows, prior)
    low = max(0.0, mean.low) if drawn.min() >= 0.0 else mean.low
    return low, min(100.0, mean.high) if drawn.max() <= 100.0 else mean.high
