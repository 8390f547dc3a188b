"""From a task to its three splits, ready for a family's adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.columns import bind
from harness.data.place import place, placed
from harness.data.splits import complete_splits, limit
from harness.errors import BenchError
from harness.family import Row, TaskFamily
from harness.task import Task

KEPT = ("id", "group", "phenomenon")
SPLIT_SEED = 42  # of splits and subsets; part of the protocol, so it is the same for every cell and seed


def load_splits(task: Task, family: TaskFamily, report: dict[str, Any] | None = None) -> dict[str, list[Row]]:
    """Read, name columns and labels, check each row, complete the splits, and cut the subset.

    Every row has an `id`: its own, or its split and number in the publisher's file. An id that occurs again in a split gets a
    number, as in `x#2`. Rows from files know their places (see `harness.data.place`). A `report` is filled with split -> what
    the reader and the family found.

    Raises:
        BenchError: what is wrong with the data, with the place of the row.
    """
    report = {} if report is None else report
    raw = task.source.read(report)
    prepared = {split: _prepare(split, rows, task, family, report.setdefault(split, {})) for split, rows in raw.items()}
    grouped = all("group" in row for rows in prepared.values() for row in rows)
    try:
        splits = complete_splits(
            prepared,
            seed=SPLIT_SEED,
            stratify=None if grouped else family.stratum,
            group=(lambda row: row["group"]) if grouped else None,
        )
    except BenchError as error:
        raise BenchError(f"task {task.name!r} ({task.source.describe()}): {error}") from None
    if task.limit:
        splits = {
            name: limit(rows, task.limit, seed=SPLIT_SEED, stratify=family.stratum) for name, rows in splits.items()
        }
    return splits


def _prepare(
    split: str, rows: Sequence[Mapping[str, Any]], task: Task, family: TaskFamily, report: dict[str, Any]
) -> list[Row]:
    here = f"task {task.name!r}, split {split}"
    try:
        bound = bind(rows, task.columns, keep=KEPT)
    except BenchError as error:
        raise BenchError(f"{here}: {error}") from None
    prepared, seen = [], Counter()
    for number, row in enumerate(bound):
        at = f"{here}, {place(row, f'row {number + 1}')}"
        missing = next((name for name in family.columns if name not in row), None)
        if missing:
            there = rows[number]
            raise BenchError(
                f"{at}: no column {missing!r} ({family.columns[missing]}); the data has: {', '.join(map(str, there))}; "
                f"say which under `columns:`, e.g. {{{missing}: {next(iter(there), 'NAME')}}}"
            )
        try:
            new = family.prepare(row, task)
        except (ValueError, TypeError, KeyError) as error:
            raise BenchError(f"{at}: {error}") from error
        name = str(row.get("id", f"{split}-{number}"))
        seen[name] += 1
        prepared.append(placed({**new, "id": name if seen[name] == 1 else f"{name}#{seen[name]}"}, row))
    try:
        return family.harmonise(prepared, task, report)
    except BenchError as error:
        raise BenchError(f"{here}: {error}") from None
