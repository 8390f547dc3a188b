"""The engine `inline`: cells run in a thread of this process, one after another, for debuggers and profilers.

Progress, logs, timeouts and failures work as with the other engines. Output is shown as well as logged. Two things
differ: whatever kills a process kills this one, and all cells share the state of the libraries.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from harness.engines.base import CLAIMED, DISK_FULL, STOPPED, Job, JobResult, Slot
from harness.engines.worker_process import run_job
from harness.errors import BenchError
from harness.remote.mirror import open_store
from harness.safe_text import RedactedStream, redirect_loggers


class InlineHandle:
    """A cell in a thread."""

    def __init__(self, job: Job, slot: Slot):
        from harness.training.checkpointer import Interruption

        self.job, self.slot = job, slot
        self.interruption = Interruption()
        self.unread_events: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.status: int | None = None
        self.full_path = ""
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=job.cell.id, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.status = run_job(self.job, self.slot, self._emit, self.interruption, tee_to, lambda: None)
        except BaseException as error:  # a bug of the harness itself: `result` raises it in the caller's thread
            self.error = error

    def _emit(self, event: dict[str, Any]) -> None:
        if event["event"] == "no-room":
            self.full_path = event["what"]
        else:
            self.unread_events.put(event)

    def events(self) -> list[dict[str, Any]]:
        events = []
        while not self.unread_events.empty():
            events.append(self.unread_events.get())
        return events

    def done(self) -> bool:
        return not self.thread.is_alive()

    def result(self) -> JobResult:
        if self.error is not None:
            raise self.error
        if self.status == CLAIMED:
            return JobResult(claimed=True)
        if self.status == DISK_FULL:
            return JobResult(disk_full=self.full_path or self.job.root)
        if self.status == STOPPED:
            return JobResult(stopped=True)
        return JobResult(open_store(self.job.root).record(self.job.cell.id))

    def stop(self) -> None:
        self.interruption.request()

    def kill(self) -> None:
        """Request a stop. A thread cannot be killed: it ends at its next step, or with this process."""
        self.interruption.request()


class InlineEngine:
    """Runs one cell at a time in this process.

    Args:
        devices: `auto`, or one device.
    """

    def __init__(self, devices: str = "auto"):
        import torch

        valid = ["cuda:0"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
        device = valid[0] if devices == "auto" else devices
        if device not in valid:
            raise BenchError(f"--devices {devices}: the engine inline has one device; valid: auto, {', '.join(valid)}")
        self.slots = [Slot(device, torch.get_num_threads())]

    def ready(self, slot: Slot) -> bool:
        return True

    def submit(self, job: Job, slot: Slot) -> InlineHandle:
        return InlineHandle(job, slot)

    def wait(self, handles: Sequence[InlineHandle], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(handle.done() or not handle.unread_events.empty() for handle in handles):
                return
            time.sleep(0.02)


class _Tee:
    """A stream that also writes to a log what the thread that created it prints."""

    def __init__(self, stream: TextIO, log: Any):
        self._stream, self._log, self._thread = stream, log, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            self._log.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def tee_to(path: Path, append: bool) -> Iterator[None]:
    """Copy to a log file what this thread prints inside the block."""
    before = sys.stdout, sys.stderr
    with path.open("a" if append else "w", encoding="utf-8", buffering=1) as log:
        sys.stdout, sys.stderr = (_Tee(stream, RedactedStream(log)) for stream in before)
        redirect_loggers([*before, sys.__stdout__, sys.__stderr__], errors := sys.stderr)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            redirect_loggers([errors], sys.stderr)
