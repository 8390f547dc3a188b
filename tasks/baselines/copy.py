"""A copy of the source as its translation: right for names, numbers and words that languages share."""

from __future__ import annotations

from collections.abc import Sequence

from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task


class Copier(Predictor):
    """Predicts each source unchanged."""

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [row["source"] for row in rows]


class Copy(Baseline):
    """The source, unchanged."""

    name = "copy"
    description = "the source as it is"
    families = ("translation",)

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Copier:
        return Copier()
