"""Records and their predictions, brought side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from harness import registry
from harness.data.source import Source
from harness.errors import BenchError
from harness.metrics.additive import rows_of
from harness.slices import Slices, sliced
from harness.stats.paired import RESAMPLES
from harness.store import Record, Store
from harness.task import Task

SLOW_RESAMPLES = 200  # of a metric that is no sum over rows, and so is computed anew for each


class Scored:
    """One record's predictions, ready to be resampled.

    Attributes:
        ids: of the test rows, in the order of the file.
        metric: a `harness.metrics.additive.Additive`, or what scores every resample anew.
        resamples: that are affordable.
    """

    def __init__(self, store: Store, record: Record):
        family = registry.family(record["task"]["family"])
        task = _task(record)
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
        """What `harness.slices` makes of them."""
        return sliced(self._family, self._task, self._lines)

    def _check(self, record: Record) -> None:
        """Predictions that do not give the record's score are of another run, and nothing may be said of them."""
        import numpy as np

        found = float(self.metric.resampled(np.ones((1, len(self.ids))))[0])
        if not math.isclose(found, record["score"], abs_tol=1e-6):
            raise BenchError(
                f"{record['id']}: its predictions score {found:.4f} and its record says {record['score']:.4f};"
                " one of the files was changed; run the cell again"
            )


def slices_from(record: Record, lines: Sequence[Mapping[str, Any]]) -> Slices:
    """A record's slices from its predictions.

    Raises:
        BenchError: the family is not registered here.
    """
    return sliced(registry.family(record["task"]["family"]), _task(record), lines)


def _task(record: Record) -> Task:
    """What a metric asks of its task are its options; where the rows came from does not matter any more."""
    facts = record["task"]
    return Task(facts["name"], facts["family"], cast(Source, None), options=facts.get("options") or {})


def same_rows(ours: Scored, theirs: Scored, what: str) -> None:
    """Raises:
    BenchError: they were not tested on the same rows in the same order.
    """
    if ours.ids != theirs.ids:
        raise BenchError(f"{what}: the two were not tested on the same rows, so they cannot be compared row by row")
