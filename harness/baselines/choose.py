"""The baselines of a plan. Planning imports this module, so it must not load torch as `harness.baselines.run` does."""

from __future__ import annotations

from collections.abc import Collection

from harness import registry
from harness.cell import Cell
from harness.methods import BASELINE
from harness.model import Checkpoint
from harness.task import Task


def baselines_for(task: Task, models: Collection[Checkpoint]) -> list[Checkpoint]:
    """The default baselines of a task: all of its family, or none if `models` already names some."""
    if any(map(is_baseline, models)):
        return []
    return [baseline.checkpoint() for baseline in registry.baselines().values() if task.family in baseline.families]


def is_baseline(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint stands for a baseline."""
    return checkpoint.architecture == BASELINE


def unused_baselines(models: Collection[Checkpoint], cells: Collection[Cell]) -> list[str]:
    """A line for each requested baseline that fits none of the tasks."""
    used = {cell.model.name for cell in cells}
    return [
        f"{model.name} is a baseline for {', '.join(model.families or ())} only, and no task is of that"
        for model in models
        if is_baseline(model) and model.name not in used
    ]
