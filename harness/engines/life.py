"""One try of a cell, from its claim to its record; and the records of cells that could not write one."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.engines.base import CLAIMED, DONE, NO_ROOM, STOPPED, Ended, Job, Slot, error_facts, failed_record
from harness.files import disk_full
from harness.remote.folder import Unreachable
from harness.remote.mirror import open_store
from harness.store import Record, Store, timestamp

# Records of cells that did not end well, where the cell itself cannot write them.


def write_failure(store: Store, cell: Cell, error: dict[str, Any], started: float, seconds: float) -> Record:
    """Write a failed record and return it; the caller has the cell's claim.

    Args:
        store: the results folder.
        cell: that failed.
        error: as `harness.engines.base.error_facts` gives it.
        started: seconds since the epoch.
        seconds: that the cell took.
    """
    record = failed_record(cell, error, timestamp(started), timestamp(time.time()), seconds)
    store.write(record)
    return record


def fail(store: Store, cell: Cell, kind: str, message: str, started: float, seconds: float) -> Ended:
    """The end of a cell whose worker is gone, with a record of the failure unless another run has the cell by now.

    A worker that died after it had written a good record has done its work: that record stays.
    """
    claim = store.claim(cell.id)
    if not claim.take():
        return Ended(claimed=True)
    try:
        if store.remove_checkpoint_if_finished(cell.id):
            return Ended(store.record(cell.id))
        error = {"type": kind, "message": message, "traceback": ""}
        record = write_failure(store, cell, error, started, seconds)
        store.send(cell.id)  # what cannot be sent now, the end of the run sends
        return Ended(store.record(cell.id) or record)
    except OSError as failure:
        full = disk_full(failure)
        if not full:
            raise
        return Ended(no_room=str(full.filename or store.root))
    finally:
        claim.release()


# One try of a cell, from its claim to its record; the same wherever it runs.


Emit = Callable[[dict[str, Any]], None]


def live(
    job: Job,
    slot: Slot,
    emit: Emit,
    interruption: Any,
    log: Callable[[Path, bool], AbstractContextManager[Any]],
    leave: Callable[[], None],
) -> int:
    """Run a cell unless somebody else does, and leave its record whatever happens.

    Args:
        job: what to do.
        slot: where.
        emit: is forward of phases, steps and validations.
        interruption: a `harness.training.keeper.Interruption`.
        log: sends what is printed inside its block to a file, after what is there already or instead of it.
        leave: ends the cell where nothing is to be saved yet.

    Returns:
        What a worker's process ends with, see `harness.engines.base`.
    """
    store, cell = open_store(job.root), job.cell
    interruption.at_once = leave
    started, clock = time.time(), time.perf_counter()
    try:
        claim = store.claim(cell.id)
        if not claim.take():
            return CLAIMED
        try:
            _fetch(store, job)
            if (stamp := store.digest(cell.id)) and stamp != job.seen:
                store.remove_checkpoint_if_finished(cell.id)  # the other one may have been killed before it could
                return DONE  # since the run was planned another one has done it
            interruption.at_once = lambda: (claim.release(), leave())
            with log(store.log(cell.id), store.checkpoint(cell.id).exists()):
                status = _run(job, slot, store, _keeping(store, job, emit), interruption, started, clock)
                if why := store.send(cell.id):
                    print(why, file=sys.stderr)
                    emit({"event": "unsent", "reason": why})
                return status
        finally:
            claim.release()
    except OSError as error:
        full = disk_full(error)
        if not full:
            raise
        emit({"event": "no-room", "what": str(full.filename or job.root)})
        return NO_ROOM


def _fetch(store: Store, job: Job) -> None:
    """Bring what others have done of the cell; where that cannot be known, at worst it is done twice."""
    try:
        store.fetch(job.cell.id)
    except Unreachable as error:
        print(error, file=sys.stderr)


def _keeping(store: Store, job: Job, emit: Emit) -> Emit:
    """`emit`, which also has new checkpoints brought to where others see them."""

    def forward(event: dict[str, Any]) -> None:
        if event["event"] == "saved":
            store.upload_checkpoint(job.cell.id)
        emit(event)

    return forward


def _run(job: Job, slot: Slot, store: Store, emit: Emit, interruption: Any, started: float, clock: float) -> int:
    from harness.training.keeper import Interrupted

    try:
        run(job, slot, 0, emit, interruption)
    except Interrupted:
        return STOPPED
    except Exception as error:
        # The grid goes on whatever a cell raises; the record and the log keep the whole story.
        if full := disk_full(error):
            raise full from error
        facts = error_facts(error)
        print(facts["traceback"], file=sys.stderr)
        write_failure(store, job.cell, facts, started, time.perf_counter() - clock)
    return DONE


def run(job: Job, slot: Slot, rank: int, emit: Emit, interruption: Any, port: int = 0) -> None:
    """Train and evaluate, as the process `rank` of those that do it together; `port` is where the others than the first join.

    Raises:
        Exception: whatever `harness.training.worker.run_cell` raises.
    """
    import torch

    torch.set_num_threads(slot.threads)
    if job.cell.is_baseline:
        if rank == 0:  # there is nothing for the others to do: they wait for its word, and end with it
            from harness.baselines.run import run_baseline

            run_baseline(job.cell, open_store(job.root), emit)
        return
    import transformers

    from harness.training import together as group
    from harness.training.worker import run_cell

    transformers.utils.logging.disable_progress_bar()
    if job.devices == 1:
        group.alone()
    elif rank == 0:
        group.lead(job.devices, lambda port: emit({"event": "port", "port": port}))
    else:
        group.follow(rank, job.devices, port)
    # Rows and features are millions of objects, all of them kept: until the training begins, there is no garbage to look for.
    gc.disable()
    try:
        device = slot.device.split(",")[rank]
        run_cell(job.cell, device, open_store(job.root), emit, job.checkpoint_every, interruption)
    finally:
        gc.enable()
