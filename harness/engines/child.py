"""The life of a worker process: the log, the threads, one cell, its record whatever happens."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from harness.cell import Cell
from harness.engines.base import Slot, error_facts, failed_record
from harness.secrets import guard_output
from harness.store import Store, timestamp


class ParentGone(BaseException):
    """Nobody listens any more: the run was killed. Not an `Exception`, so that no handler takes it for the cell's failure."""


def main(cell: Cell, slot: Slot, root: str, connection: Connection) -> None:
    """Run a cell and write its record; the target of the worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    store = Store(root)
    _log_to(store, cell)
    if slot.device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.device.removeprefix("cuda:")

    def emit(event: dict[str, Any]) -> None:
        try:
            connection.send(event)
        except OSError:
            raise ParentGone from None

    started = time.time()
    try:
        _run(cell, slot, store, emit)
    except ParentGone:
        sys.exit(1)
    except Exception as error:
        # The grid goes on whatever a cell raises; the record and the log keep the whole story.
        facts = error_facts(error)
        print(facts["traceback"], file=sys.stderr)
        store.write(failed_record(cell, facts, timestamp(started), timestamp(time.time()), time.time() - started))


def _run(cell: Cell, slot: Slot, store: Store, emit: Any) -> None:
    import torch
    import transformers

    from harness.worker import run_cell

    torch.set_num_threads(slot.threads)
    transformers.utils.logging.disable_progress_bar()
    # Rows and features are millions of objects, all of them kept: until the training begins, there is no garbage to look for.
    gc.disable()
    run_cell(cell, slot.device, store, emit)


def _log_to(store: Store, cell: Cell) -> None:
    """Send everything that anyone prints, libraries in C included, to the cell's log."""
    log = os.open(store.log(cell.id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)
    guard_output()


def probe(connection: Connection) -> None:
    """Tell which accelerators torch sees: `{"cuda": count, "mps": bool}`."""
    import torch

    connection.send({"cuda": torch.cuda.device_count(), "mps": torch.backends.mps.is_available()})
