"""The base class of all metrics."""

import uuid
from abc import ABC, abstractmethod

import datasets
import evaluate


class OfflineMetric(evaluate.Metric, ABC):
    """An `evaluate.Metric` without network, files and locks, for many processes at once and read-only home folders.

    `compute(predictions=[…], references=[…], **options)` takes one prediction and one reference per row, and returns a
    dict of plain numbers, strings and dicts, which `json.dumps` accepts. Options are the keyword arguments of the
    subclass's `_compute`. It raises ValueError if there are no rows or if they do not match.
    """

    _CITATION = ""
    _FEATURES: datasets.Features  # of one prediction and one reference

    def __init__(self):
        # In memory, `evaluate` makes no cache file and no lock. A unique id distinguishes several metrics of a caller.
        super().__init__(keep_in_memory=True, experiment_id=uuid.uuid4().hex)

    def _info(self):
        return evaluate.MetricInfo(description=self.__doc__, citation=self._CITATION, features=self._FEATURES)

    def _build_data_dir(self) -> str:
        # `evaluate` would create this folder even if it stays empty, which fails in a read-only home folder.
        return self._data_dir_root

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add rows after checking them; `compute` calls this, too."""
        # Checked before Arrow gets the rows: its messages print the data, and a failed write would leave some rows.
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
        """Describe what is wrong with the types of a row, if anything. Arrow would silently cast some wrong values."""
