"""What a search came to, as the records of its report cells hold it."""

from __future__ import annotations

from typing import Any

from harness.search.trials import FAILED, Tried, state, value
from harness.searched import SEARCH_SEED, Trial
from harness.store import Record


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
