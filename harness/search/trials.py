"""Trials: cells that carry a candidate recipe, what their records say of it, and what a search came to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.cell import SEARCH_SEED, Cell, Trial
from harness.store import Record

# Trials: cells that carry a candidate recipe, and what their records say of it.


Lookup = Callable[[str], Record | None]  # a cell's id → its record, None while it is to run
CHOSEN = "by the search"  # why a recipe is what it is
OK, PRUNED, FAILED = "ok", "pruned", "failed"


@dataclass(frozen=True)
class Tried:
    """How far a search has come.

    Attributes:
        cells: the trials that are known by now, in their order.
        records: one for each; None: it is to run.
        left: trials that are not known yet, for they depend on how these end.
        round: which of its rounds the search is in, from 1.
    """

    cells: Sequence[Cell]
    records: Sequence[Record | None]
    left: int = 0
    round: int = 1

    @property
    def pending(self) -> list[Cell]:
        """Those that are to run now."""
        return [cell for cell, record in zip(self.cells, self.records, strict=True) if record is None]

    @property
    def ended(self) -> bool:
        """Whether nothing is left to run."""
        return not self.left and None not in self.records

    @property
    def winner(self) -> int | None:
        """The number of the trial with the highest value on validation, of equal ones the first; None where none has a value.

        Trials of less than the whole training were there to choose others, and do not count.
        """
        values = {
            number: value(record)
            for number, (cell, record) in enumerate(zip(self.cells, self.records, strict=True))
            if record and state(record) == OK and cell.budget == 1
        }
        return max(values, key=lambda number: (values[number], -number), default=None)


def trial(
    base: Cell, changes: Mapping[str, Any], thresholds: Sequence[float | None] = (), budget: float = 1.0
) -> Cell:
    """The trial of a recipe: what a cell would be with these fields changed, on the seed of searches.

    Raises:
        BenchError: a value that its field cannot have.
    """
    recipe = base.recipe.updated(changes)
    made = {name: getattr(recipe, name) for name in changes}
    return replace(base, recipe=recipe, seed=SEARCH_SEED, why=CHOSEN, search=Trial(tuple(thresholds), made, budget))


def state(record: Record) -> str:
    """How a trial ended. One whose best validation is no number has failed too."""
    if record["status"] != "ok" or not math.isfinite(value(record)):
        return FAILED
    return PRUNED if (record.get("trial") or {}).get("pruned") else OK


def value(record: Record) -> float:
    """The best validation of a trial (0-100), as its training picked it; NaN where it has none."""
    found = (record.get("trial") or {}).get("value")
    return math.nan if found is None else float(found)


def scores(record: Record) -> list[float]:
    """All its validations in their order."""
    return [float(line["score"]) for line in (record.get("training") or {}).get("history") or []]


# What a search came to, as the records of its report cells hold it.


def outcome(tried: Tried) -> dict[str, Any]:
    """A record's `search`, but for what was asked.

    `trials` are in their order: id, the fields that were changed, the share of the steps where it was not all (`budget`), how it
    ended, its best validation (0-100), seconds from its start to its record. `winner` is a place in them, None where all failed. `seconds` are those of all together, failed ones included, and
    `peak_memory_bytes` is the largest of them.

    Args:
        tried: a search that has ended.
    """
    costs = [record.get("cost") or {} for record in tried.records]
    trials = [_trial(cell.id, cell.search, record) for cell, record in zip(tried.cells, tried.records, strict=True)]
    return {
        "seed": SEARCH_SEED,
        "trials": trials,
        "winner": tried.winner,
        "seconds": sum(float(cost.get("total_seconds") or 0.0) for cost in costs),
        "peak_memory_bytes": max((int(cost.get("peak_memory_bytes") or 0) for cost in costs), default=0),
    }


def _trial(name: str, search: Any, record: Record) -> dict[str, Any]:
    ended = state(record)
    assert isinstance(search, Trial)
    return {
        "id": name,
        "recipe": dict(search.changes),
        **({"budget": search.budget} if search.budget < 1 else {}),
        "status": ended,
        "validation": None if ended == FAILED else value(record),
        "seconds": (record.get("cost") or {}).get("total_seconds"),
        **({"error": why(record)} if ended == FAILED else {}),
    }


def why(record: Record) -> str:
    """The first line of why a trial failed."""
    error = record.get("error")
    if not error:
        return "its best validation is no number"
    return f"{error.get('type')}: {str(error.get('message') or '').partition(chr(10))[0]}"
