"""Constant predictions: the most frequent class, or no entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task


@dataclass(frozen=True)
class Constant(Predictor):
    """Predicts the same label for every row."""

    label: str

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [self.label] * len(rows)


def majority(train: Sequence[Row]) -> Constant:
    """Predict the most frequent label of the training rows; of equally frequent ones the first."""
    return Constant(Counter(row["label"] for row in train).most_common(1)[0][0])


class Majority(Baseline):
    """The most frequent class of the training rows."""

    name = "majority"
    description = "the most frequent class of train"
    families = ("sentiment", "text-classification")

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Constant:
        return majority(train)


class Outside(Predictor):
    """Predicts O for every word."""

    def predict(self, rows: Sequence[Row]) -> list[list[str]]:
        return [["O"] * len(row["words"]) for row in rows]


class AllO(Baseline):
    """O for every word, the most frequent tag of nearly every data set."""

    name = "all-o"
    description = "no entity anywhere"
    families = ("ner",)

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Outside:
        return Outside()
