"""The contract of a task family: the adapter between a data set's columns and a head.

A family is one class in one file. It never touches tensors: it turns rows into the examples that a head understands, and
the head's outputs into predictions, and names the metrics. Modules that define families are imported by the command line,
so they import torch, evaluate and the like inside functions only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

from harness.task import Task

ARCHITECTURES = ("encoder", "decoder", "encoder-decoder")

Row = dict[str, Any]
Prediction = Any  # whatever json.dumps accepts


class TaskFamily(ABC):
    """Base class of all task families.

    Attributes:
        name: the family's name in task files and on the command line.
        description: one line for `bench tasks`.
        version: raised when the same rows would give another score; part of every cell's identity.
        columns: required column → what it holds.
        optional_columns: the same for columns that a data set may have. `id`, `group` and `phenomenon` are always allowed.
        usual_names: column → what data sets often call it, in lower case; for a task made of a file alone.
        head: `module:Class` of a `harness.heads.base.Head`, imported in the worker.
        primary_metric: the key of `score`'s result that ranks models on validation and is reported on test.
        scale: what the primary metric must be multiplied with to lie in 0–100.
        architectures: those that the family can be solved with.
        needs_offsets: True where the head maps tokens back to the text and so needs a fast tokeniser.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    version: ClassVar[int] = 1
    columns: ClassVar[Mapping[str, str]]
    optional_columns: ClassVar[Mapping[str, str]] = {}
    usual_names: ClassVar[Mapping[str, Sequence[str]]] = {}
    head: ClassVar[str]
    primary_metric: ClassVar[str]
    scale: ClassVar[float] = 100.0
    architectures: ClassVar[Sequence[str]] = ARCHITECTURES
    needs_offsets: ClassVar[bool] = False

    def check(self, task: Task) -> None:  # noqa: B027 - most families have nothing to check
        """Whether the task's options make sense and what they need is installed; asked before anything is read.

        Raises:
            BenchError: what is wrong with them, and the cure.
        """

    def prepare(self, row: Row, task: Task) -> Row:
        """One row with the family's columns in their canonical types.

        Raises:
            ValueError: what is wrong with the row; the caller adds split and row number.
        """
        return row

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str] | None:
        """The names of the classes in a fixed order; None for a family without classes."""
        return None

    def stratum(self, row: Row) -> Hashable | None:
        """What a split made by us keeps the proportions of."""
        return None

    @abstractmethod
    def example(self, row: Row, task: Task) -> dict[str, Any]:
        """What the head reads; its class says which keys."""

    def prediction(self, output: Any, row: Row, task: Task) -> Prediction:
        """The head's output for a row as it is saved and scored."""
        return output

    @abstractmethod
    def reference(self, row: Row, task: Task) -> Any:
        """What a prediction is compared with."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task) -> dict[str, Any]:
        """Metric name → value, each in its library's own scale."""

    @abstractmethod
    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[Prediction]:
        """Predictions that need no model (majority class, no entity, a copy…): what every model must beat."""
