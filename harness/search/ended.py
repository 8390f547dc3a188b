"""Which trials have ended, for a run or a plan."""

from __future__ import annotations

from collections.abc import Iterable

from harness.engines.base import stays_failed
from harness.search.trials import Tried
from harness.store import Record, Store


class Ended:
    """Cell's id → its record, None while it is to run; a `harness.search.trials.Lookup`.

    A trial that failed has ended: it cannot win, and a search that is finished stays so. It is run again where that is asked
    for, and where its search has no winner, like any cell that failed.

    Args:
        store: the results.
        rerun_failed: whether all that failed before is to run again.
    """

    def __init__(self, store: Store, rerun_failed: bool = False):
        self.store, self.rerun_failed = store, rerun_failed
        self.known: dict[str, Record] = {}
        self.again: set[str] = set()

    def __call__(self, cell_id: str) -> Record | None:
        if cell_id not in self.known and cell_id not in self.again:
            record = self.store.record(cell_id)
            if record is not None and not (self.rerun_failed and record["status"] != "ok"):
                self.known[cell_id] = record
        return self.known.get(cell_id)

    def add(self, records: Iterable[Record]) -> None:
        """What has ended just now."""
        self.known |= {record["id"]: record for record in records}

    def reopen(self, tried: Tried) -> bool:
        """Let the trials of a search without a winner run again, if another try could end otherwise; whether there are any."""
        if not tried.ended or tried.winner is not None:
            return False
        again = {
            record["id"] for record in tried.records if record and record["status"] != "ok" and not stays_failed(record)
        }
        for cell_id in again:
            self.known.pop(cell_id, None)
        self.again |= again
        return bool(again)
