"""The number of training rows that a cell learns from: the sizes of a learning curve, and the rows of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness import registry
from harness.cell import Cell
from harness.data.nested import nested
from harness.data.source import HubSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.recipe import AUTO
from harness.task import Task
from harness.task_data import TaskData, load_data
from harness.trouble import FEW_STEPS

Sizes = tuple[int | None, ...]  # None: all rows
CURE = "name smaller --train-sizes, or all"


def draw_train_rows(data: TaskData, family: TaskFamily, count: int | None, seed: int) -> TaskData:
    """Return the data with `count` of its training rows; validation and test are unchanged.

    The subsets of a seed are nested and the same for every model; another seed gives other rows. The proportions of the
    labels are kept, and rows that share a context stay together, as in splits (see `harness.data.nested`).

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


def available_sizes(tasks: Sequence[Task], requested: Sizes) -> tuple[dict[str, Sizes], list[str]]:
    """Return task title → the requested sizes that it has rows for, and a note for each size that is left out.

    The number of all rows counts as None. Data on the Hub are not read before a run: all sizes are kept, and a cell
    with too few rows fails.

    Raises:
        BenchError: no size is left for any task.
    """
    sizes: dict[str, Sizes] = {}
    notes = []
    for task in tasks:
        available = _count_train_rows(task) if any(requested) else None
        task_sizes: dict[int | None, None] = {}
        for size in requested:
            if size and available and size > available:
                notes.append(f"{task.title}: left out: {_too_few(size, available)}")
            else:
                task_sizes[None if size == available else size] = None
        sizes[task.title] = tuple(task_sizes)
    if sizes and not any(sizes.values()):
        raise BenchError(f"nothing to run: {'; '.join(notes)}; {CURE}")
    return sizes, notes


def few_steps_notes(cells: Iterable[Cell]) -> list[str]:
    """Return a note on the sizes for which the recipe gives a model few training steps; none if all have enough."""
    steps_by_size: dict[int, int] = {}
    for cell in cells:
        recipe = cell.recipe
        if not cell.train_rows or cell.is_baseline or AUTO in (recipe.batch_size, recipe.epochs):
            continue  # automatic epochs are more for few rows
        steps = math.ceil(cell.train_rows / recipe.batch_size) * recipe.epochs
        steps = min(steps, recipe.max_steps or steps)
        steps_by_size[cell.train_rows] = min(steps, steps_by_size.get(cell.train_rows, steps))
    few = [f"{steps} at {rows:,} rows" for rows, steps in sorted(steps_by_size.items()) if steps < FEW_STEPS]
    if not few:
        return []
    return [
        f"few steps of training: {', '.join(few)}; a model may not have learned what it could, "
        "see docs/protocol.md (Learning curves) for longer trainings"
    ]


def _too_few(requested: int, available: int) -> str:
    return f"{requested:,} training rows are asked for, there are {available:,}"


def _count_train_rows(task: Task) -> int | None:
    """Return the number of training rows; None if that takes a download."""
    if isinstance(task.source, HubSource):
        return None
    return len(load_data(task, registry.family(task.family)).splits["train"])
