"""The contract between the grid and what runs its cells: jobs, slots, handles."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.cell import Cell
from harness.errors import BenchError, HubError
from harness.quantities import EVERY_FIVE_MINUTES, SaveInterval
from harness.safe_text import redact
from harness.store import Record

# What an engine is given: a cell, and how it is to be run.


@dataclass(frozen=True)
class Job:
    """One try of a cell. Nothing here could change the score.

    Attributes:
        root: the results folder, or its URL.
        seen: the stamp of the cell's record when the run was planned, see `Store.digest`.
        checkpoint_every: how often the state of the training is saved.
        devices: processes that train the cell together, each on a device of its own.
    """

    cell: Cell
    root: str
    seen: str = ""
    checkpoint_every: SaveInterval = EVERY_FIVE_MINUTES
    devices: int = 1


# The contract between the grid and what runs its cells.


# What a worker's process ends with. The numbers are of `sysexits.h`, where that has one.
DONE = 0
NO_ROOM = 74  # the disk is full
CLAIMED = 75  # another run has the cell
STOPPED = 130  # it was told to end, and has saved what it could
GRACE = 30.0  # seconds in which a worker that was told to end may save its state


@dataclass(frozen=True)
class Slot:
    """A place for one cell at a time.

    Attributes:
        device: `cpu`, `cuda:N` or `mps`; several for a cell that is trained on more than one, with commas between.
        threads: CPU threads that each process of the cell may use.
    """

    device: str
    threads: int


@dataclass(frozen=True)
class Ended:
    """How a try of a cell ended.

    Attributes:
        record: of the cell, where there is one now.
        claimed: another run has the cell, or has done it meanwhile.
        stopped: it was told to end before it was done.
        lost: the place where it ran is gone, through no fault of the cell's.
        no_room: what the disk was too full for.
    """

    record: Record | None = None
    claimed: bool = False
    stopped: bool = False
    lost: str = ""
    no_room: str = ""


class Handle(Protocol):
    """A job that has been given to an engine."""

    job: Job
    slot: Slot

    def events(self) -> list[dict[str, Any]]:
        """What the worker has told since the last call."""

    def done(self) -> bool:
        """Whether the worker has ended, well or not."""

    def result(self) -> Ended:
        """How it ended."""

    def log(self) -> str:
        """What the worker has printed so far."""

    def stop(self) -> None:
        """Ask the worker to save its state and to end; returns at once."""

    def kill(self) -> None:
        """End the worker now, and return when it has ended."""


class Engine(Protocol):
    """What runs cells."""

    slots: Sequence[Slot]

    def ready(self, slot: Slot) -> bool:
        """Whether a free slot can take a job now; on a cluster it may have to wait for its node."""

    def submit(self, job: Job, slot: Slot) -> Handle:
        """Start a job on a free slot."""

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
    """An exception as a record holds it, with its whole story.

    `stays` is true where another try of the same cell would end alike: the person has to change something first.
    """
    stays = isinstance(error, BenchError) and not (isinstance(error, HubError) and error.temporary)
    return {
        "type": type(error).__name__,
        "message": redact(str(error)),
        "traceback": redact("".join(traceback.format_exception(error))),
        **({"stays": True} if stays else {}),
    }


def stays_failed(record: Record) -> bool:
    """Whether a cell failed for a reason that another try would meet again."""
    return record["status"] == "failed" and bool((record.get("error") or {}).get("stays"))
