"""A cell under way: what it goes on from, and what it has cost so far."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.quantities import SaveInterval
from harness.store import Store
from harness.training.checkpoint import SavedTraining, Unusable
from harness.training.cost import Stopwatch
from harness.training.keeper import Interruption
from harness.training.loop import Emit


@dataclass(frozen=True)
class CellContext:
    """Where a cell runs, and who is told of it.

    Attributes:
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder; the caller has the cell's claim.
        emit: is told of phases, steps and validations.
        every: how often the state of the training is saved.
        interruption: asks the cell to end early.
    """

    device: str
    store: Store
    emit: Emit
    every: SaveInterval
    interruption: Interruption


class CellRun:
    """A cell under way.

    Attributes:
        watch: its phases.
        found: the checkpoint that it goes on from, if any.
        retried: why the cell was run again in fp32, or "".
    """

    def __init__(self, cell: Cell, place: CellContext):
        self.cell, self.place = cell, place
        self.begun, self.clock, self.watch = time.time(), time.perf_counter(), Stopwatch(place.emit)
        self.path = place.store.checkpoint(cell.id)
        self.found = self._load()
        self.retried: str = self.before.get("retried", "")

    @property
    def before(self) -> dict[str, Any]:
        """What the cell had cost when the checkpoint was made that it goes on from; empty where there is none."""
        return self.found.values["account"] if self.found else {}

    def account(self, precision: str) -> dict[str, Any]:
        """What the cell has cost so far, the time before any break included, and what else a record has to tell of that."""
        phases = self.watch.so_far()
        earlier = self.before.get("phases", {})
        return {
            "precision": precision,
            "retried": self.retried,
            "resumed": self.before.get("resumed", 0) + bool(self.before),
            "started": self.before.get("started", self.begun),
            "phases": {name: phases.get(name, 0.0) + earlier.get(name, 0.0) for name in phases | earlier},
            "seconds": time.perf_counter() - self.clock + self.before.get("seconds", 0.0),
            "processor_seconds": time.process_time() + self.before.get("processor_seconds", 0.0),
        }

    def forget(self) -> None:
        """Let the next attempt begin anew."""
        self.found = None
        self.path.unlink(missing_ok=True)

    def unusable(self, why: str) -> None:
        """The checkpoint cannot be gone on from: say so, and begin anew."""
        print(f"the checkpoint is not used, the training begins anew: {why}", file=sys.stderr)
        self.forget()

    def _load(self) -> SavedTraining | None:
        try:
            return SavedTraining.load(self.path)
        except Unusable as reason:
            self.unusable(str(reason))
            return None
