"""Results folders as large as one wants, made of the records in results/: other names, seeds and scores, the same structure."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

from harness.store import Record, Store

TEMPLATES = Path(__file__).resolve().parents[1] / "results"
FAILED = 100  # one cell in so many has failed
PREDICTED = 1000  # one cell in so many has its predictions beside it
ERROR = {
    "type": "OutOfMemoryError",
    "message": "CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation.",
    "traceback": "Traceback (most recent call last):\n"
    + '  File "loop.py", line 97, in train\n    loss = model(**batch)\n' * 20
    + "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
}


def grid(models: int, tasks: int, methods: Sequence[str], seeds: int) -> Iterator[tuple[Record, dict[str, Any]]]:
    """A real record and the facts of a made-up cell, for every model, task, method and seed."""
    known = {where: real for where, real in _templates().items() if where[2] in methods}
    names = sorted({name for name, *_ in known}), sorted({model for _, model, _ in known})
    pairs = (
        [(names[place][number % len(names[place])], number) for number in range(size)]
        for place, size in enumerate((tasks, models))
    )
    for (task, t), (model, m), method, seed in product(*pairs, methods, range(seeds)):
        real = known[task, model, method]
        facts = {
            "model": {**real["model"], "name": f"{model}-{m:03}", "digest": _hash(model, m)},
            "task": {**real["task"], "name": f"{task}-{t:02}", "fingerprint": _hash(task, t)},
            "method": method,
            "seed": seed,
        }
        parts = (facts["task"]["name"], facts["model"]["name"], method, f"s{seed}", _hash(t, m, method, seed)[:12])
        yield real, {"id": "--".join(parts), **facts}


def planned(cells: Iterable[dict[str, Any]]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """A real record of the same family and architecture for each of the cells that `bench plan --json` gives."""
    known = {(real["task"]["family"], real["model"]["architecture"]): real for real in _templates().values()}
    for cell in cells:
        yield known[cell["task"]["family"], cell["model"]["architecture"]], cell


def write(root: Path, pairs: Iterable[tuple[Record, dict[str, Any]]]) -> int:
    """Write them as a worker does, but do not wait for the disk; the number of records."""
    store, chance, number = Store(root), random.Random(0), 0
    with mock.patch("os.fsync"):
        for number, (real, facts) in enumerate(pairs, start=1):
            failed = number % FAILED == 0
            store.write(_failed(real, facts) if failed else _made(real, facts, chance))
            if number % PREDICTED == 1 and not failed:
                lines = Store(TEMPLATES).folder(real["id"]) / "predictions.jsonl"
                shutil.copy(lines, store.folder(facts["id"]))
    return number


def _made(real: Record, facts: dict[str, Any], chance: random.Random) -> Record:
    """The real record with these facts, other scores and times."""
    score = min(100.0, max(0.0, real["score"] + chance.gauss(0, 3)))
    share = score / real["score"] if real["score"] else 1.0
    metrics = {
        **real["metrics"],
        "test": {name: _scaled(value, share) for name, value in real["metrics"]["test"].items()},
        "validation": {name: _scaled(value, share) for name, value in real["metrics"]["validation"].items()},
        "phenomena": {
            name: {**part, "score": _scaled(part["score"], share)}
            for name, part in real["metrics"].get("phenomena", {}).items()
        },
    }
    cost = {name: _scaled(value, chance.uniform(0.9, 1.1)) for name, value in real["cost"].items()}
    known = {"model": {**real["model"], **facts["model"]}, "task": {**real["task"], **facts["task"]}}
    return {**real, **_plain(facts), **known, "metrics": metrics, "score": score, "cost": cost}


def _failed(real: Record, facts: dict[str, Any]) -> Record:
    """What `harness.engines.failures.failed_record` makes of a cell; nothing is known then of its rows and parameters."""
    kept = ("name", "family", "version", "source", "revision", "fingerprint", "family_version", "columns", "labels",
            "options", "limit")  # fmt: skip
    known = {
        "model": {name: value for name, value in facts["model"].items() if name != "parameters"},
        "task": {name: value for name, value in facts["task"].items() if name in kept},
    }
    empty = {"metrics": {}, "primary_metric": None, "score": None, "cost": {"total_seconds": 3.5}, "environment": {}}
    same = {name: real[name] for name in ("suite", "recipe", "protocol", "started", "finished")}
    return {**same, **_plain(facts), **known, "status": "failed", **empty, "error": ERROR}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "finished"}


def _scaled(value: Any, share: float) -> Any:
    return value * share if isinstance(value, float) else value


def _templates() -> dict[tuple[str, str, str], Record]:
    """(task, model, method) → a real record."""
    return {
        (record["task"]["name"], record["model"]["name"], record["method"]): record
        for record in Store(TEMPLATES).records()
    }


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
