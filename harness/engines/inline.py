"""The engine `inline`: cells in a thread of this process, one after another, for debuggers and profilers.

Everything looks as with the other engines: progress, log, timeouts, failures. What is printed is shown as well as logged. Only
what ends a process ends this one too, and cells share a process, so libraries keep what they have set up.
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

from harness.engines.base import CLAIMED, NO_ROOM, STOPPED, Ended, Job, Slot
from harness.engines.life import live
from harness.errors import BenchError
from harness.remote.mirror import open_store
from harness.safe_text import RedactedStream, redirect_loggers


class InlineHandle:
    """A cell in a thread."""

    def __init__(self, job: Job, slot: Slot):
        from harness.training.keeper import Interruption

        self.job, self.slot = job, slot
        self.interruption = Interruption()
        self.unread_events: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.status: int | None = None
        self.no_room = ""
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=job.cell.id, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.status = live(self.job, self.slot, self._emit, self.interruption, tee, lambda: None)
        except BaseException as error:  # of the harness itself: `result` raises it where somebody looks
            self.error = error

    def _emit(self, event: dict[str, Any]) -> None:
        if event["event"] == "no-room":
            self.no_room = event["what"]
        else:
            self.unread_events.put(event)

    def events(self) -> list[dict[str, Any]]:
        events = []
        while not self.unread_events.empty():
            events.append(self.unread_events.get())
        return events

    def done(self) -> bool:
        return not self.thread.is_alive()

    def result(self) -> Ended:
        if self.error is not None:
            raise self.error
        if self.status == CLAIMED:
            return Ended(claimed=True)
        if self.status == NO_ROOM:
            return Ended(no_room=self.no_room or self.job.root)
        if self.status == STOPPED:
            return Ended(stopped=True)
        return Ended(open_store(self.job.root).record(self.job.cell.id))

    def log(self) -> str:
        return open_store(self.job.root).log(self.job.cell.id).read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self.interruption.request()

    def kill(self) -> None:
        """A thread cannot be killed: it ends at its next step, or with this process."""
        self.interruption.request()


class InlineEngine:
    """One cell at a time, in this process.

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
    """A stream whose lines go to a log as well, where they are written by one thread."""

    def __init__(self, stream: TextIO, log: Any):
        self._stream, self._log, self._thread = stream, log, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            self._log.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def tee(path: Path, more: bool) -> Iterator[None]:
    """Write what this thread prints inside the block to a log as well."""
    before = sys.stdout, sys.stderr
    with path.open("a" if more else "w", encoding="utf-8", buffering=1) as log:
        sys.stdout, sys.stderr = (_Tee(stream, RedactedStream(log)) for stream in before)
        redirect_loggers([*before, sys.__stdout__, sys.__stderr__], errors := sys.stderr)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            redirect_loggers([errors], sys.stderr)
