"""The contract between the grid and the engines: jobs, slots, handles and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.cell import Cell
from harness.quantities import EVERY_FIVE_MINUTES, SaveInterval
from harness.store import Record

# Exit statuses of a worker process; the numbers follow `sysexits.h` where it defines one.
DONE = 0
DISK_FULL = 74
CLAIMED = 75  # another run holds the cell's claim
STOPPED = 130  # the worker was asked to stop and has saved its state
GRACE = 30.0  # seconds that a worker has to save its state after it was asked to stop


@dataclass(frozen=True)
class Job:
    """One attempt to run a cell. No field affects the score.

    Attributes:
        root: the results folder or URL.
        record_digest: the digest of the cell's record when the run was planned, see `Store.digest`.
        checkpoint_every: how often the training saves its state.
        devices: the number of processes that train the cell together, each on its own device.
    """

    cell: Cell
    root: str
    record_digest: str = ""
    checkpoint_every: SaveInterval = EVERY_FIVE_MINUTES
    devices: int = 1


@dataclass(frozen=True)
class Slot:
    """A place that runs one cell at a time.

    Attributes:
        device: `cpu`, `cuda:N` or `mps`; a comma-separated list for a cell that is trained on several devices.
        threads: the number of CPU threads of each process of the cell.
    """

    device: str
    threads: int


@dataclass(frozen=True)
class JobResult:
    """How a job ended.

    Attributes:
        record: the cell's record, if there is one now.
        claimed: another run holds the cell or has finished it in the meantime.
        stopped: the job was stopped before the cell was finished.
        lost: why the worker or its node disappeared through no fault of the cell, such as a preempted node.
        disk_full: the path that could not be written because the disk is full.
    """

    record: Record | None = None
    claimed: bool = False
    stopped: bool = False
    lost: str = ""
    disk_full: str = ""


class Handle(Protocol):
    """A job that was submitted to an engine."""

    job: Job
    slot: Slot

    def events(self) -> list[dict[str, Any]]:
        """Return the events that the worker has sent since the last call."""

    def done(self) -> bool:
        """Return whether the worker has ended, successfully or not."""

    def result(self) -> JobResult:
        """Return how the job ended."""

    def stop(self) -> None:
        """Ask the worker to save its state and end; do not wait for it."""

    def kill(self) -> None:
        """End the worker now, and return when it has ended."""


class Engine(Protocol):
    """Runs cells on its slots."""

    slots: Sequence[Slot]

    def ready(self, slot: Slot) -> bool:
        """Return whether a free slot can take a job now; on a cluster, the slot may still wait for a node."""

    def submit(self, job: Job, slot: Slot) -> Handle:
        """Start a job on a free slot."""

    def wait(self, handles: Sequence[Handle], seconds: float) -> None:
        """Return when one of the handles has news, or after the given number of seconds."""
