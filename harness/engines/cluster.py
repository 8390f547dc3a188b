"""The engine `ray`: cells on the nodes of a Ray cluster."""

from __future__ import annotations

import os
import sys
import time
import uuid
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.engines.base import Job
from harness.engines.node_slots import ClusterHandle, NodeSlot, Seat, versions
from harness.engines.nodes import ClusterSlot, connect, make_slots
from harness.errors import BenchError
from harness.files import temporary_path
from harness.remote.folder import is_url
from harness.safe_text import is_secret

PATIENCE = 600.0  # seconds in which the cluster must have room for at least one cell


class ClusterEngine:
    """One fresh process a cell, on the nodes of a Ray cluster that runs already.

    Args:
        address: of the cluster, as `ray.init` takes it.
        devices: `auto` (GPUs, or CPUs where the cluster has no GPU), `cpu` or `cuda`.
        jobs: cells at once, at most; None: as many as the cluster has room for.
        results: a folder that all nodes share, or a URL that all reach.

    Raises:
        BenchError: no cluster answers, it has no such device or no room, or a node does not see the results.
    """

    def __init__(self, address: str, devices: str, jobs: int | None, results: str | Path):
        self.ray = connect(address)
        self.slots = make_slots(self.ray.nodes(), devices, jobs)
        self.results = results
        self.sign: str | Path = str(results)
        if not is_url(results):
            folder = Path(results).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            # A new name each time: a node may remember for a while that it has seen no file of a name.
            self.sign = temporary_path(folder / f"shared-{uuid.uuid4().hex}")
            weakref.finalize(self, self.sign.unlink, missing_ok=True)
            self.sign.touch()
        self.seats: dict[ClusterSlot, Seat] = {}
        self.roomless_since = time.monotonic()
        try:
            for slot in self.slots:
                self._open(slot)
            while not any(self.ready(slot) for slot in self.slots):
                self.wait([], 1.0)
        except BaseException:
            self.close()
            raise

    def _open(self, slot: ClusterSlot) -> None:
        """Ask the cluster for a place, on the slot's node if that is still there."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        given = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("BENCH_", "HF_")) and not is_secret(name)
        }
        actor = (
            self.ray.remote(NodeSlot)
            .options(
                num_cpus=slot.cpus, num_gpus=slot.gpus, max_restarts=0, max_concurrency=4,
                scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node, soft=True),
            )
            .remote(os.getcwd(), [folder for folder in sys.path if folder], given)
        )  # fmt: skip
        self.seats[slot] = Seat(actor, actor.greet.remote(str(self.sign)))

    def reopen(self, slot: ClusterSlot) -> None:
        """Ask for another place instead of one that is gone."""
        self.ray.kill(self.seats[slot].actor)
        self._open(slot)

    def ready(self, slot: ClusterSlot) -> bool:
        """Whether the cluster has given the slot its place."""
        seat = self.seats[slot]
        if not seat.node and self.ray.wait([seat.greeting], timeout=0)[0]:
            try:
                told = self.ray.get(seat.greeting)
            except self.ray.exceptions.RayActorError as error:
                if error.actor_init_failed:
                    raise BenchError(f"a node of the cluster cannot run cells: {_last_line(error)}") from None
                self.reopen(slot)
                return False
            except self.ray.exceptions.RayTaskError as error:
                raise BenchError(f"a node of the cluster cannot run cells: {_last_line(error)}") from None
            self._check(told)
            seat.node = told["node"]
        return bool(seat.node)

    def _check(self, told: dict[str, Any]) -> None:
        node, here = told["node"][:8], versions()
        there = {name: told[name] for name in here}
        if there != here:
            raise BenchError(
                f"node {node} has another bench: {there} there, {here} here; install the same on all nodes"
            )
        if not told["shares"]:
            raise BenchError(
                f"--results {self.results}: node {node} does not see this folder; name one that all nodes share"
            )

    def submit(self, job: Job, slot: ClusterSlot) -> ClusterHandle:
        return ClusterHandle(self.ray, self.reopen, self.seats[slot], job, slot)

    def wait(self, handles: Sequence[ClusterHandle], seconds: float) -> None:
        refs = [handle.ref for handle in handles if handle.ended is None]
        if len(refs) < len(handles):
            return
        waiting = [seat.greeting for seat in self.seats.values() if not seat.node]
        if refs or len(waiting) < len(self.seats):
            self.roomless_since = time.monotonic()
        elif time.monotonic() - self.roomless_since > PATIENCE:
            raise BenchError(
                f"the cluster has had no room for a cell for {PATIENCE:.0f} s; `ray status` tells who has its resources"
            )
        if refs or waiting:
            self.ray.wait([*refs, *waiting], num_returns=1, timeout=seconds)
            for slot in self.slots:  # what has told where it is need not be waited for again
                self.ready(slot)
        else:
            time.sleep(seconds)  # all free, and nothing to do until a cell that another run has is asked for again

    def close(self) -> None:
        """Give everything back to the cluster; the end of this process does so too."""
        if isinstance(self.sign, Path):
            self.sign.unlink(missing_ok=True)
        for seat in self.seats.values():
            self.ray.kill(seat.actor)
        self.seats.clear()


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
