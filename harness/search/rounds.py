"""The rounds of trials that a search asks for, which of them have ended, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.engines.failures import failed_permanently
from harness.search.trials import Tried
from harness.store import Record, Store, timestamp

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.planning.plan import Plan
    from harness.search.searches import CellSearch
    from harness.search.trials import Tried
    from harness.search.wanted import Wanted


# Which trials have ended, for a run or a plan.


class EndedTrials:
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
            record["id"] for record in tried.records if record and record["status"] != "ok" and not failed_permanently(record)
        }
        for cell_id in again:
            self.known.pop(cell_id, None)
        self.again |= again
        return bool(again)


# The rounds of trials that `--search` asks for, and what they came to.


class Rounds:
    """The searches of a run.

    Args:
        made: the plan.
        cells: those of its cells that this shard reports.
        wanted: what is searched.
        settings: of the command line.
        store: the results.
        rerun_failed: whether trials that failed before are to run again.

    Attributes:
        states: how far each search has come.

    Raises:
        BenchError: there is nothing to choose from, see `harness.search.searches.make_searches`.
    """

    def __init__(
        self,
        made: Plan,
        cells: Sequence[Cell],
        wanted: Wanted,
        settings: Mapping[str, str],
        store: Store,
        rerun_failed: bool = False,
    ):
        from harness.search.searches import make_searches

        self.plain, self.store = list(cells), store
        ours = {replace(cell, seed=0).id for cell in cells}
        every: list[CellSearch] = make_searches(made.cells, wanted, made.suite, settings)
        self.searches = [one for one in every if replace(one.cells[0], seed=0, search=None).id in ours]
        self.arguments = " ".join(wanted.arguments)
        self.note = next((search.searcher.note for search in self.searches), "")
        self.ended: EndedTrials = EndedTrials(store, rerun_failed)
        self.states: list[Tried] = []
        self._look()
        reopened = [self.ended.reopen(state) for state in self.states]
        if any(reopened):
            self._look()

    def _look(self) -> None:
        old = self.states or [None] * len(self.searches)
        self.states = [
            state if state and state.ended and state.winner is not None else search.searcher.tried(self.ended)
            for search, state in zip(self.searches, old, strict=True)
        ]

    @property
    def pending(self) -> list[Cell]:
        """The trials that can run now."""
        return [cell for state in self.states for cell in state.pending]

    @property
    def unknown(self) -> list[Cell]:
        """A stand-in for each trial that is not known yet: its recipe depends on those before it."""
        from harness.search.trials import trial

        return [
            trial(search.cells[0], {})
            for search, state in zip(self.searches, self.states, strict=True)
            for _ in range(state.left)
        ]

    @property
    def cells(self) -> list[Cell]:
        """The plan's cells: with the winner's recipe where there is one, else as they are known before the search."""
        found = {}
        for search, state in zip(self.searches, self.states, strict=True):
            for before, now in zip(search.cells, search.reported(state), strict=True):
                found[replace(before, search=None).id] = now
        return [found.get(cell.id, cell) for cell in self.plain]

    def run(self, start: Callable[[list[tuple[Cell, str]]], list[Record]], fail_fast: bool, say: Callable[[str], None]) -> bool:
        """Run trials, round by round, until no search asks for one; False where the run is to end here.

        Args:
            start: runs cells, given with the stamps of their records, and returns the records of those that ended.
            say: prints a line.
        """
        from harness.search.trials import FAILED, state, why

        ran = False
        done = [record["id"] for one in self.states for record in one.records if record and record["status"] == "ok"]
        self.store.clean_up(done)
        while pending := self.pending:
            ran = True
            say(self._round(pending))
            records = start([(cell, self.store.digest(cell.id)) for cell in pending])
            self.ended.add(records)
            for record in records:
                if state(record) == FAILED:
                    say(f"trial failed: {record['id']}: {why(record)}")
            if len(records) < len(pending) or (fail_fast and any(record["status"] != "ok" for record in records)):
                return False
            self._look()
        if ran:
            for search, tried in zip(self.searches, self.states, strict=True):
                say(f"search: {search.title}: {result_of(tried)}")
        return True

    def record_failures(self) -> list[Cell]:
        """Failed records for the cells whose search has no winner, and these cells; those of an earlier run go where it now has."""
        from harness.engines.failures import error_facts, failed_record

        lost: list[Cell] = []
        now = timestamp(time.time())
        for search, state in zip(self.searches, self.states, strict=True):
            if state.ended and state.winner is None:
                lost += search.reported(state)
                error = error_facts(search.failure(state))
                for cell in search.reported(state):
                    self.store.write(failed_record(cell, error, now, now, 0.0))
            elif state.ended:
                for cell in search.cells:
                    self.store.discard(cell.id)
        return lost

    def facts(self) -> dict[str, object]:
        """For JSON: the trials that are known by now, how many are not, and what has won."""
        from harness.search.trials import state

        known = [
            {
                **cell.facts(), "recipe": cell.settings(), "changes": dict(cell.search.changes),
                "finished": record is not None, "status": state(record) if record else None,
            }
            for one in self.states
            for cell, record in zip(one.cells, one.records, strict=True)
        ]  # fmt: skip
        winners = [one.winner if one.ended else None for one in self.states]
        return {
            "trials": known,
            "trials_unknown": len(self.unknown),
            "winners": [
                {
                    "task": search.cells[0].title, "model": search.cells[0].model.name, "method": search.cells[0].method,
                    "recipe": None if winner is None else dict(one.cells[winner].search.changes),
                }
                for search, one, winner in zip(self.searches, self.states, winners, strict=True)
            ],
        }  # fmt: skip

    def counted(self) -> str:
        """How many trials there are, and what will become of them."""
        ended = sum(record is not None for state in self.states for record in state.records)
        left = len(self.pending) + len(self.unknown)
        if not self.searches:
            return f"search {self.arguments}: nothing to search here"
        searches = "1 search" if len(self.searches) == 1 else f"{len(self.searches)} searches"
        return f"search {self.arguments}: {searches}, {ended + left} trials: {ended} finished, {left} to run"

    def _round(self, pending: Sequence[Cell]) -> str:
        number = min(state.round for state in self.states if state.pending)
        rounds = max(number, *(search.searcher.rounds for search in self.searches))
        trials = "1 trial" if len(pending) == 1 else f"{len(pending)} trials"
        return f"search: round {number} of {rounds}, {trials}"


def result_of(state: Tried) -> str:
    """What a search came to, in a few words."""
    from harness.search.trials import FAILED, PRUNED, value
    from harness.search.trials import state as how

    ends = [how(record) for record in state.records if record]
    more = "".join(f", {ends.count(end)} {end}" for end in (PRUNED, FAILED) if end in ends)
    number = f"of {len(ends)} trials{more}"
    if state.winner is None:
        return f"no winner {number}"
    changes = ", ".join(f"{name} {one}" for name, one in state.cells[state.winner].search.changes.items())
    return f"{changes} (validation {value(state.records[state.winner]):.2f}, the best {number})"


def shard_by_search(cells: Sequence[Cell], index: int, shards: int) -> list[Cell]:
    """Every `shards`-th model, task and method, with all its seeds: so that no two shards do the same search."""
    units: dict[str, int] = {}
    keys = [replace(cell, seed=0).id for cell in cells]
    for key in keys:
        units.setdefault(key, len(units))
    return [cell for cell, key in zip(cells, keys, strict=True) if units[key] % shards == index]
