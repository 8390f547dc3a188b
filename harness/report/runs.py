"""Where the cells ran, and which of them failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.groups import succeeded
from harness.report.titles import canonical
from harness.store import Record


@dataclass(frozen=True)
class Failure:
    """A cell without a score: its error's type, the first line of the message, and the names of its task and model."""

    id: str
    type: str
    message: str
    task: str
    model: str


@dataclass(frozen=True)
class Environment:
    """Where `cells` of the cells ran; `facts` as the record holds them."""

    facts: Mapping[str, Any]
    cells: int


def failures(records: Iterable[Record]) -> tuple[Failure, ...]:
    """All failed cells, by id."""
    return tuple(
        _failure(record) for record in sorted(records, key=lambda record: record["id"]) if not succeeded(record)
    )


def environments(records: Sequence[Record]) -> tuple[Environment, ...]:
    """The different environments, the one with the most cells first; a failed cell may have none."""
    found = [record["environment"] for record in records if record.get("environment")]
    names = {key: canonical(one) for key, one in {id(one): one for one in found}.items()}  # many share one object
    facts = {names[id(one)]: one for one in found}
    cells = Counter(names[id(one)] for one in found)
    return tuple(Environment(facts[key], cells[key]) for key in sorted(facts, key=lambda key: (-cells[key], key)))


def _failure(record: Record) -> Failure:
    error = record.get("error") or {
        "type": "score",
        "message": f"the score is {record.get('score')}, which is no number",
    }
    lines = str(error.get("message") or "").strip().splitlines() or [""]
    names = record["task"]["name"], record["model"]["name"]
    return Failure(record["id"], str(error.get("type") or "unknown"), lines[0], *names)
