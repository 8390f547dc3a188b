"""What past records tell of cells that have not run yet."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.estimate.machine import is_here
from harness.estimate.sizes import Size
from harness.recipe import MECHANICS, trained_by
from harness.searched import is_trial
from harness.store import Record, Store

FEW = 5  # records of one kind that are looked at, the latest: the code may have become faster since the others
MANY = 200  # records that are read in all, so that a plan beside a large folder stays quick
PREFIX = re.compile(r"(?P<kind>.+)--s\d+--\w+$")


@dataclass(frozen=True)
class Past:
    """A record that ended well, as far as costs go."""

    record: Record
    here: bool  # made on a machine and a slot like those that are asked about

    @property
    def seconds(self) -> float:
        """That the cell took."""
        return float(self.record["cost"]["total_seconds"])

    @property
    def memory(self) -> int:
        """Its peak, in bytes; 0 where it was not measured."""
        return int(self.record["cost"].get("peak_memory_bytes") or 0)


def past(store: Store, cells: Iterable[Cell], device: str, threads: int) -> list[Past]:
    """The records that can tell something of these cells: the same but for the seed first, then of the same task or model, then
    any. Of each kind the latest few."""
    try:
        names = os.listdir(store.root / "cells")
    except OSError:
        return []
    kinds: dict[str, list[str]] = {}
    for name in names:
        if match := PREFIX.match(name):
            kinds.setdefault(match["kind"], []).append(name)
    wanted = {cell.id.rpartition("--s")[0] for cell in cells}
    parts = {part for kind in wanted for part in kind.split("--")[:2]}

    def nearness(kind: str) -> int:
        return 0 if kind in wanted else 1 if parts & set(kind.split("--")[:2]) else 2

    found: list[Past] = []
    for kind in sorted(kinds, key=lambda kind: (nearness(kind), kind)):
        if len(found) >= MANY and nearness(kind):
            break
        records = [store.record(name) for name in _latest(store, kinds[kind])]
        for record in records:
            if record is not None and record["status"] == "ok" and (record.get("cost") or {}).get("total_seconds"):
                found.append(Past(record, is_here(record.get("environment") or {}, device, threads)))
    return found


def _latest(store: Store, names: Sequence[str]) -> list[str]:
    if len(names) <= FEW:
        return list(names)

    def changed(name: str) -> float:
        try:
            return os.stat(store.root / "cells" / name / "record.json").st_mtime
        except OSError:
            return 0.0

    return sorted(names, key=changed)[-FEW:]


def same_but_seed(record: Record, cell: Cell) -> bool:
    """Whether a record is of the same model, task, data, method, recipe and budget. One that was tested is not like a trial."""
    return (
        is_trial(record) == cell.is_trial
        and (record.get("trial") or {}).get("budget", 1.0) == cell.budget
        and record["model"].get("digest") == cell.model.digest
        and record["task"].get("fingerprint") == cell.fingerprint
        and record["task"]["name"] == cell.task.title
        and record["task"].get("version") == cell.task.version
        and record["task"].get("train_rows") == cell.train_rows
        and record["method"] == cell.method
        and _decisive(record.get("recipe") or {}) == _decisive(cell.settings())
    )


def _decisive(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key not in MECHANICS}


def size_by_record(record: Record, train_rows: int | None = None) -> dict[str, Size] | None:
    """A task's size as one of its records tells it: rows, and tokens of a row as that model's tokeniser cut them.

    Args:
        record: of a cell that ended well.
        train_rows: that another cell learns from; None: as many as this one did.
    """
    rows, cost, training = record["task"].get("rows"), record["cost"], record.get("training") or {}
    recipe = trained_by(record)
    batch = min(recipe.get("batch_size") or 0, (rows or {}).get("train", 0))
    seen = (training.get("steps") or 0) * batch
    if not rows or not seen or not cost.get("train_tokens"):
        return None
    padding = 1 / max(0.1, 1 - (cost.get("padding_share") or 0.0))
    mean = min(cost["train_tokens"] / seen, recipe.get("max_length") or 10**9)
    longest = round(2 * mean)
    return {
        split: Size(
            count,
            count * mean,
            count * mean**2,
            longest,
            count * mean,
            longest,
            letters=4 * count * mean,
            padding=padding,
            different=training.get("vocabulary"),
        )
        for split, count in {**rows, "train": train_rows or rows["train"]}.items()
    }


def typical(values: Iterable[float]) -> float | None:
    """The median, or None of nothing."""
    found = list(values)
    return statistics.median(found) if found else None
