"""The life of a worker process: signals, its parent's words, the log, one cell."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.engines.base import STOPPED, Slot
from harness.engines.life import live
from harness.job import Job
from harness.secrets import guard_output

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # that end all processes at once
ORPHAN = 5.0  # seconds in which a worker whose parent is gone may save its state


def main(job: Job, slot: Slot, connection: Connection) -> None:
    """Run a cell and leave its record; the target of the worker process."""
    from harness.training.interrupt import Interruption

    interruption = Interruption(_leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    signal.signal(signal.SIGTERM, lambda *_: interruption.request())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the server has them blocked
    threading.Thread(target=_listen, args=(connection, interruption), daemon=True).start()
    if slot.device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.device.removeprefix("cuda:")

    def emit(event: dict[str, Any]) -> None:
        try:
            connection.send(event)
        except OSError:
            interruption.request()  # nobody listens any more

    sys.exit(live(job, slot, emit, interruption, log_to, _leave))


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
    log = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if more else os.O_TRUNC), 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)
    guard_output()
    yield


def probe(connection: Connection) -> None:
    """Tell which accelerators torch sees: `{"cuda": count, "mps": bool}`."""
    import torch

    connection.send({"cuda": torch.cuda.device_count(), "mps": torch.backends.mps.is_available()})
