"""The engine `local`: processes on this machine, forked from a server that has the libraries loaded."""

from __future__ import annotations

import atexit
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

SERVER_GONE = 255  # what multiprocessing says of a process whose fork server was killed, whether or not it still runs
RESTARTS, PAUSE = 3, 0.2  # times that the server is started again for one worker, and seconds before each


class LocalHandle:
    """A worker process."""

    def __init__(self, process: Any, connection: connections.Connection, job: Job, slot: Slot):
        self.process, self.connection = process, connection
        self.job, self.slot, self.store = job, slot, Store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.asked = False  # to end
        self.closed = False  # its end of the connection, and so the worker's life
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
            self.closed = True  # whatever it had to say has been read
        return events

    def done(self) -> bool:
        return not self.process.is_alive() and (self.closed or self.process.exitcode != SERVER_GONE)

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
        if code == SERVER_GONE:
            if self.store.stamp(self.job.cell.id) != self.job.seen:
                return Ended(record)
            return Ended(lost="the server that its worker was forked from was killed, and then the worker ended")
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
        while not self.done():  # the server is gone, the worker is not, so its number is still its own
            os.kill(self.process.pid, signal.SIGKILL)
            self.connection.poll(0.1)
            self.events()


class LocalEngine:
    """One fresh process a cell, on the slots of this machine.

    Args:
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: one a GPU, or as many as the cores allow.
    """

    def __init__(self, devices: str = "auto", jobs: int | None = None):
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)
        atexit.register(_end_server)
        self._start_server()
        self.slots = make_slots(self._devices(devices), jobs, _cores())

    def _start_server(self) -> None:
        """Start the server, unless it runs, without the current folder on its path: a folder `datasets` there is not the library."""
        from multiprocessing import forkserver, resource_tracker

        settings = {"PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        resource_tracker.ensure_running()  # before the signals are blocked: it unblocks them
        # What ends all processes at once, as Ctrl-C and batch systems do, is the parent's to handle. The server ignores it
        # only when it has loaded everything, and Python ends it until then; its workers unblock what they handle.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, child.SIGNALS)
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def _devices(self, devices: str) -> list[str]:
        if devices == "cpu":
            return ["cpu"]
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=child.probe, args=(theirs,))
        process.start()
        theirs.close()
        found = ours.recv()
        process.join()
        valid = [f"cuda:{number}" for number in range(found["cuda"])] + ["mps"] * found["mps"] + ["cpu"]
        if devices == "auto":
            return [name for name in valid if name != "cpu"] or ["cpu"]
        wanted = [name.strip() for name in devices.split(",")]
        for name in wanted:
            if name not in valid:
                raise BenchError(f"--devices {name}: this machine has no such device; valid: auto, {', '.join(valid)}")
        return wanted

    def submit(self, job: Job, slot: Slot) -> LocalHandle:
        ours, theirs = self.context.Pipe()
        process = self._started(job, slot, theirs)
        theirs.close()
        return LocalHandle(process, ours, job, slot)

    def _started(self, job: Job, slot: Slot, theirs: connections.Connection) -> Any:
        """A worker process. A server that was killed, perhaps just now, is started again."""
        for last in [False] * RESTARTS + [True]:
            self._start_server()
            process = self.context.Process(target=child.main, args=(job, slot, theirs))
            try:
                process.start()
            except (EOFError, ConnectionError):
                if last:
                    raise
                time.sleep(PAUSE)  # until the system knows that it is gone
            else:
                return process
        raise AssertionError("the last try returns or raises")

    def wait(self, handles: Sequence[LocalHandle], seconds: float) -> None:
        live = [handle.connection for handle in handles if not handle.connection.closed]
        # A sentinel tells of the server's end too, and then for ever; the worker may live on.
        ends = [handle.process.sentinel for handle in handles if handle.process.exitcode is None]
        connections.wait([*live, *ends], seconds)


def _end_server() -> None:
    """End the fork server with its parent: left to itself it would first load all the libraries, and then fork what was asked."""
    from multiprocessing import forkserver

    number = forkserver._forkserver._forkserver_pid
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


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
