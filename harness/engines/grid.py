"""Run the pending cells of a plan on an engine and report progress to an observer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.cell import Cell
from harness.engines.base import GRACE, Engine, Handle, Job, JobResult, Slot
from harness.engines.failures import fail_cell, failed_permanently
from harness.errors import BenchError
from harness.remote.mirror import open_store
from harness.store import Record, Store

TICK = 1.0  # seconds between two checks of the workers, even if none has sent an event
CLAIM_PAUSE = 2.0  # seconds before a cell that another run holds is tried again
MAX_LOSSES = 3  # how often a cell may lose its worker or node before it fails


class DiskFull(BenchError):
    """The disk is full."""


class Observer:
    """Receives the events of a running grid. This base class ignores them."""

    def started(self, cell: Cell, slot: Slot) -> None:
        """A worker has started the cell."""

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        """A worker has reported a phase, a step or a validation."""

    def requeued(self, cell: Cell, reason: str) -> None:
        """A cell's worker has ended and the cell waits for another one; `reason` is empty if it was reported before."""

    def finished(self, cell: Cell, record: Record) -> None:
        """A cell has ended, successfully or not."""

    def stopping(self) -> None:
        """The running cells have been asked to save their state and end."""


@dataclass(frozen=True)
class Policy:
    """How to treat cells that take long or fail.

    Attributes:
        timeout: the seconds that one attempt may take; None: no limit.
        retries: how often a failed cell is tried again immediately.
        fail_fast: stop the whole grid at the first failed cell.
    """

    timeout: float | None = None
    retries: int = 0
    fail_fast: bool = False


@dataclass
class _GridEntry:
    """A waiting or running cell. All times are of the monotonic clock, except `started`."""

    job: Job
    failures: int = 0
    losses: int = 0
    not_before: float = 0.0
    reported_claimed: bool = False
    # Set when the cell starts:
    slot: Slot | None = None
    handle: Handle | None = None
    started: float = 0.0  # seconds since the epoch
    started_clock: float = 0.0
    stopped_clock: float = 0.0  # when it was asked to stop; 0: it was not
    timed_out: bool = False


def run_grid(engine: Engine, jobs: Iterable[Job], observer: Observer, policy: Policy = Policy()) -> list[Record]:
    """Run every cell once, with as many at a time as the engine has slots. A failed cell does not stop the others.

    Returns:
        The records in the order in which the cells ended.

    Raises:
        KeyboardInterrupt: after all workers have saved their state and ended; immediately at the second interrupt.
        DiskFull: the disk is full.
        BenchError: the engine cannot continue; the workers have saved their state and ended.
    """
    return _Grid(engine, jobs, observer, policy).run()


class _Grid:
    def __init__(self, engine: Engine, jobs: Iterable[Job], observer: Observer, policy: Policy):
        self.engine, self.observer, self.policy = engine, observer, policy
        self.waiting = [_GridEntry(job) for job in jobs]
        self.running: list[_GridEntry] = []
        self.free_slots = list(engine.slots)
        self.records: list[Record] = []

    def run(self) -> list[Record]:
        try:
            while self.waiting or self.running:
                self._start_waiting()
                self.engine.wait([entry.handle for entry in self.running], TICK)
                self._check_running()
        except (KeyboardInterrupt, BenchError):
            self._shut_down()
            raise
        finally:
            for entry in self.running:
                entry.handle.kill()
        return self.records

    def _start_waiting(self) -> None:
        now = time.monotonic()
        due = [entry for entry in self.waiting if entry.not_before <= now]
        ready = [slot for slot in self.free_slots if self.engine.ready(slot)]
        for entry, slot in zip(due, ready, strict=False):
            self.waiting.remove(entry)
            self.free_slots.remove(slot)
            entry.slot, entry.handle = slot, self.engine.submit(entry.job, slot)
            entry.started, entry.started_clock, entry.stopped_clock, entry.timed_out = time.time(), now, 0.0, False
            self.running.append(entry)
            self.observer.started(entry.job.cell, slot)

    def _check_running(self) -> None:
        for entry in list(self.running):
            # Check `done` before reading the events: a worker sends its last events before it ends.
            done = entry.handle.done()
            for event in entry.handle.events():
                self.observer.event(entry.job.cell, event)
            if done:
                self.running.remove(entry)
                self.free_slots.append(entry.slot)
                self._handle_result(entry, entry.handle.result())
            else:
                self._check_time(entry)

    def _check_time(self, entry: _GridEntry) -> None:
        now = time.monotonic()
        if entry.stopped_clock:
            if now - entry.stopped_clock > GRACE:
                entry.handle.kill()
        elif self.policy.timeout and now - entry.started_clock > self.policy.timeout:
            entry.stopped_clock, entry.timed_out = now, True
            entry.handle.stop()

    def _handle_result(self, entry: _GridEntry, result: JobResult) -> None:
        cell, store = entry.job.cell, open_store(entry.job.root)
        seconds = time.monotonic() - entry.started_clock
        if entry.timed_out and result.record is None and not result.disk_full:
            message = f"took longer than {self.policy.timeout:g} s (--timeout); with more time it continues from there"
            result = fail_cell(store, cell, "Timeout", message, entry.started, seconds)
        if result.lost:
            entry.losses += 1
            if entry.losses > MAX_LOSSES:
                message = f"{entry.losses} times: {result.lost}"
                result = fail_cell(store, cell, "PlaceLost", message, entry.started, seconds)
        if result.disk_full:
            raise DiskFull(f"the disk is full: {result.disk_full} cannot be written")
        if result.record is not None:
            self._handle_record(entry, result.record, store)
        elif result.claimed:
            self._requeue(entry, "" if entry.reported_claimed else "another run has it", CLAIM_PAUSE)
            entry.reported_claimed = True
        elif result.lost:
            self._requeue(entry, result.lost)
        # A cell that was stopped, as after a failure with `fail_fast`, leaves no record: the next run resumes it.

    def _handle_record(self, entry: _GridEntry, record: Record, store: Store) -> None:
        failed = record["status"] == "failed"
        if failed and not failed_permanently(record) and entry.failures < self.policy.retries:
            entry.failures += 1
            entry.job = replace(entry.job, record_digest=store.digest(entry.job.cell.id))
            attempt = f"try {entry.failures + 1} of {self.policy.retries + 1}"
            self._requeue(entry, f"failed ({record['error']['type']}), {attempt}")
            return
        self.records.append(record)
        self.observer.finished(entry.job.cell, record)
        if failed and self.policy.fail_fast:
            self.waiting.clear()
            self._stop_running()

    def _requeue(self, entry: _GridEntry, reason: str, pause: float = 0.0) -> None:
        entry.not_before = time.monotonic() + pause
        self.waiting.append(entry)
        self.observer.requeued(entry.job.cell, reason)

    def _stop_running(self) -> None:
        if self.running:
            self.observer.stopping()
        for entry in self.running:
            entry.stopped_clock = entry.stopped_clock or time.monotonic()
            entry.handle.stop()

    def _shut_down(self) -> None:
        """Give the workers time to save their state; another interrupt ends them immediately."""
        self.waiting.clear()
        try:
            self._stop_running()
            end = time.monotonic() + GRACE
            while time.monotonic() < end:
                alive = [entry.handle for entry in self.running if not entry.handle.done()]
                if not alive:
                    return
                self.engine.wait(alive, TICK)
                for handle in alive:
                    handle.events()  # a worker blocks if nobody reads its events
        except KeyboardInterrupt:
            pass  # `run` kills the workers that are left
