"""The life of a worker process: signals, its parent's words, the log, one cell."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.engines.base import STOPPED, Job, Slot
from harness.engines.life import live, run
from harness.remote.mirror import open_store
from harness.safe_text import redact_output

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # that end all processes at once
ORPHAN = 5.0  # seconds in which a worker whose parent is gone may save its state


def main(job: Job, slot: Slot, connection: Connection) -> None:
    """Run a cell and leave its record; the target of the worker process."""
    interruption = _settle(slot, 0, connection)

    def emit(event: dict[str, Any]) -> None:
        try:
            connection.send(event)
        except OSError:
            interruption.request()  # nobody listens any more

    sys.exit(live(job, slot, emit, interruption, log_to, _leave))


def member(job: Job, slot: Slot, rank: int, connection: Connection) -> None:
    """Train a cell together with its first process; the target of a further process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        port = connection.recv()
    except (EOFError, OSError):
        _leave()
    interruption = _settle(slot, rank, connection)
    with log_to(open_store(job.root).log(job.cell.id), True):
        run(job, slot, rank, lambda event: None, interruption, port)


def _settle(slot: Slot, rank: int, connection: Connection) -> Any:
    """Set up signals, the parent's lifeline and the device; gives the cell's interruption."""
    from harness.training.keeper import Interruption

    interruption = Interruption(_leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    # The first process decides for all when a cell ends.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if rank else lambda *_: interruption.request())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the server has them blocked
    threading.Thread(target=_listen, args=(connection, interruption), daemon=True).start()
    device = slot.device.split(",")[rank]
    if device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    return interruption


def _leave() -> None:
    os._exit(STOPPED)


def _listen(connection: Connection, interruption: Any) -> None:
    """Whatever the parent says means to end. When it is gone there is little time left, for somebody may start it again."""
    try:
        while True:
            connection.recv()
            interruption.request()
    except (EOFError, OSError):
        interruption.request()
        time.sleep(ORPHAN)
        _leave()


@contextmanager
def log_to(path: Path, more: bool) -> Iterator[None]:
    """Send everything that anyone prints, libraries in C included, to the cell's log, for good.

    Args:
        path: of the log.
        more: keep what it holds, for this is the same training going on.
    """
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if more else os.O_TRUNC), 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)
    redact_output()
    yield


def probe(connection: Connection) -> None:
    """Tell which accelerators torch sees: `{"cuda": count, "mps": bool}`."""
    import torch

    found = {"cuda": torch.cuda.device_count(), "mps": torch.backends.mps.is_available()}
    with suppress(OSError):  # who asked is gone
        connection.send(found)
