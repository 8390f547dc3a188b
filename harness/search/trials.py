"""Trials: cells with a candidate recipe, what their records say, and the result of a search."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.cell import SEARCH_SEED, Cell, Trial
from harness.store import Record

Lookup = Callable[[str], Record | None]  # a cell's id → its record, None until it has run
CHOSEN = "by the search"  # the origin of a recipe, as records name it
OK, PRUNED, FAILED = "ok", "pruned", "failed"


@dataclass(frozen=True)
class SearchState:
    """The progress of a search.

    Attributes:
        cells: the trials that are known so far, in order.
        records: the record of each trial, None until it has run.
        later: number of trials that are not known yet, because they depend on the results of these.
        round: the current round, from 1.
    """

    cells: Sequence[Cell]
    records: Sequence[Record | None]
    later: int = 0
    round: int = 1

    @property
    def pending(self) -> list[Cell]:
        """The trials that can run now."""
        return [cell for cell, record in zip(self.cells, self.records, strict=True) if record is None]

    @property
    def finished(self) -> bool:
        """Whether no trial is left to run."""
        return not self.later and None not in self.records

    @property
    def winner(self) -> int | None:
        """The index of the trial with the best validation, the first of equal ones. None if no trial has one.

        Trials with a budget below 1 only select candidates for whole trainings and cannot win.
        """
        values = {
            number: best_validation(record)
            for number, (cell, record) in enumerate(zip(self.cells, self.records, strict=True))
            if record and status(record) == OK and cell.budget == 1
        }
        return max(values, key=lambda number: (values[number], -number), default=None)

    def outcome(self) -> dict[str, Any]:
        """The result of a finished search, as the `search` of a record holds it.

        `trials` are in order, each with id, changed fields, `budget` (the share of the steps, if below 1), status, best
        validation (0-100), and the seconds from start to record. `winner` is an index into them, None if all failed.
        `seconds` is the time of all trials, failed ones included, and `peak_memory_bytes` the largest of their peaks.
        """
        costs = [record.get("cost") or {} for record in self.records]
        return {
            "seed": SEARCH_SEED,
            "trials": [_trial_facts(cell, record) for cell, record in zip(self.cells, self.records, strict=True)],
            "winner": self.winner,
            "seconds": sum(float(cost.get("total_seconds") or 0.0) for cost in costs),
            "peak_memory_bytes": max((int(cost.get("peak_memory_bytes") or 0) for cost in costs), default=0),
        }

    def summary(self) -> str:
        """The result in a few words."""
        ends = [status(record) for record in self.records if record]
        losses = "".join(f", {ends.count(end)} {end}" for end in (PRUNED, FAILED) if end in ends)
        number = f"of {len(ends)} trials{losses}"
        if self.winner is None:
            return f"no winner {number}"
        changes = ", ".join(f"{name} {value}" for name, value in self.cells[self.winner].search.changes.items())
        return f"{changes} (validation {best_validation(self.records[self.winner]):.2f}, the best {number})"


def make_trial(
    base: Cell, changes: Mapping[str, Any], thresholds: Sequence[float | None] = (), budget: float = 1.0
) -> Cell:
    """Make a trial from a cell by changing fields of its recipe, with the seed of all trials."""
    recipe = base.recipe.updated(changes)
    values = {name: getattr(recipe, name) for name in changes}
    return replace(base, recipe=recipe, seed=SEARCH_SEED, why=CHOSEN, search=Trial(tuple(thresholds), values, budget))


def status(record: Record) -> str:
    """The status of a trial: `ok`, `pruned` or `failed`. Without a finite best validation it has failed, too."""
    if record["status"] != "ok" or not math.isfinite(best_validation(record)):
        return FAILED
    return PRUNED if (record.get("trial") or {}).get("pruned") else OK


def best_validation(record: Record) -> float:
    """The best validation of a trial (0-100); NaN if it has none."""
    value = (record.get("trial") or {}).get("value")
    return math.nan if value is None else float(value)


def validations(record: Record) -> list[float]:
    """All validations of a trial in order."""
    return [float(line["score"]) for line in (record.get("training") or {}).get("history") or []]


def failure(record: Record) -> str:
    """The reason for a trial's failure: the first line of its error."""
    error = record.get("error")
    if not error:
        return "its best validation is no number"
    return f"{error.get('type')}: {str(error.get('message') or '').partition(chr(10))[0]}"


def _trial_facts(cell: Cell, record: Record) -> dict[str, Any]:
    trial, end = cell.search, status(record)
    assert isinstance(trial, Trial)
    return {
        "id": cell.id,
        "recipe": dict(trial.changes),
        **({"budget": trial.budget} if trial.budget < 1 else {}),
        "status": end,
        "validation": None if end == FAILED else best_validation(record),
        "seconds": (record.get("cost") or {}).get("total_seconds"),
        **({"error": failure(record)} if end == FAILED else {}),
    }
