"""How many of a task's training rows a cell learns from: the sizes of a learning curve, and the rows of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness import registry
from harness.cell import Cell
from harness.data.source import HubSource
from harness.data.subsets import nested
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.recipe import AUTO
from harness.rows import Data, load
from harness.task import Task
from harness.trouble import FEW_STEPS

Sizes = tuple[int | None, ...]  # None: all rows
CURE = "name smaller --train-sizes, or all"


def drawn(data: Data, family: TaskFamily, count: int | None, seed: int) -> Data:
    """The task's data with `count` of its training rows; validation and test stay as they are.

    The subsets of a seed are nested, the same for every model, and of other rows for another seed. Labels come in proportion, and
    rows that share a context together, as in splits (see `harness.data.subsets`).

    Raises:
        BenchError: there are fewer rows.
    """
    if count is None:
        return data
    train = data.splits["train"]
    if count > len(train):
        raise BenchError(f"{_too_few(count, len(train))}; {CURE}")
    grouped = all("group" in row for row in train)
    rows = nested(
        train,
        count,
        seed=seed,
        stratify=None if grouped else family.stratum,
        group=(lambda row: row["group"]) if grouped else None,
    )
    return replace(data, splits={**data.splits, "train": rows}, available=len(train))


def fitting(tasks: Sequence[Task], wanted: Sizes) -> tuple[dict[str, Sizes], list[str]]:
    """Task's title → those of the sizes that it has rows for, and a line for each size that is left out.

    A size of all rows is `all`. Data of the Hub are not read before a run: each size is kept, and a cell that finds too few rows
    fails and says so.

    Raises:
        BenchError: no size is left for any task.
    """
    found: dict[str, Sizes] = {}
    notes = []
    for task in tasks:
        there = _available(task) if any(wanted) else None
        sizes = [None if rows == there else rows for rows in wanted if not (rows and there and rows > there)]
        found[task.title] = tuple(dict.fromkeys(sizes))
        notes += [
            f"{task.title}: left out: {_too_few(rows, there)}" for rows in wanted if rows and there and rows > there
        ]
    if found and not any(found.values()):
        raise BenchError(f"nothing to run: {'; '.join(notes)}; {CURE}")
    return found, notes


def few_steps(cells: Iterable[Cell]) -> list[str]:
    """A line on the sizes at which the recipe gives a model little time to learn; none where it gives enough."""
    found: dict[int, int] = {}
    for cell in cells:
        if cell.train_rows and not cell.is_baseline:
            recipe = cell.recipe
            if AUTO in (recipe.batch_size, recipe.epochs):
                continue  # few rows get more epochs
            steps = math.ceil(cell.train_rows / recipe.batch_size) * recipe.epochs
            steps = min(steps, recipe.max_steps or steps)
            found[cell.train_rows] = min(steps, found.get(cell.train_rows, steps))
    few = [f"{steps} at {rows:,} rows" for rows, steps in sorted(found.items()) if steps < FEW_STEPS]
    if not few:
        return []
    return [
        f"few steps of training: {', '.join(few)}; a model may not have learned what it could, "
        "see docs/protocol.md (Learning curves) for longer trainings"
    ]


def _too_few(wanted: int, there: int) -> str:
    return f"{wanted:,} training rows are asked for, there are {there:,}"


def _available(task: Task) -> int | None:
    """How many training rows there are; None where that takes a download."""
    if isinstance(task.source, HubSource):
        return None
    return len(load(task, registry.family(task.family)).splits["train"])
