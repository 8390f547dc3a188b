"""Runs a plan's pending cells on an engine and tells an observer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from harness.cell import Cell
from harness.engines.base import GRACE, Ended, Engine, Handle, Job, Slot, stays_failed
from harness.engines.life import fail
from harness.errors import BenchError
from harness.remote.mirror import open_store
from harness.store import Record, Store

TICK = 1.0  # seconds after which the workers are looked at even if none has told anything
PAUSE = 2.0  # seconds before a cell that another run has is asked for again
LOST = 3  # times that a cell may lose the place where it runs


class NoRoom(BenchError):
    """The disk is full."""


class Observer:
    """What is told about a running grid; this one does nothing with it."""

    def started(self, cell: Cell, slot: Slot) -> None:
        """A cell has been given to a worker."""

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        """A worker has told something: a phase, a step, a validation."""

    def again(self, cell: Cell, why: str) -> None:
        """A cell's worker has ended and the cell waits for another; `why` is empty when that was told before."""

    def finished(self, cell: Cell, record: Record) -> None:
        """A cell has ended, well or not."""

    def stopping(self) -> None:
        """The running cells have been asked to save their state and end."""


@dataclass(frozen=True)
class Policy:
    """What to do with cells that take long or fail.

    Attributes:
        timeout: seconds that one try of a cell may take; None: any time.
        retries: how often a cell that failed is tried again at once.
        fail_fast: end the whole grid at the first cell that failed.
    """

    timeout: float | None = None
    retries: int = 0
    fail_fast: bool = False


@dataclass
class _Turn:
    """A cell that waits or runs."""

    job: Job
    failures: int = 0
    losses: int = 0
    not_before: float = 0.0
    claimed: bool = False
    handle: Handle | None = None
    since: float = 0.0
    started: float = 0.0
    stop_at: float = 0.0  # when it was asked to end; 0: it was not
    late: bool = False
    slot: Slot | None = field(default=None)


def run_grid(engine: Engine, jobs: Iterable[Job], observer: Observer, policy: Policy = Policy()) -> list[Record]:
    """Run every cell once, as many at a time as the engine has slots; a cell that fails does not stop the others.

    Returns:
        The records in the order in which the cells ended.

    Raises:
        KeyboardInterrupt: after all workers have saved their states and ended; at once where it comes a second time.
        NoRoom: the disk is full.
        BenchError: the engine cannot go on; the workers have saved their states and ended.
    """
    return _Grid(engine, jobs, observer, policy).run()


class _Grid:
    def __init__(self, engine: Engine, jobs: Iterable[Job], observer: Observer, policy: Policy):
        self.engine, self.observer, self.policy = engine, observer, policy
        self.waiting = [_Turn(job) for job in jobs]
        self.running: list[_Turn] = []
        self.free = list(engine.slots)
        self.records: list[Record] = []

    def run(self) -> list[Record]:
        try:
            while self.waiting or self.running:
                self._start()
                self.engine.wait([turn.handle for turn in self.running], TICK)
                self._look()
        except (KeyboardInterrupt, BenchError):  # of the disk, or of the place where cells run
            self._end_all()
            raise
        finally:
            for turn in self.running:
                turn.handle.kill()
        return self.records

    def _start(self) -> None:
        now = time.monotonic()
        due = [turn for turn in self.waiting if turn.not_before <= now]
        for turn, slot in zip(due, [slot for slot in self.free if self.engine.ready(slot)], strict=False):
            self.waiting.remove(turn)
            self.free.remove(slot)
            turn.slot, turn.since, turn.started, turn.stop_at, turn.late = slot, now, time.time(), 0.0, False
            turn.handle = self.engine.submit(turn.job, turn.slot)
            self.running.append(turn)
            self.observer.started(turn.job.cell, turn.slot)

    def _look(self) -> None:
        for turn in list(self.running):
            # Asked before the events are read: what a worker says last, it says before it ends.
            done = turn.handle.done()
            for event in turn.handle.events():
                self.observer.event(turn.job.cell, event)
            if done:
                self.running.remove(turn)
                self.free.append(turn.slot)
                self._ended(turn, turn.handle.result())
            else:
                self._watch_the_clock(turn)

    def _watch_the_clock(self, turn: _Turn) -> None:
        now = time.monotonic()
        if turn.stop_at:
            if now - turn.stop_at > GRACE:
                turn.handle.kill()
        elif self.policy.timeout and now - turn.since > self.policy.timeout:
            turn.stop_at, turn.late = now, True
            turn.handle.stop()

    def _ended(self, turn: _Turn, end: Ended) -> None:
        cell, store = turn.job.cell, open_store(turn.job.root)
        seconds = time.monotonic() - turn.since
        if turn.late and end.record is None and not end.no_room:
            message = f"took longer than {self.policy.timeout:g} s (--timeout); with more time it goes on where it was"
            end = fail(store, cell, "Timeout", message, turn.started, seconds)
        if end.lost:
            turn.losses += 1
            if turn.losses > LOST:
                end = fail(store, cell, "PlaceLost", f"{turn.losses} times: {end.lost}", turn.started, seconds)
        if end.no_room:
            raise NoRoom(f"the disk is full: {end.no_room} cannot be written")
        if end.record is not None:
            self._recorded(turn, end.record, store)
        elif end.claimed:
            self._wait(turn, "" if turn.claimed else "another run has it", PAUSE)
            turn.claimed = True
        elif end.lost:
            self._wait(turn, end.lost, 0.0)
        # What was stopped, as all is after a failure with fail_fast, leaves no record: the next run goes on with it.

    def _recorded(self, turn: _Turn, record: Record, store: Store) -> None:
        failed = record["status"] == "failed"
        if failed and not stays_failed(record) and turn.failures < self.policy.retries:
            turn.failures += 1
            turn.job = replace(turn.job, seen=store.digest(turn.job.cell.id))
            error = record["error"]
            self._wait(turn, f"failed ({error['type']}), try {turn.failures + 1} of {self.policy.retries + 1}", 0.0)
            return
        self.records.append(record)
        self.observer.finished(turn.job.cell, record)
        if failed and self.policy.fail_fast:
            self.waiting.clear()
            self._stop_running()

    def _wait(self, turn: _Turn, why: str, pause: float) -> None:
        turn.not_before = time.monotonic() + pause
        self.waiting.append(turn)
        self.observer.again(turn.job.cell, why)

    def _stop_running(self) -> None:
        if self.running:
            self.observer.stopping()
        for turn in self.running:
            turn.stop_at = turn.stop_at or time.monotonic()
            turn.handle.stop()

    def _end_all(self) -> None:
        """Give the workers time to save their states; another interrupt ends them at once."""
        self.waiting.clear()
        try:
            self._stop_running()
            end = time.monotonic() + GRACE
            while (left := [turn.handle for turn in self.running if not turn.handle.done()]) and time.monotonic() < end:
                self.engine.wait(left, TICK)
                for handle in left:
                    handle.events()  # so that no worker waits for a reader
        except KeyboardInterrupt:
            pass  # the second one: what still runs is killed
