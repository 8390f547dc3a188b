"""From a task to its three splits, ready for a family's adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.columns import bind
from harness.data.splits import complete_splits, limit
from harness.errors import BenchError
from harness.family import Row, TaskFamily
from harness.task import Task

KEPT = ("id", "group", "phenomenon")
SPLIT_SEED = 42  # of splits and subsets; part of the protocol, so it is the same for every cell and seed


def load_splits(task: Task, family: TaskFamily) -> dict[str, list[Row]]:
    """Read, name columns and labels, check each row, complete the splits, and cut the subset.

    Every row has an `id`: its own, or its split and number in the publisher's file.

    Raises:
        BenchError: what is wrong with the data, with split and row number.
    """
    raw = task.source.read()
    prepared = {split: _prepare(split, rows, task, family) for split, rows in raw.items()}
    grouped = all("group" in row for rows in prepared.values() for row in rows)
    splits = complete_splits(
        prepared,
        seed=SPLIT_SEED,
        stratify=None if grouped else family.stratum,
        group=(lambda row: row["group"]) if grouped else None,
    )
    if task.limit:
        splits = {
            name: limit(rows, task.limit, seed=SPLIT_SEED, stratify=family.stratum) for name, rows in splits.items()
        }
    return splits


def _prepare(split: str, rows: Sequence[Mapping[str, Any]], task: Task, family: TaskFamily) -> list[Row]:
    try:
        bound = bind(rows, task.columns, keep=KEPT)
    except BenchError as error:
        raise BenchError(f"task {task.name!r}, split {split}: {error}") from None
    missing = [name for name in family.columns if bound and name not in bound[0]]
    if missing:
        raise BenchError(
            f"task {task.name!r}, split {split}: no column {missing[0]!r} ({family.columns[missing[0]]}); the data has: "
            f"{', '.join(map(str, rows[0]))}; say which under `columns:`, e.g. {{{missing[0]}: {next(iter(rows[0]), 'NAME')}}}"
        )
    prepared = []
    for number, row in enumerate(bound):
        try:
            prepared.append({**family.prepare(row, task), "id": str(row.get("id", f"{split}-{number}"))})
        except (ValueError, TypeError, KeyError) as error:
            raise BenchError(f"task {task.name!r}, split {split}, row {number + 1}: {error}") from error
    return prepared
