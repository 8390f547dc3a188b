"""The base class of every metric: an `evaluate.Metric` that opens no connection, file or lock."""

import uuid
from abc import ABC, abstractmethod

import evaluate


class OfflineMetric(evaluate.Metric, ABC):
    """An `evaluate.Metric` for many processes on one machine, with or without a writable cache folder.

    `compute(predictions=[...], references=[...], **options)` takes one prediction and one reference a row and returns a
    dict of plain Python numbers, strings and dicts, fit for `json.dumps`. Options are the keyword arguments of the
    subclass's `_compute`. Raises ValueError where the rows do not fit together or there are none.
    """

    def __init__(self):
        # In memory, `evaluate` makes no cache file and so no lock; a caller who lists several can tell them apart.
        super().__init__(keep_in_memory=True, experiment_id=uuid.uuid4().hex)

    def _build_data_dir(self) -> str:
        # `evaluate` makes this folder even where it will hold nothing, which fails on a read-only home.
        return self._data_dir_root

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add one prediction and one reference a row; `compute` calls this with its own rows."""
        # Checked before the rows reach Arrow: its messages print the data, and a failed write would leave rows behind.
        if predictions is None or references is None:
            raise ValueError(f"{self.name}: predictions and references are both needed")
        if len(predictions) != len(references):
            raise ValueError(f"{self.name}: {len(predictions)} predictions but {len(references)} references")
        if len(references) == 0:
            raise ValueError(f"{self.name}: no rows to score; a score of nothing is undefined")
        for row, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
            if fault := self._fault(prediction, reference):
                raise ValueError(f"{self.name}: row {row}: {fault}")
        super().add_batch(predictions=predictions, references=references, **kwargs)

    @abstractmethod
    def _fault(self, prediction, reference) -> str | None:
        """What is wrong with the form of one row, if anything; Arrow would cast some wrong values without a word."""
