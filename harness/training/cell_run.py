"""A running cell: where it runs, the checkpoint that it resumes from, and what it has cost so far."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.quantities import SaveInterval
from harness.store import Store
from harness.training.checkpoint import SavedTraining, Unusable
from harness.training.checkpointer import Interruption
from harness.training.cost import Stopwatch
from harness.training.loop import Emit


@dataclass(frozen=True)
class CellContext:
    """Where a cell runs, and who receives its events.

    Attributes:
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder; the caller holds the cell's claim.
        emit: receives phases, steps and validations.
        every: how often the state of the training is saved.
        interruption: asks the cell to stop early.
    """

    device: str
    store: Store
    emit: Emit
    every: SaveInterval
    interruption: Interruption


class CellRun:
    """A running cell.

    Attributes:
        stopwatch: measures its phases.
        saved: the checkpoint that it resumes from, if any.
        retried: why the cell was run again in fp32, or "".
    """

    def __init__(self, cell: Cell, context: CellContext):
        self.cell, self.context = cell, context
        self.started_at, self.clock, self.stopwatch = time.time(), time.perf_counter(), Stopwatch(context.emit)
        self.path = context.store.checkpoint(cell.id)
        self.saved = self._load()
        self.retried: str = self.before.get("retried", "")

    @property
    def before(self) -> dict[str, Any]:
        """The account of the cell when the checkpoint was saved that it resumes from; empty without a checkpoint."""
        return self.saved.values["account"] if self.saved else {}

    def account(self, precision: str) -> dict[str, Any]:
        """Return what the cell has cost so far, including the time before an interruption, and how often it was resumed."""
        phases = self.stopwatch.so_far()
        earlier = self.before.get("phases", {})
        return {
            "precision": precision,
            "retried": self.retried,
            "resumed": self.before.get("resumed", 0) + bool(self.before),
            "started": self.before.get("started", self.started_at),
            "phases": {name: phases.get(name, 0.0) + earlier.get(name, 0.0) for name in phases | earlier},
            "seconds": time.perf_counter() - self.clock + self.before.get("seconds", 0.0),
            "processor_seconds": time.process_time() + self.before.get("processor_seconds", 0.0),
        }

    def start_over(self) -> None:
        """Delete the checkpoint, so that the next attempt begins from the start."""
        self.saved = None
        self.path.unlink(missing_ok=True)

    def discard_checkpoint(self, reason: str) -> None:
        """Report that the checkpoint cannot be used, and start over."""
        print(f"the checkpoint is not used, the training begins anew: {reason}", file=sys.stderr)
        self.start_over()

    def _load(self) -> SavedTraining | None:
        try:
            return SavedTraining.load(self.path)
        except Unusable as reason:
            self.discard_checkpoint(str(reason))
            return None
