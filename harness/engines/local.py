"""The engine `local`: processes on this machine, forked from a server that has the libraries loaded."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection as connections
from typing import Any

from harness.engines import child
from harness.engines.base import CLAIMED, DONE, NO_ROOM, STOPPED, Ended, Slot
from harness.engines.failure import fail
from harness.errors import BenchError
from harness.job import Job
from harness.store import Store

# Loaded once in the server: a cell's fresh process then starts in milliseconds.
PRELOADED = [
    "harness.worker",
    "harness.heads.sequence",
    "harness.heads.tokens",
    "harness.heads.spans",
    "harness.heads.text",
    "harness.metrics.classification",
    "harness.metrics.entities",
    "harness.metrics.squad",
    "harness.metrics.translation",
    "typer",  # the command itself, which the start of a process imports again
    "harness.engines.warm",
]


class LocalHandle:
    """A worker process."""

    def __init__(self, process: Any, connection: connections.Connection, job: Job, slot: Slot):
        self.process, self.connection = process, connection
        self.job, self.slot, self.store = job, slot, Store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.asked = False  # to end
        self.no_room = ""

    def events(self) -> list[dict[str, Any]]:
        events = []
        try:
            while self.connection.poll():
                event = self.connection.recv()
                if event["event"] == "no-room":
                    self.no_room = event["what"]
                else:
                    events.append(event)
        except (EOFError, OSError):
            pass  # the worker has closed its end: whatever it had to say has been read
        return events

    def done(self) -> bool:
        return not self.process.is_alive()

    def result(self) -> Ended:
        self.process.join()
        code, record = self.process.exitcode, self.store.record(self.job.cell.id)
        self.connection.close()
        if code == DONE and record is not None:
            return Ended(record)
        if code == CLAIMED:
            return Ended(claimed=True)
        if code == NO_ROOM:
            return Ended(no_room=self.no_room or self.job.root)
        if self.asked:
            return Ended(stopped=True)
        if code == STOPPED:
            return Ended(lost="its worker was told to end, and has saved its state")
        return fail(
            self.store, self.job.cell, "WorkerDied", self._death(code), self.started, time.monotonic() - self.clock
        )

    def _death(self, code: int | None) -> str:
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (the system ran out of memory?)" if name == "SIGKILL" else ""
            return f"the worker was ended by signal {name}{hint}; its last words are in log.txt"
        return f"the worker ended with status {code} and left no record; its last words are in log.txt"

    def log(self) -> str:
        return self.store.log(self.job.cell.id).read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self.asked = True
        with suppress(OSError):  # it has ended by itself
            self.connection.send("stop")

    def kill(self) -> None:
        self.asked = True
        self.process.kill()
        self.process.join()


class LocalEngine:
    """One fresh process a cell, on the slots of this machine.

    Args:
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: one a GPU, or as many as the cores allow.
    """

    def __init__(self, devices: str = "auto", jobs: int | None = None):
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)
        self._start_server()
        self.slots = make_slots(self._devices(devices), jobs, _cores())

    def _start_server(self) -> None:
        """Start the server without the current folder on its path: a folder `datasets` there is not the library."""
        from multiprocessing import forkserver

        settings = {"PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def _devices(self, devices: str) -> list[str]:
        if devices == "cpu":
            return ["cpu"]
        found = self.probe()
        valid = [f"cuda:{number}" for number in range(found["cuda"])] + ["mps"] * found["mps"] + ["cpu"]
        if devices == "auto":
            return [name for name in valid if name != "cpu"] or ["cpu"]
        wanted = [name.strip() for name in devices.split(",")]
        for name in wanted:
            if name not in valid:
                raise BenchError(f"--devices {name}: this machine has no such device; valid: auto, {', '.join(valid)}")
        return wanted

    def probe(self) -> dict[str, Any]:
        """Which accelerators a worker's process sees, see `child.probe`; when it returns, the server has loaded everything."""
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=child.probe, args=(theirs,))
        process.start()
        theirs.close()
        found = ours.recv()
        process.join()
        return found

    def ready(self, slot: Slot) -> bool:
        return True

    def submit(self, job: Job, slot: Slot) -> LocalHandle:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=child.main, args=(job, slot, theirs))
        process.start()
        theirs.close()
        return LocalHandle(process, ours, job, slot)

    def wait(self, handles: Sequence[LocalHandle], seconds: float) -> None:
        live = [handle.connection for handle in handles if not handle.connection.closed]
        connections.wait([*live, *(handle.process.sentinel for handle in handles)], seconds)


def _cores() -> int:
    """The cores that this process may use; where the system does not tell, those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_slots(devices: Sequence[str], jobs: int | None, cores: int) -> list[Slot]:
    """Slots for `jobs` cells at once.

    A CPU is cut into at most four slots, so that small models keep its cores busy: two processes of one thread do more
    work than one of two. The cut depends on the machine and on `jobs` alone, never on how many cells are left, because the
    number of threads changes the last digits of a sum and so, now and then, a score.
    """
    if devices == ["cpu"]:
        jobs = jobs or max(1, min(4, cores))
        return [Slot("cpu", max(1, cores // jobs))] * jobs
    jobs = jobs or len(devices)
    return [Slot(devices[number % len(devices)], max(1, cores // jobs)) for number in range(jobs)]
