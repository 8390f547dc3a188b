"""The engine `local`: processes on this machine, forked from a server that has loaded the libraries."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import connection as connections
from typing import Any

from harness.engines import worker_process
from harness.engines.base import CLAIMED, DISK_FULL, DONE, STOPPED, Job, JobResult, Slot
from harness.engines.failures import fail_cell
from harness.engines.server import ForkServer
from harness.errors import BenchError
from harness.remote.mirror import open_store

# The exit code that multiprocessing reports for a process whose fork server was killed, whether or not it still runs.
SERVER_GONE = 255
BROKEN_GRACE = 10.0  # seconds that the first process has to report by itself why another one has ended


class MemberProcesses:
    """All processes of a cell except the first. They begin when the first has the claim and end no later than it.

    Args:
        start: starts the process of a rank, and returns it with this side's end of its pipe.
        count: the number of processes of the cell, including the first.
    """

    def __init__(self, start: Callable[[int], tuple[Any, connections.Connection]], count: int):
        self.processes = [start(rank) for rank in range(1, count)]
        self._broken_since = 0.0

    def begin(self, port: int) -> None:
        """Tell the processes at which port to join the first."""
        for _, connection in self.processes:
            connection.send(port)

    def failure(self) -> str:
        """Describe a process that ended too early, once the first had time to report it; otherwise return ""."""
        codes = [None if process.is_alive() else process.exitcode for process, _ in self.processes]
        rank, code = next(((rank, code) for rank, code in enumerate(codes, 1) if code), (0, 0))
        if not code:
            return ""
        self._broken_since = self._broken_since or time.monotonic()
        if time.monotonic() - self._broken_since < BROKEN_GRACE:
            return ""
        return f"process {rank} of the cell ended with {f'signal {-code}' if code < 0 else f'status {code}'}"

    def kill(self) -> None:
        """Kill the processes that are left."""
        for process, connection in self.processes:
            process.kill()
            process.join()
            connection.close()


class LocalHandle:
    """A worker process, with its member processes if the cell is trained on several devices."""

    def __init__(
        self, process: Any, connection: connections.Connection, members: MemberProcesses, job: Job, slot: Slot
    ):
        self.process, self.connection, self.members = process, connection, members
        self.job, self.slot, self.store = job, slot, open_store(job.root)
        self.started, self.clock = time.time(), time.monotonic()
        self.stop_requested = False
        self.disconnected = False  # the worker's end of the pipe is closed, so the worker has ended
        self.full_path = ""  # that the worker could not write
        self.member_failure = ""

    def events(self) -> list[dict[str, Any]]:
        events = []
        try:
            while self.connection.poll():
                event = self.connection.recv()
                if event["event"] == "no-room":
                    self.full_path = event["what"]
                elif event["event"] == "port":
                    self.members.begin(event["port"])
                else:
                    events.append(event)
        except (EOFError, OSError):
            self.disconnected = True
        return events

    def done(self) -> bool:
        if self._alive():
            self.member_failure = self.members.failure()
            if not self.member_failure:
                return False
            self._kill_process()  # it would wait for the other processes forever
        self.members.kill()
        return True

    def _alive(self) -> bool:
        return self.process.is_alive() or (self.process.exitcode == SERVER_GONE and not self.disconnected)

    def result(self) -> JobResult:
        self.process.join()
        code, record = self.process.exitcode, self.store.record(self.job.cell.id)
        self.connection.close()
        if code == DONE and record is not None:
            return JobResult(record)
        if code == CLAIMED:
            return JobResult(claimed=True)
        if code == DISK_FULL:
            return JobResult(disk_full=self.full_path or self.job.root)
        if self.stop_requested:
            return JobResult(stopped=True)
        if code == SERVER_GONE:
            if self.store.digest(self.job.cell.id) != self.job.record_digest:
                return JobResult(record)
            return JobResult(lost="its fork server was killed, and then its worker ended")
        if code == STOPPED:
            return JobResult(lost="its worker was told to end, and has saved its state")
        seconds = time.monotonic() - self.clock
        return fail_cell(self.store, self.job.cell, "WorkerDied", self._death(code), self.started, seconds)

    def _death(self, code: int | None) -> str:
        """Describe in one line how the worker died."""
        if self.member_failure:
            return f"{self.member_failure}; see the end of log.txt"
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (the system ran out of memory?)" if name == "SIGKILL" else ""
            return f"the worker was ended by signal {name}{hint}; see the end of log.txt"
        return f"the worker ended with status {code} and left no record; see the end of log.txt"

    def stop(self) -> None:
        self.stop_requested = True
        with suppress(OSError):  # it has ended by itself
            self.connection.send("stop")

    def kill(self) -> None:
        self.stop_requested = True
        self._kill_process()
        self.members.kill()

    def _kill_process(self) -> None:
        self.process.kill()
        self.process.join()
        while self._alive():  # its server is gone, so nobody has reaped it and its process id is still its own
            os.kill(self.process.pid, signal.SIGKILL)
            self.connection.poll(0.1)
            self.events()


class LocalEngine:
    """Runs each cell in a fresh process on the slots of this machine.

    Args:
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: the number of cells at the same time; None: one for each GPU, or as many as the cores allow.
        devices_per_cell: the number of devices, or of processes on a CPU, that train one cell together.
        modules: extra modules that the server loads once for all cells.
    """

    def __init__(
        self, devices: str = "auto", jobs: int | None = None, devices_per_cell: int = 1, modules: Sequence[str] = ()
    ):
        self.server = ForkServer(modules)
        self.slots = make_slots(self._devices(devices), jobs, available_cores(), devices_per_cell)

    def _devices(self, devices: str) -> list[str]:
        if devices == "cpu":
            return ["cpu"]
        accelerators = self.probe()
        gpus = [f"cuda:{number}" for number in range(accelerators["cuda"])] + ["mps"] * accelerators["mps"]
        if devices == "auto":
            return gpus or ["cpu"]
        names = [name.strip() for name in devices.split(",")]
        for name in names:
            if name not in (*gpus, "cpu"):
                valid = ", ".join(["auto", *gpus, "cpu"])
                raise BenchError(f"--devices {name}: this machine has no such device; valid: {valid}")
        return names

    def probe(self) -> dict[str, Any]:
        """Return the accelerators that a worker sees, see `probe_main`. Afterwards the server has loaded everything."""
        process, connection = self.server.start_process(worker_process.probe_main)
        accelerators = connection.recv()
        process.join()
        connection.close()
        return accelerators

    def ready(self, slot: Slot) -> bool:
        return True

    def submit(self, job: Job, slot: Slot) -> LocalHandle:
        start = self.server.start_process
        process, connection = start(worker_process.worker_main, job, slot)
        members = MemberProcesses(lambda rank: start(worker_process.member_main, job, slot, rank), job.devices)
        return LocalHandle(process, connection, members, job, slot)

    def wait(self, handles: Sequence[LocalHandle], seconds: float) -> None:
        pipes = [handle.connection for handle in handles if not handle.connection.closed]
        # The sentinel of a process becomes ready when its fork server dies, and stays ready while the worker lives on:
        # wait for it only while there is no exit code.
        sentinels = [handle.process.sentinel for handle in handles if handle.process.exitcode is None]
        connections.wait([*pipes, *sentinels], seconds)


def available_cores() -> int:
    """Return the number of cores that this process may use, or of all cores where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_slots(devices: Sequence[str], jobs: int | None, cores: int, devices_per_cell: int = 1) -> list[Slot]:
    """Make slots for `jobs` cells at the same time.

    A CPU is divided into at most four slots, so that small models keep its cores busy: two processes of one thread do
    more work than one process of two. The division depends on the machine and on `jobs` only, never on how many cells
    are left, because the number of threads changes the last digits of a sum and so, now and then, a score.

    Raises:
        BenchError: there are fewer GPUs than `devices_per_cell`.
    """
    if devices == ["cpu"]:
        jobs = jobs or max(1, min(4, cores) // devices_per_cell)
        return [Slot(",".join(["cpu"] * devices_per_cell), max(1, cores // (jobs * devices_per_cell)))] * jobs
    if devices_per_cell > len(devices):
        raise BenchError(
            f"--devices-per-cell {devices_per_cell}: there are {len(devices)} devices ({', '.join(devices)}); name more"
            " with --devices"
        )
    starts = range(0, len(devices) - devices_per_cell + 1, devices_per_cell)
    groups = [",".join(devices[start : start + devices_per_cell]) for start in starts]
    jobs = jobs or len(groups)
    return [Slot(groups[number % len(groups)], max(1, cores // (jobs * devices_per_cell))) for number in range(jobs)]
