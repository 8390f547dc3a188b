"""The contract of a baseline: what a plugin subclasses and names under the entry-point group `bench.baselines`.

The command line imports the modules that define baselines, so they import numpy, scikit-learn and so on inside
functions.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from harness.methods import BASELINE
from harness.model import Checkpoint

if TYPE_CHECKING:
    from harness.family import Prediction, Row
    from harness.task import Task


class Predictor(ABC):
    """A fitted baseline.

    Attributes:
        parameters: the number of learned values or table entries; 0 for a rule.
        choice: what was chosen, and how much was read if not everything was; for the record.
    """

    parameters: int = 0
    choice: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Return one prediction for each row, as the family's `prediction` does. Must not read the rows' answers."""


class Baseline(ABC):
    """Base class of all baselines.

    Attributes:
        name: the name on the command line and on the board.
        description: one line for `bench models`.
        families: the names of the task families that it supports.
        version: raised when the same rows would give other predictions; part of every cell's identity.
        seconds_a_row: the rough time of `fit` and `predict` on one core for each row of the task, for estimates.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    families: ClassVar[tuple[str, ...]]
    version: ClassVar[int] = 1
    seconds_a_row: ClassVar[float] = 1e-4

    @abstractmethod
    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Predictor:
        """Learn from the training rows, and select on the validation rows. `TaskFamily.prepare` has prepared both.

        The same rows and seed give the same predictor.
        """

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint that represents it in a cell. Its identity is the baseline's name and version."""
        digest = hashlib.sha256(f"{BASELINE} {self.name} {self.version}".encode()).hexdigest()
        return Checkpoint(
            name=self.name, source=f"{BASELINE}:{self.name}", location="", revision=None, gguf=None,
            architecture=BASELINE, digest=digest, families=tuple(self.families), kind=BASELINE,
        )  # fmt: skip
