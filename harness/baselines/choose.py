"""Which baselines a plan has."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness import registry
from harness.baselines.base import BASELINE
from harness.errors import BenchError
from harness.model import Checkpoint
from harness.task import Task


def beside(task: Task, named: Collection[Checkpoint]) -> list[Checkpoint]:
    """The baselines that a task gets without being asked: all of its family, unless some are `named` among the models."""
    if any(is_baseline(one) for one in named):
        return []
    return [one.checkpoint() for one in registry.baselines().values() if task.family in one.families]


def is_baseline(checkpoint: Checkpoint) -> bool:
    """Whether it is a baseline in the place of a model."""
    return checkpoint.architecture == BASELINE


def reject_settings(settings: Mapping[str, str], named: Collection[Checkpoint]) -> None:
    """A setting would change nothing, silently, where there is nothing but baselines.

    Raises:
        BenchError: it is so.
    """
    if settings and all(is_baseline(one) for one in named):
        name, value = next(iter(settings.items()))
        raise BenchError(
            f"--set recipe.{name}={value}: baselines have no recipe, and --models names nothing else; "
            "leave it out, or name a model"
        )
