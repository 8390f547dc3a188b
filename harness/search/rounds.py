"""The searches of a run: rounds of trials, and the cells with the winners' recipes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cell import Cell
from harness.engines.failures import error_facts, failed_permanently, failed_record
from harness.search.search_option import SearchRequest
from harness.search.searches import CellSearch, make_searches, seedless_id
from harness.search.trials import FAILED, SearchState, failure, make_trial, status
from harness.store import Record, Store, timestamp

if TYPE_CHECKING:
    from harness.planning.plan import Plan

Start = Callable[[list[tuple[Cell, str]]], list[Record]]


class TrialRecords:
    """The records of the trials that have run; a `harness.search.trials.Lookup`.

    A failed trial has run: it cannot win, and is not repeated when a finished search is planned again. It runs again
    with `rerun_failed`, or if its search has no winner, as any other failed cell does.

    Args:
        store: the results folder.
        rerun_failed: whether to run all failed trials again.
    """

    def __init__(self, store: Store, rerun_failed: bool = False):
        self.store, self.rerun_failed = store, rerun_failed
        self.known: dict[str, Record] = {}
        self.reopened: set[str] = set()

    def __call__(self, cell_id: str) -> Record | None:
        if cell_id not in self.known and cell_id not in self.reopened:
            record = self.store.record(cell_id)
            if record is not None and not (self.rerun_failed and record["status"] != "ok"):
                self.known[cell_id] = record
        return self.known.get(cell_id)

    def add(self, records: Iterable[Record]) -> None:
        """Add records of trials that have just run."""
        self.known |= {record["id"]: record for record in records}

    def reopen(self, state: SearchState) -> bool:
        """Let failed trials of a search without a winner run again, if they could succeed now. Return whether any do."""
        if not state.finished or state.winner is not None:
            return False
        records = [record for record in state.records if record and record["status"] != "ok"]
        failed = {record["id"] for record in records if not failed_permanently(record)}
        for cell_id in failed:
            self.known.pop(cell_id, None)
        self.reopened |= failed
        return bool(failed)


class Rounds:
    """The searches of a run.

    Args:
        plan: the plan of the run.
        cells: the cells of the plan that this shard reports.
        request, settings: the values of `--search` and `--set`.
        store: the results folder.
        rerun_failed: whether to run failed trials again.

    Attributes:
        states: the state of each search.
        note: the cost of a search in words; may be empty.

    Raises:
        BenchError: a search is not possible, see `harness.search.searches.make_searches`.
    """

    def __init__(
        self,
        plan: Plan,
        cells: Sequence[Cell],
        request: SearchRequest,
        settings: Mapping[str, str],
        store: Store,
        rerun_failed: bool = False,
    ):
        own = {seedless_id(cell) for cell in cells}
        searches: list[CellSearch] = make_searches(plan.cells, request, plan.suite, settings)
        self.plan_cells, self.store = list(cells), store
        self.searches = [search for search in searches if seedless_id(search.cells[0]) in own]
        self.arguments = " ".join(request.arguments)
        self.note = next((search.searcher.note for search in self.searches), "")
        self.records = TrialRecords(store, rerun_failed)
        self.states: list[SearchState] = []
        self._update()
        reopened = [self.records.reopen(state) for state in self.states]
        if any(reopened):
            self._update()

    def _update(self) -> None:
        old = self.states or [None] * len(self.searches)
        self.states = [
            state if state and state.finished and state.winner is not None else search.searcher.state(self.records)
            for search, state in zip(self.searches, old, strict=True)
        ]

    @property
    def pending(self) -> list[Cell]:
        """The trials that can run now."""
        return [cell for state in self.states for cell in state.pending]

    @property
    def later(self) -> list[Cell]:
        """A placeholder for each trial that is not known yet, because its recipe depends on the trials before it."""
        return [
            make_trial(search.cells[0], {})
            for search, state in zip(self.searches, self.states, strict=True)
            for _ in range(state.later)
        ]

    @property
    def cells(self) -> list[Cell]:
        """The cells of the plan, with the winners' recipes where searches have finished."""
        reported = {}
        for search, state in zip(self.searches, self.states, strict=True):
            for before, after in zip(search.cells, search.reported(state), strict=True):
                reported[replace(before, search=None).id] = after
        return [reported.get(cell.id, cell) for cell in self.plan_cells]

    def run(self, start: Start, fail_fast: bool, say: Callable[[str], None]) -> bool:
        """Run trials round by round until all searches have finished. Return False if the whole run should end instead.

        Args:
            start: runs cells, given with the digests of their records, and returns the records of those that ended.
            fail_fast: whether a failed trial ends the run.
            say: prints a line.
        """
        started = False
        self.store.clean_up(
            record["id"] for state in self.states for record in state.records if record and record["status"] == "ok"
        )
        while pending := self.pending:
            started = True
            say(self._round_line(pending))
            records = start([(cell, self.store.digest(cell.id)) for cell in pending])
            self.records.add(records)
            for record in records:
                if status(record) == FAILED:
                    say(f"trial failed: {record['id']}: {failure(record)}")
            if len(records) < len(pending) or (fail_fast and any(record["status"] != "ok" for record in records)):
                return False
            self._update()
        if started:
            for search, state in zip(self.searches, self.states, strict=True):
                say(f"search: {search.title}: {state.summary()}")
        return True

    def record_failures(self) -> list[Cell]:
        """Write a failed record for each cell whose search has no winner, and return these cells.

        Such records of an earlier run are removed if the search has a winner now.
        """
        failed: list[Cell] = []
        now = timestamp(time.time())
        for search, state in zip(self.searches, self.states, strict=True):
            if state.finished and state.winner is None:
                error = error_facts(search.failure(state))
                for cell in search.reported(state):
                    failed.append(cell)
                    self.store.write(failed_record(cell, error, now, now, 0.0))
            elif state.finished:
                for cell in search.cells:
                    self.store.discard(cell.id)
        return failed

    def facts(self) -> dict[str, object]:
        """The known trials, the number of those not yet known, and the winners, for JSON."""
        trials = [
            {
                **cell.facts(), "recipe": cell.settings(), "changes": dict(cell.search.changes),
                "finished": record is not None, "status": status(record) if record else None,
            }
            for state in self.states
            for cell, record in zip(state.cells, state.records, strict=True)
        ]  # fmt: skip
        winners = []
        for search, state in zip(self.searches, self.states, strict=True):
            first, winner = search.cells[0], state.winner if state.finished else None
            recipe = None if winner is None else dict(state.cells[winner].search.changes)
            winners.append({"task": first.title, "model": first.model.name, "method": first.method, "recipe": recipe})
        return {"trials": trials, "trials_unknown": len(self.later), "winners": winners}

    def counted(self) -> str:
        """A line with the numbers of searches and of trials: all, finished, and to run."""
        finished = sum(record is not None for state in self.states for record in state.records)
        left = len(self.pending) + len(self.later)
        if not self.searches:
            return f"search {self.arguments}: nothing to search here"
        searches = "1 search" if len(self.searches) == 1 else f"{len(self.searches)} searches"
        return f"search {self.arguments}: {searches}, {finished + left} trials: {finished} finished, {left} to run"

    def _round_line(self, pending: Sequence[Cell]) -> str:
        number = min(state.round for state in self.states if state.pending)
        rounds = max(number, *(search.searcher.rounds for search in self.searches))
        trials = "1 trial" if len(pending) == 1 else f"{len(pending)} trials"
        return f"search: round {number} of {rounds}, {trials}"
