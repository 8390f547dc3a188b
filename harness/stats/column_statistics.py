"""One column of the board from its predictions: intervals of the means, tests of all pairs of rows, and resampled means.

This module needs numpy and scipy. `harness.stats.standings` imports it only for columns that are not in the cache.
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
from harness.grouping.groups import BoardPlace, scores_by_row
from harness.metrics.additive import Array, rows_of
from harness.predictions import Slices, slice_scores
from harness.stats.across_tasks import resample_seeds
from harness.stats.paired import (
    RESAMPLES,
    ResampledScore,
    Resampling,
    TestRows,
    error_of,
    is_share_of_right_rows,
    mean_spread,
    row_marks,
    rows_that_differ,
)
from harness.stats.seed_variance import Prior, SeedVariance
from harness.stats.statistics_cache import ColumnStatistics
from harness.store import Record, Store
from harness.task import Task

SLOW_RESAMPLES = 200  # for a metric that is not a sum over rows and has to be computed anew for each resample


class ScoredRecord:
    """The predictions of one record with the metric that scores them on resamples of the test rows.

    Attributes:
        ids: ids of the test rows, in the order of the file.
        metric: a `harness.metrics.additive.Additive`, or an object that scores every resample anew.
        resamples: number of resamples that is affordable for this metric.

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

        def score(rows: Sequence[int]) -> float:
            metrics = family.score([predictions[row] for row in rows], [references[row] for row in rows], task)
            return metric.score(metrics)

        additive = family.additive(predictions, references, task)
        self.metric: Any = additive or rows_of(score, len(lines))
        self.resamples = RESAMPLES if additive else SLOW_RESAMPLES
        self._check(record)

    def slices(self) -> Slices:
        """Scores of slices of the test rows, as `harness.predictions` computes them."""
        return slice_scores(self._family, self._task, self._lines)

    def _check(self, record: Record) -> None:
        """Predictions that do not give the record's score belong to another run and cannot be used."""
        score = float(self.metric.resampled(np.ones((1, len(self.ids))))[0])
        if not math.isclose(score, record["score"], abs_tol=1e-6):
            raise BenchError(
                f"{record['id']}: its predictions score {score:.4f} and its record says {record['score']:.4f};"
                " one of the files was changed; run the cell again"
            )


def slices_of_predictions(record: Record, lines: Sequence[Mapping[str, Any]]) -> Slices:
    """Scores of slices, for a record that does not hold them.

    Args:
        record: the record.
        lines: its predictions.

    Raises:
        BenchError: the task family of the record is not registered here.
    """
    return slice_scores(registry.family(record["task"]["family"]), _task_of(record), lines)


def _task_of(record: Record) -> Task:
    """The task as a metric needs it: name, family and options, without a source of rows."""
    facts = record["task"]
    return Task(facts["name"], facts["family"], cast(Source, None), options=facts.get("options") or {})


def require_same_rows(ours: ScoredRecord, theirs: ScoredRecord, what: str) -> None:
    """Check that two records were tested on the same rows in the same order.

    Raises:
        BenchError: they were not; `what` names the comparison.
    """
    if ours.ids != theirs.ids:
        raise BenchError(f"{what}: the two were not tested on the same rows, so they cannot be compared row by row")


class _Resampled:
    """The predictions of a column: scores on all rows and on the resamples, and what each row counts.

    Args:
        store: where the predictions are.
        rows: row of the board → seed → record, of those that have a score.

    Attributes:
        slices: record's id → its slices, for records that hold none.
        first: the first record's predictions; all others must be on the same test rows.
    """

    def __init__(self, store: Store, rows: Mapping[BoardPlace, Mapping[int, Record]]):
        self.slices: dict[str, Slices] = {}
        self.seed_variance = SeedVariance(scores_by_row(rows))
        self._scores: dict[tuple[str, int], ResampledScore] = {}
        self._marks: dict[tuple[str, int], Array | None] = {}
        first = resampling = None
        for where, group in rows.items():
            for seed, record in sorted(group.items()):
                scored = ScoredRecord(store, record)
                if first is None:
                    first, resampling = scored, Resampling(len(scored.ids), scored.resamples)
                require_same_rows(first, scored, record["id"])
                self._scores[where.row_key, seed] = resampling.of(scored.metric)
                self._marks[where.row_key, seed] = row_marks(scored.metric)
                if not (record.get("metrics") or {}).get("slices"):
                    self.slices[record["id"]] = scored.slices()
        self.test_rows = TestRows(len(first.ids), shares=is_share_of_right_rows(first.metric))

    def resampled(self, row: str, seed: int) -> Array:
        """[resamples] of the score of one record."""
        return self._scores[row, seed].drawn

    def scores(self, row: str, seeds: Iterable[int]) -> tuple[Array, Array]:
        """The scores of a row: [seeds] on all test rows, and [seeds, resamples]."""
        own = [self._scores[row, seed] for seed in seeds]
        return np.array([one.score for one in own]), np.array([one.drawn for one in own])

    def difference(self, one: str, other: str, seeds: Sequence[int]) -> tuple[Array, Array, TestRows, Prior | None]:
        """One row minus another over the seeds that both have, as `mean_spread` takes it."""
        each, drawn = (ours - theirs for ours, theirs in zip(self.scores(one, seeds), self.scores(other, seeds), strict=True))
        differing = rows_that_differ([(self._marks[one, seed], self._marks[other, seed]) for seed in seeds])
        return each, drawn, replace(self.test_rows, unlike=differing), self.seed_variance.prior(one, other)


def compute_column(store: Store, rows: Mapping[BoardPlace, Mapping[int, Record]], best: BoardPlace | None) -> ColumnStatistics:
    """Intervals, tests and draws of one column of the board.

    Args:
        store: where the predictions are.
        rows: row of the board → seed → record, of those that have a score.
        best: the row that the lead over the others is measured from; None: no leads.

    Raises:
        BenchError: predictions are missing, changed, or of other test rows.
    """
    column = _Resampled(store, rows)
    seeds = {where.row_key: set(group) for where, group in rows.items()}
    intervals = {
        name: _interval(*column.scores(name, sorted(own)), column.test_rows, column.seed_variance.prior(name))
        for name, own in seeds.items()
    }
    p_values = []
    for one, other in combinations(sorted(seeds), 2):
        if both := sorted(seeds[one] & seeds[other]):
            each, *rest = column.difference(one, other, both)
            p_values.append((one, other, error_of(each, *rest).p(float(each.mean()))))
    draws = {name: resample_seeds({seed: column.resampled(name, seed) for seed in own}) for name, own in seeds.items()}
    behind = {}
    for name, own in seeds.items():
        if best and name != best.row_key and (both := sorted(seeds[best.row_key] & own)):
            lead = mean_spread(*column.difference(best.row_key, name, both))
            behind[name] = (lead.value, lead.low, lead.high)
    return ColumnStatistics(intervals, p_values, draws, column.slices, behind)


def _interval(each: Array, drawn: Array, rows: TestRows, prior: Prior | None) -> tuple[float, float]:
    """The 95 % interval of a mean. It ends at 0 or 100 where no resample leaves that range."""
    mean = mean_spread(each, drawn, rows, prior)
    low = max(0.0, mean.low) if drawn.min() >= 0.0 else mean.low
    return low, min(100.0, mean.high) if drawn.max() <= 100.0 else mean.high
