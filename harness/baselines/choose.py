"""Which baselines a plan has."""

from __future__ import annotations

from collections.abc import Collection

from harness import registry
from harness.cell import Cell
from harness.methods import BASELINE
from harness.model import Checkpoint
from harness.task import Task


def baselines_for(task: Task, named: Collection[Checkpoint]) -> list[Checkpoint]:
    """The baselines that a task gets without being asked: all of its family, unless some are `named` among the models."""
    if any(is_baseline(one) for one in named):
        return []
    return [one.checkpoint() for one in registry.baselines().values() if task.family in one.families]


def is_baseline(checkpoint: Checkpoint) -> bool:
    """Whether it is a baseline in the place of a model."""
    return checkpoint.architecture == BASELINE


def unused_baselines(named: Collection[Checkpoint], cells: Collection[Cell]) -> list[str]:
    """A line for each baseline that was asked for by name and answers for none of the tasks."""
    busy = {cell.model.name for cell in cells}
    return [
        f"{one.name} is a baseline for {', '.join(one.families or ())} only, and no task is of that"
        for one in named
        if is_baseline(one) and one.name not in busy
    ]
