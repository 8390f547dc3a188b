"""The engine `ray`: cells run on the nodes of a Ray cluster."""

from __future__ import annotations

import os
import sys
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.engines.base import Job, JobResult
from harness.engines.failures import fail_cell
from harness.engines.ray_nodes import ClusterSlot, SlotActor, connect, make_slots, node_is_alive, versions
from harness.errors import BenchError
from harness.files import temporary_path
from harness.remote.mirror import open_store
from harness.remote.remote_folder import is_url
from harness.safe_text import is_secret

ROOM_TIMEOUT = 600.0  # seconds in which the cluster must have room for at least one cell
CALL_TIMEOUT = 60.0  # seconds in which an actor must answer a call that returns at once
ORPHAN_GRACE = 10.0  # seconds in which a cell whose actor is gone saves its state and releases its claim


@dataclass
class Placement:
    """The actor of a slot, its pending greeting, and the id of its node once the greeting has arrived."""

    actor: Any
    greeting: Any
    node: str = ""


class ClusterEngine:
    """Runs each cell in a fresh process on the nodes of a running Ray cluster.

    Args:
        address: the cluster's address, as `ray.init` takes it.
        devices: `auto` (GPUs, or CPUs if the cluster has no GPU), `cpu` or `cuda`.
        jobs: the maximum number of cells at the same time; None: as many as the cluster has room for.
        results: a folder that all nodes share, or a URL that all can reach.

    Raises:
        BenchError: no cluster answers, it lacks the device or the room, or a node cannot reach the results.
    """

    def __init__(self, address: str, devices: str, jobs: int | None, results: str | Path):
        self.ray = connect(address)
        self.slots = make_slots(self.ray.nodes(), devices, jobs)
        self.results = results
        self.marker: str | Path = str(results)
        if not is_url(results):
            folder = Path(results).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            # A new name each time: a node may remember for a while that a file did not exist.
            self.marker = temporary_path(folder / f"shared-{uuid.uuid4().hex}")
            weakref.finalize(self, self.marker.unlink, missing_ok=True)
            self.marker.touch()
        self.placements: dict[ClusterSlot, Placement] = {}
        self.no_room_since = time.monotonic()
        try:
            for slot in self.slots:
                self._start_actor(slot)
            while not any(self.ready(slot) for slot in self.slots):
                self.wait([], 1.0)
        except BaseException:
            self.close()
            raise

    def _start_actor(self, slot: ClusterSlot) -> None:
        """Ask the cluster for an actor, on the slot's node if it is still there."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        variables = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("BENCH_", "HF_")) and not is_secret(name)
        }
        actor = (
            self.ray.remote(SlotActor)
            .options(
                num_cpus=slot.cpus, num_gpus=slot.gpus, max_restarts=0, max_concurrency=4,
                scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node, soft=True),
            )
            .remote(os.getcwd(), [folder for folder in sys.path if folder], variables)
        )  # fmt: skip
        self.placements[slot] = Placement(actor, actor.greet.remote(str(self.marker)))

    def replace_actor(self, slot: ClusterSlot) -> None:
        """Start another actor for a slot whose actor is gone."""
        self.ray.kill(self.placements[slot].actor)
        self._start_actor(slot)

    def ready(self, slot: ClusterSlot) -> bool:
        """Return whether the slot's actor runs; check its node when it answers for the first time."""
        placement, exceptions = self.placements[slot], self.ray.exceptions
        if not placement.node and self.ray.wait([placement.greeting], timeout=0)[0]:
            try:
                greeting = self.ray.get(placement.greeting)
            except (exceptions.RayActorError, exceptions.RayTaskError) as error:
                if isinstance(error, exceptions.RayActorError) and not error.actor_init_failed:
                    self.replace_actor(slot)
                    return False
                reason = str(error).strip().splitlines()[-1]
                raise BenchError(f"a node of the cluster cannot run cells: {reason}") from None
            self._check_node(greeting)
            placement.node = greeting["node"]
        return bool(placement.node)

    def _check_node(self, greeting: dict[str, Any]) -> None:
        node, here = greeting["node"][:8], versions()
        there = {name: greeting[name] for name in here}
        if there != here:
            raise BenchError(
                f"node {node} has another bench: {there} there, {here} here; install the same on all nodes"
            )
        if not greeting["shares"]:
            raise BenchError(
                f"--results {self.results}: node {node} does not see this folder; name one that all nodes share"
            )

    def submit(self, job: Job, slot: ClusterSlot) -> ClusterHandle:
        return ClusterHandle(self.ray, self.replace_actor, self.placements[slot], job, slot)

    def wait(self, handles: Sequence[ClusterHandle], seconds: float) -> None:
        refs = [handle.ref for handle in handles if handle.ended is None]
        if len(refs) < len(handles):
            return
        greetings = [placement.greeting for placement in self.placements.values() if not placement.node]
        if refs or len(greetings) < len(self.placements):
            self.no_room_since = time.monotonic()
        elif time.monotonic() - self.no_room_since > ROOM_TIMEOUT:
            raise BenchError(
                f"the cluster has had no room for a cell for {ROOM_TIMEOUT:.0f} s; `ray status` shows who has its resources"
            )
        if refs or greetings:
            self.ray.wait([*refs, *greetings], num_returns=1, timeout=seconds)
            for slot in self.slots:  # so that the next call does not wait for a greeting that has arrived
                self.ready(slot)
        else:
            time.sleep(seconds)  # all slots are free, and the only cells left are held by another run

    def close(self) -> None:
        """Give all resources back to the cluster; the end of this process does so too."""
        if isinstance(self.marker, Path):
            self.marker.unlink(missing_ok=True)
        for placement in self.placements.values():
            self.ray.kill(placement.actor)
        self.placements.clear()


class ClusterHandle:
    """A cell that runs in an actor of the cluster.

    Args:
        ray: the connected module.
        replace_actor: starts another actor for a slot whose actor is gone.
        placement: the slot's actor.
    """

    def __init__(
        self, ray: Any, replace_actor: Callable[[ClusterSlot], None], placement: Placement, job: Job, slot: ClusterSlot
    ):
        self.ray, self.replace_actor, self.placement, self.job, self.slot = ray, replace_actor, placement, job, slot
        self.store = open_store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.unread_events: list[dict[str, Any]] = []
        self.ended: JobResult | None = None
        self.ref: Any = None  # the pending call of `SlotActor.poll`
        absolute = replace(job, root=os.path.abspath(job.root)) if self.store.shared else job
        self.process: int | None = self._call(  # the process id on the node
            lambda: self.ray.get(placement.actor.begin.remote(absolute, slot.plain()), timeout=CALL_TIMEOUT)
        )
        if self.process is not None:
            self.ref = placement.actor.poll.remote()
        elif self.ended is None:
            # Nobody knows whether the cell has started. If it has, its claim keeps others away until it ends.
            self.ended = JobResult(lost="the node where it was to run cannot be reached")
            replace_actor(slot)

    def update(self) -> None:
        """Take the actor's answer if it has arrived, and ask again."""
        if self.ended is None and self.ray.wait([self.ref], timeout=0)[0]:
            if answer := self._call(lambda: self.ray.get(self.ref)):
                events, self.ended = answer
                self.unread_events += events
                self._fetch_files()
            if self.ended is None:
                self.ref = self.placement.actor.poll.remote()

    def _fetch_files(self) -> None:
        """Fetch a finished cell's files from its node if the results are behind a URL, whether or not it could send them."""
        if self.ended is None or self.ended.record is None or self.store.shared:
            return
        if self.store.record(self.job.cell.id) != self.ended.record:  # otherwise the node works in our folder
            files = self._call(lambda: self.ray.get(self.placement.actor.files.remote(), timeout=CALL_TIMEOUT))
            if files:
                self.store.unpack(self.job.cell.id, files)

    def _call(self, call: Callable[[], Any]) -> Any:
        """Return the actor's answer; None if the actor has ended or cannot be reached for the moment."""
        exceptions = self.ray.exceptions
        try:
            return call()
        except exceptions.ActorUnavailableError:
            return None
        except (exceptions.RayActorError, exceptions.GetTimeoutError, exceptions.NodeDiedError) as error:
            self.ended = self._result_without_actor(error)
            self.replace_actor(self.slot)
            return None

    def _result_without_actor(self, error: Exception) -> JobResult:
        """A lost node is not the cell's fault. If only the actor is gone, the cause is unknown, so the cell fails."""
        leaving = isinstance(error, self.ray.exceptions.GetTimeoutError) or getattr(error, "preempted", False)
        if leaving or not node_is_alive(self.ray, self.placement.node, str(error)):
            return JobResult(lost="the node where it ran is gone")
        reason = " ".join(str(error).partition("Some common causes")[0].split())
        message = f"the worker was ended with Ray's actor: {reason}"
        end = time.monotonic() + ORPHAN_GRACE
        while True:
            seconds = time.monotonic() - self.clock
            result = fail_cell(self.store, self.job.cell, "WorkerDied", message, self.started, seconds)
            if not result.claimed or time.monotonic() > end:
                return result
            time.sleep(0.5)

    def events(self) -> list[dict[str, Any]]:
        self.update()
        events, self.unread_events = self.unread_events, []
        return events

    def done(self) -> bool:
        self.update()
        return self.ended is not None

    def result(self) -> JobResult:
        return self.ended

    def stop(self) -> None:
        if self.ended is None:
            self.placement.actor.stop.remote()

    def kill(self) -> None:
        if self.ended is not None:
            return
        self.placement.actor.kill.remote()
        end = time.monotonic() + ORPHAN_GRACE
        while not self.done() and time.monotonic() < end:
            self.ray.wait([self.ref], timeout=1.0)
        if self.ended is None:  # no answer; a worker that still runs notices that its parent is gone
            self.ended = JobResult(stopped=True)
            self.replace_actor(self.slot)
