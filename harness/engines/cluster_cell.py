"""A cell that runs on a node of a Ray cluster, seen from here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.engines.base import Ended
from harness.engines.failure import fail
from harness.engines.nodes import ClusterSlot, is_alive
from harness.job import Job
from harness.remote.mirror import open_store

ANSWER = 60.0  # seconds in which a place must answer a call that takes none
ORPHANED = 10.0  # seconds in which a cell whose place is gone saves its state and gives its claim back


@dataclass
class Seat:
    """An actor, and the node where it is once it has told."""

    actor: Any
    greeting: Any
    node: str = ""


class ClusterHandle:
    """A cell in a place of the cluster.

    Args:
        ray: the module, connected.
        reopen: asks for another place instead of a slot's, which is gone.
        seat: the slot's place.
        job: the cell.
        slot: where it runs.
    """

    def __init__(self, ray: Any, reopen: Callable[[ClusterSlot], None], seat: Seat, job: Job, slot: ClusterSlot):
        self.ray, self.reopen, self.seat, self.job, self.slot = ray, reopen, seat, job, slot
        self.store = open_store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.told: list[dict[str, Any]] = []
        self.ended: Ended | None = None
        self.ref: Any = None
        absolute = replace(job, root=os.path.abspath(job.root)) if self.store.shared else job
        self.process: int | None = self._ask(  # its number, on its node
            lambda: self.ray.get(seat.actor.begin.remote(absolute, slot.plain()), timeout=ANSWER)
        )
        if self.process is not None:
            self.ref = seat.actor.news.remote()
        elif (
            self.ended is None
        ):  # nobody knows whether it has begun; if so, the claim keeps others away until it has ended
            self.ended = Ended(lost="the node where it was to run cannot be reached")
            reopen(slot)

    def look(self) -> None:
        """Take the place's answer, where it has come, and ask again."""
        if self.ended is None and self.ray.wait([self.ref], timeout=0)[0]:
            if answer := self._ask(lambda: self.ray.get(self.ref)):
                events, self.ended = answer
                self.told += events
                self._bring()
            if self.ended is None:
                self.ref = self.seat.actor.news.remote()

    def _bring(self) -> None:
        """Take a finished cell's files from its node, where the results lie behind a URL; even if it could not send them there."""
        if self.ended is None or self.ended.record is None or self.store.shared:
            return
        if self.store.record(self.job.cell.id) != self.ended.record:  # else the node's folder and ours are one
            files = self._ask(lambda: self.ray.get(self.seat.actor.files.remote(), timeout=ANSWER))
            if files:
                self.store.unpack(self.job.cell.id, files)

    def _ask(self, call: Any) -> Any:
        """The answer of the place; None where it has ended, or cannot be reached for a moment."""
        exceptions = self.ray.exceptions
        try:
            return call()
        except exceptions.ActorUnavailableError:
            return None
        except (exceptions.RayActorError, exceptions.GetTimeoutError, exceptions.NodeDiedError) as error:
            self.ended = self._gone(error)
            self.reopen(self.slot)
            return None

    def _gone(self, error: Exception) -> Ended:
        """A node that is gone is not the cell's fault. Where only the actor is, nobody knows better, so the cell fails."""
        ray = self.ray
        leaving = isinstance(error, ray.exceptions.GetTimeoutError) or getattr(error, "preempted", False)
        if leaving or not is_alive(ray, self.seat.node, str(error)):
            return Ended(lost="the node where it ran is gone")
        told = " ".join(str(error).partition("Some common causes")[0].split())
        message = f"the worker was ended with Ray's actor: {told}"
        end = time.monotonic() + ORPHANED
        while True:
            seconds = time.monotonic() - self.clock
            ended = fail(self.store, self.job.cell, "WorkerDied", message, self.started, seconds)
            if not ended.claimed or time.monotonic() > end:
                return ended
            time.sleep(0.5)

    def events(self) -> list[dict[str, Any]]:
        self.look()
        events, self.told = self.told, []
        return events

    def done(self) -> bool:
        self.look()
        return self.ended is not None

    def result(self) -> Ended:
        return self.ended

    def log(self) -> str:
        return self.store.log(self.job.cell.id).read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        if self.ended is None:
            self.seat.actor.stop.remote()

    def kill(self) -> None:
        if self.ended is not None:
            return
        self.seat.actor.kill.remote()
        end = time.monotonic() + ORPHANED
        while not self.done() and time.monotonic() < end:
            self.ray.wait([self.ref], timeout=1.0)
        if self.ended is None:  # nobody answers there; what still runs sees that its parent is gone
            self.ended = Ended(stopped=True)
            self.reopen(self.slot)
