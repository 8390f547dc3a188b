"""The engine `local`: processes on this machine, forked from a server that has the libraries loaded."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection as connections
from typing import Any

from harness.engines import child
from harness.engines.base import CLAIMED, DONE, NO_ROOM, STOPPED, Ended, Job, Slot
from harness.engines.life import fail
from harness.engines.members import Members
from harness.engines.server import Server
from harness.errors import BenchError
from harness.remote.mirror import open_store

SERVER_GONE = 255  # what multiprocessing says of a process whose fork server was killed, whether or not it still runs


class LocalHandle:
    """A worker process, with more of them where a cell is trained on several devices."""

    def __init__(self, process: Any, connection: connections.Connection, members: Members, job: Job, slot: Slot):
        self.process, self.connection, self.members = process, connection, members
        self.job, self.slot, self.store = job, slot, open_store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.asked = False  # to end
        self.closed = False  # its end of the connection, and so the worker's life
        self.no_room = self.broken = ""

    def events(self) -> list[dict[str, Any]]:
        events = []
        try:
            while self.connection.poll():
                event = self.connection.recv()
                if event["event"] == "no-room":
                    self.no_room = event["what"]
                elif event["event"] == "port":
                    self.members.begin(event["port"])
                else:
                    events.append(event)
        except (EOFError, OSError):
            self.closed = True  # whatever it had to say has been read
        return events

    def done(self) -> bool:
        if self._alive():
            self.broken = self.members.broken()
            if not self.broken:
                return False
            self._end()  # it would wait for the others for ever
        self.members.end()
        return True

    def _alive(self) -> bool:
        return self.process.is_alive() or (self.process.exitcode == SERVER_GONE and not self.closed)

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
            if self.store.digest(self.job.cell.id) != self.job.seen:
                return Ended(record)
            return Ended(lost="the server that its worker was forked from was killed, and then the worker ended")
        if code == STOPPED:
            return Ended(lost="its worker was told to end, and has saved its state")
        return fail(
            self.store, self.job.cell, "WorkerDied", self._death(code), self.started, time.monotonic() - self.clock
        )

    def _death(self, code: int | None) -> str:
        if self.broken:
            return f"{self.broken}; its last words are in log.txt"
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
        self._end()
        self.members.end()

    def _end(self) -> None:
        self.process.kill()
        self.process.join()
        while self._alive():  # the server is gone, the worker is not, so its number is still its own
            os.kill(self.process.pid, signal.SIGKILL)
            self.connection.poll(0.1)
            self.events()


class LocalEngine:
    """One fresh process a cell, on the slots of this machine.

    Args:
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: one a GPU, or as many as the cores allow.
        together: devices, or processes on a CPU, that each cell is trained on.
        modules: what cells will import that not every cell does, loaded once for all of them.
    """

    def __init__(self, devices: str = "auto", jobs: int | None = None, together: int = 1, modules: Sequence[str] = ()):
        self.server = Server(modules)
        self.slots = make_slots(self._devices(devices), jobs, _cores(), together)

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
        process, connection = self.server.process(child.probe)
        found = connection.recv()
        process.join()
        connection.close()
        return found

    def ready(self, slot: Slot) -> bool:
        return True

    def submit(self, job: Job, slot: Slot) -> LocalHandle:
        process, connection = self.server.process(child.main, job, slot)
        members = Members(lambda rank: self.server.process(child.member, job, slot, rank), job.devices)
        return LocalHandle(process, connection, members, job, slot)

    def wait(self, handles: Sequence[LocalHandle], seconds: float) -> None:
        live = [handle.connection for handle in handles if not handle.connection.closed]
        # A sentinel tells of the server's end too, and then for ever; the worker may live on.
        ends = [handle.process.sentinel for handle in handles if handle.process.exitcode is None]
        connections.wait([*live, *ends], seconds)


def _cores() -> int:
    """The cores that this process may use; where the system does not tell, those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_slots(devices: Sequence[str], jobs: int | None, cores: int, together: int = 1) -> list[Slot]:
    """Slots for `jobs` cells at once, each of `together` devices.

    A CPU is cut into at most four slots, so that small models keep its cores busy: two processes of one thread do more
    work than one of two. The cut depends on the machine and on `jobs` alone, never on how many cells are left, because the
    number of threads changes the last digits of a sum and so, now and then, a score.

    Raises:
        BenchError: there are not so many GPUs.
    """
    if devices == ["cpu"]:
        jobs = jobs or max(1, min(4, cores) // together)
        return [Slot(",".join(["cpu"] * together), max(1, cores // (jobs * together)))] * jobs
    if together > len(devices):
        raise BenchError(
            f"--devices-per-cell {together}: there are {len(devices)} devices ({', '.join(devices)}); name more with --devices"
        )
    groups = [",".join(devices[at : at + together]) for at in range(0, len(devices) - together + 1, together)]
    jobs = jobs or len(groups)
    return [Slot(groups[number % len(groups)], max(1, cores // (jobs * together))) for number in range(jobs)]
