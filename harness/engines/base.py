"""The contract between the grid and what runs its cells."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.cell import Cell
from harness.secrets import redact
from harness.store import Record


@dataclass(frozen=True)
class Slot:
    """A place for one cell at a time.

    Attributes:
        device: `cpu`, `cuda:N` or `mps`.
        threads: CPU threads that the cell may use.
    """

    device: str
    threads: int


class Handle(Protocol):
    """A cell that has been given to an engine."""

    cell: Cell
    slot: Slot

    def events(self) -> list[dict[str, Any]]:
        """What the worker has told since the last call."""

    def done(self) -> bool:
        """Whether the cell has ended, well or not."""

    def result(self) -> Record:
        """The record of a cell that is done."""

    def cancel(self) -> None:
        """End the worker now; the cell leaves no record."""


class Engine(Protocol):
    """What runs cells, each in a fresh process."""

    slots: Sequence[Slot]

    def submit(self, cell: Cell, slot: Slot) -> Handle:
        """Start a cell on a free slot."""

    def wait(self, handles: Sequence[Handle], seconds: float) -> None:
        """Return when one of the handles has something to tell, or after so many seconds."""


def failed_record(cell: Cell, error: dict[str, Any], started: str, finished: str, seconds: float) -> Record:
    """The record of a cell that did not end well; `error` holds type, message and traceback."""
    return {
        **cell.facts(),
        "status": "failed",
        "metrics": {},
        "primary_metric": None,
        "score": None,
        "cost": {"total_seconds": seconds},
        "environment": {},
        "started": started,
        "finished": finished,
        "error": error,
    }


def error_facts(error: BaseException) -> dict[str, Any]:
    """An exception as a record holds it, with its whole story."""
    return {
        "type": type(error).__name__,
        "message": redact(str(error)),
        "traceback": redact("".join(traceback.format_exception(error))),
    }
