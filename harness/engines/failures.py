"""Records of cells that failed."""

from __future__ import annotations

import time
import traceback
from typing import Any

from harness.cell import Cell
from harness.engines.base import JobResult
from harness.errors import BenchError, HubError
from harness.files import disk_full
from harness.safe_text import redact
from harness.store import Record, Store, timestamp


def failed_record(cell: Cell, error: dict[str, Any], started: str, finished: str, seconds: float) -> Record:
    """Build the record of a failed cell; `error` has the keys `type`, `message` and `traceback`."""
    return {
        **cell.facts(),
        "status": "failed",
        "metrics": {},
        "primary_metric": None,
        "score": None,
        "cost": {"total_seconds": seconds},
        "environment": {},
        "started": started,
        "finished": finished,
        "error": error,
    }


def error_facts(error: BaseException) -> dict[str, Any]:
    """Convert an exception to the form that a record holds, with the full traceback.

    `stays` is set if another attempt would fail in the same way, because the user has to change something first.
    """
    permanent = isinstance(error, BenchError) and not (isinstance(error, HubError) and error.temporary)
    return {
        "type": type(error).__name__,
        "message": redact(str(error)),
        "traceback": redact("".join(traceback.format_exception(error))),
        **({"stays": True} if permanent else {}),
    }


def failed_permanently(record: Record) -> bool:
    """Return whether a cell failed for a reason that would make another attempt fail too."""
    return record["status"] == "failed" and bool((record.get("error") or {}).get("stays"))


def write_failure(store: Store, cell: Cell, error: dict[str, Any], started: float, seconds: float) -> Record:
    """Write the record of a failed cell and return it; the caller holds the cell's claim.

    Args:
        error: as returned by `error_facts`.
        started: seconds since the epoch.
        seconds: the duration of the attempt.
    """
    record = failed_record(cell, error, timestamp(started), timestamp(time.time()), seconds)
    store.write(record)
    return record


def fail_cell(store: Store, cell: Cell, kind: str, message: str, started: float, seconds: float) -> JobResult:
    """Record the failure of a cell whose worker is gone, unless another run holds the cell by now.

    A worker that died after it had written a good record has done its work: that record is kept.
    """
    claim = store.claim(cell.id)
    if not claim.take():
        return JobResult(claimed=True)
    try:
        if store.remove_checkpoint_if_finished(cell.id):
            return JobResult(store.record(cell.id))
        record = write_failure(store, cell, {"type": kind, "message": message, "traceback": ""}, started, seconds)
        store.send(cell.id)  # if it cannot be sent now, the end of the run sends it
        return JobResult(store.record(cell.id) or record)
    except OSError as error:
        full = disk_full(error)
        if not full:
            raise
        return JobResult(disk_full=str(full.filename or store.root))
    finally:
        claim.release()
