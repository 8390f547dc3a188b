"""Records of cells that did not end well, where the cell itself cannot write them."""

from __future__ import annotations

import time
from typing import Any

from harness.cell import Cell
from harness.engines.base import Ended, failed_record
from harness.files import disk_full
from harness.store import Record, Store, timestamp


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
        if store.settle(cell.id):
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
