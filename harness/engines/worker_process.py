"""What a worker process does: set up signals, output and device, then run one cell from its claim to its record."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.engines.base import CLAIMED, DISK_FULL, DONE, STOPPED, Job, Slot
from harness.engines.failures import error_facts, write_failure
from harness.files import disk_full
from harness.remote.mirror import open_store
from harness.remote.remote_folder import Unreachable
from harness.safe_text import redact_output

if TYPE_CHECKING:
    from harness.training.checkpointer import Interruption

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # sent to the whole process group by terminals and batch systems
ORPHAN_GRACE = 5.0  # seconds that a worker whose parent is gone has to save its state

Emit = Callable[[dict[str, Any]], None]


def worker_main(job: Job, slot: Slot, connection: Connection) -> None:
    """Run a cell and write its record. This is the target of a cell's first process."""
    interruption = _set_up_process(slot, 0, connection)

    def emit(event: dict[str, Any]) -> None:
        try:
            connection.send(event)
        except OSError:
            interruption.request()  # the parent is gone

    sys.exit(run_job(job, slot, emit, interruption, log_to, _exit_now))


def member_main(job: Job, slot: Slot, rank: int, connection: Connection) -> None:
    """Train a cell together with its first process. This is the target of every further process of a cell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        port = connection.recv()
    except (EOFError, OSError):
        _exit_now()
    interruption = _set_up_process(slot, rank, connection)
    with log_to(open_store(job.root).log(job.cell.id), append=True):
        train_and_evaluate(job, slot, rank, lambda event: None, interruption, port)


def probe_main(connection: Connection) -> None:
    """Send the accelerators that torch sees: `{"cuda": count, "mps": bool}`."""
    import torch

    accelerators = {"cuda": torch.cuda.device_count(), "mps": torch.backends.mps.is_available()}
    with suppress(OSError):  # the parent is gone
        connection.send(accelerators)


def run_job(
    job: Job,
    slot: Slot,
    emit: Emit,
    interruption: Interruption,
    open_log: Callable[[Path, bool], AbstractContextManager[None]],
    exit_now: Callable[[], None],
) -> int:
    """Run a cell unless another run holds it, and write its record whether it succeeds or fails.

    Args:
        emit: receives phases, steps and validations.
        interruption: a request to stop early.
        open_log: `open_log(path, append)` sends everything printed inside its block to a file.
        exit_now: ends the cell while there is nothing to save.

    Returns:
        The exit status for the worker process, see `harness.engines.base`.
    """
    from harness.training.checkpointer import Interrupted

    store, cell = open_store(job.root), job.cell
    started, clock = time.time(), time.perf_counter()
    interruption.at_once = exit_now

    def forward(event: dict[str, Any]) -> None:
        if event["event"] == "saved":
            store.upload_checkpoint(cell.id)
        emit(event)

    try:
        claim = store.claim(cell.id)
        if not claim.take():
            return CLAIMED
        try:
            try:
                store.fetch(cell.id)
            except Unreachable as error:  # at worst, the cell is run twice
                print(error, file=sys.stderr)
            if (digest := store.digest(cell.id)) and digest != job.record_digest:
                # Another run has finished the cell in the meantime; it may have been killed before it tidied up.
                store.remove_checkpoint_if_finished(cell.id)
                return DONE
            interruption.at_once = lambda: (claim.release(), exit_now())
            status = DONE
            with open_log(store.log(cell.id), store.checkpoint(cell.id).exists()):
                try:
                    train_and_evaluate(job, slot, 0, forward, interruption)
                except Interrupted:
                    status = STOPPED
                except Exception as error:
                    # The grid continues whatever a cell raises; the record and the log keep the full traceback.
                    if full := disk_full(error):
                        raise full from error
                    facts = error_facts(error)
                    print(facts["traceback"], file=sys.stderr)
                    write_failure(store, cell, facts, started, time.perf_counter() - clock)
                if reason := store.send(cell.id):
                    print(reason, file=sys.stderr)
                    emit({"event": "unsent", "reason": reason})
            return status
        finally:
            claim.release()
    except OSError as error:
        full = disk_full(error)
        if not full:
            raise
        emit({"event": "no-room", "what": str(full.filename or job.root)})
        return DISK_FULL


def train_and_evaluate(job: Job, slot: Slot, rank: int, emit: Emit, interruption: Interruption, port: int = 0) -> None:
    """Run a cell as the process `rank` of those that train it together.

    Args:
        port: where the processes other than the first join it.

    Raises:
        Exception: whatever `run_cell` or `run_baseline` raises.
    """
    import torch

    torch.set_num_threads(slot.threads)
    store = open_store(job.root)
    if job.cell.is_baseline:
        if rank == 0:  # the other processes have nothing to do: they wait for a port and end with the first
            from harness.baselines.run import run_baseline

            run_baseline(job.cell, store, emit)
        return
    import transformers

    from harness.training import together
    from harness.training.worker import run_cell

    transformers.utils.logging.disable_progress_bar()
    if job.devices == 1:
        together.alone()
    elif rank == 0:
        together.lead(job.devices, lambda port: emit({"event": "port", "port": port}))
    else:
        together.follow(rank, job.devices, port)
    # Rows and features are millions of objects that all stay alive: before the training, there is no garbage.
    gc.disable()
    try:
        run_cell(job.cell, slot.device.split(",")[rank], store, emit, job.checkpoint_every, interruption)
    finally:
        gc.enable()


@contextmanager
def log_to(path: Path, append: bool) -> Iterator[None]:
    """Send everything that this process prints from now on, including C libraries, to the cell's log file.

    Args:
        append: keep the content of the file, because the same training continues.
    """
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if append else os.O_TRUNC), 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)
    redact_output()
    yield


def _set_up_process(slot: Slot, rank: int, connection: Connection) -> Interruption:
    """Set up signals, the device and the thread that listens to the parent; return the cell's interruption."""
    from harness.training.checkpointer import Interruption

    interruption = Interruption(_exit_now)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent handles it
    # The first process decides for all of a cell's processes when the cell stops.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if rank else lambda *_: interruption.request())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the fork server blocks them
    threading.Thread(target=_listen, args=(connection, interruption), daemon=True).start()
    device = slot.device.split(",")[rank]
    if device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    return interruption


def _exit_now() -> None:
    os._exit(STOPPED)


def _listen(connection: Connection, interruption: Interruption) -> None:
    """Request a stop at any message of the parent. If the parent is gone, exit soon: the run may be started again."""
    try:
        while True:
            connection.recv()
            interruption.request()
    except (EOFError, OSError):
        interruption.request()
        time.sleep(ORPHAN_GRACE)
        _exit_now()
