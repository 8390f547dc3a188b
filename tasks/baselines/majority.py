"""The same answer to everything: the commonest class, or no entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task


@dataclass(frozen=True)
class Constant(Predictor):
    """One label for every row."""

    label: str

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [self.label] * len(rows)


def majority(train: Sequence[Row]) -> Constant:
    """The most frequent label of the training rows; of equally frequent ones that which comes first."""
    return Constant(Counter(row["label"] for row in train).most_common(1)[0][0])


class Majority(Baseline):
    """The most frequent class of the training rows."""

    name = "majority"
    description = "the most frequent class of train"
    families = ("sentiment", "text-classification")

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Constant:
        return majority(train)


class Outside(Predictor):
    """No word is part of an entity."""

    def predict(self, rows: Sequence[Row]) -> list[list[str]]:
        return [["O"] * len(row["words"]) for row in rows]


class AllO(Baseline):
    """The most frequent tag of nearly every data set: O for every word."""

    name = "all-o"
    description = "no entity anywhere"
    families = ("ner",)

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Outside:
        return Outside()
