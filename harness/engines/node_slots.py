"""The engine ray's cells: a slot on a node, and a cell there as it is seen from here."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import connection as connections
from pathlib import Path
from typing import Any

from harness.cell import PROTOCOL
from harness.engines.base import Ended, Job, Slot
from harness.engines.life import fail
from harness.engines.nodes import ClusterSlot, is_alive
from harness.remote.folder import RemoteFolder, is_url
from harness.remote.mirror import open_store

# A slot on a node of a Ray cluster: an actor that holds the slot's resources and starts one fresh process a cell. The cells'
# processes are those of the engine `local`, forked from a server of the actor's own: what a signal, a full disk or a lost parent
# means for them is decided there. When the actor ends, however that happens, they save their state and end too.


PATIENCE = 5.0  # seconds after which `news` answers even if there are none
BATCH = 0.05  # seconds in which further events are waited for, so that each step does not cost a message of its own


def versions() -> dict[str, Any]:
    """What driver and nodes must agree in."""
    return {"bench": version("bench-harness"), "protocol": PROTOCOL}


class NodeSlot:
    """The actor.

    Args:
        home: the folder in which the run was started; the place goes there if its node has it, for paths may be relative.
        path: where the driver finds modules; what of it the node has is looked through after the node's own.
        variables: of the environment; what the node has set itself stays.
    """

    def __init__(self, home: str, path: Sequence[str], variables: Mapping[str, str]):
        for name, value in variables.items():
            os.environ.setdefault(name, value)
        sys.path += [folder for folder in path if folder not in sys.path]
        with suppress(FileNotFoundError, NotADirectoryError):
            os.chdir(home)
        # A forked process would otherwise run Ray's own script again, to find what was defined there.
        vars(sys.modules["__main__"]).pop("__file__", None)
        from harness.engines.local import LocalEngine

        self.engine = LocalEngine("cpu", 1)
        self.handle: Any = None
        self.ended: Ended | None = None

    def greet(self, sign: str) -> dict[str, Any]:
        """Load the libraries, then tell where this is, and whether a file of the results folder can be seen from here.

        Raises:
            BenchError: the results lie behind a URL, and nothing can be written there from here.
        """
        import ray

        self.engine.probe()
        if is_url(sign):
            RemoteFolder(sign).check()
        shares = is_url(sign) or Path(sign).exists()
        return {"node": ray.get_runtime_context().get_node_id(), "shares": shares, **versions()}

    def begin(self, job: Job, slot: Slot) -> int:
        """Start a cell, and tell the number of its process; there is one at a time."""
        if slot.device != "cpu":
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")  # set by Ray, to the GPU that is this actor's
            slot = replace(slot, device=f"cuda:{visible}")
        self.ended = None
        self.handle = self.engine.submit(job, slot)
        return self.handle.process.pid

    def news(self) -> tuple[list[dict[str, Any]], Ended | None]:
        """What the cell has told since the last call, as soon as there is something, and how it ended, if it has."""
        if self.ended is not None:
            return [], self.ended  # the answer before was lost on its way
        handle = self.handle
        connections.wait([handle.connection, handle.process.sentinel], PATIENCE)
        time.sleep(BATCH)
        done = handle.done()  # asked before the events are read: what a cell says last, it says before it ends
        events = handle.events()
        if done:
            self.ended = handle.result()
        return events, self.ended

    def files(self) -> dict[str, bytes]:
        """The files of the cell that has ended, where the results lie behind a URL."""
        return self.handle.store.pack(self.handle.job.cell.id)

    def stop(self) -> None:
        """Ask the cell to save its state and to end."""
        self.handle.stop()

    def kill(self) -> None:
        """End the cell now; `news` tells when it has ended."""
        self.handle.asked = True
        self.handle.process.kill()


# A cell that runs on a node of a Ray cluster, seen from here.


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
        self.unread_events: list[dict[str, Any]] = []
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
                self.unread_events += events
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
        events, self.unread_events = self.unread_events, []
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
