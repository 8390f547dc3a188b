"""What is registered through entry points: task families, tasks, suites, models and baselines.

An entry point of group `bench.tasks` names a `TaskFamily` subclass, a `Task`, or a list of these; one of `bench.models`
a `Model` or a list; one of `bench.baselines` a `Baseline` subclass or a list; one of `bench.suites` the path of a YAML
file. Built-in ones are registered in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from harness import old_names
from harness.baseline import Baseline
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.model import Model
from harness.task import Task


def _load(group: str) -> Iterable[tuple[str, Any]]:
    """Yield every object of a group with the distribution that declares it, in a fixed order."""
    old_names.install()
    for point in sorted(
        entry_points(group=group), key=lambda point: (point.dist.name if point.dist else "", point.name)
    ):
        loaded = point.load()
        owner = f"{point.dist.name if point.dist else '?'}: {point.value}"
        for item in loaded if isinstance(loaded, list | tuple) else [loaded]:
            yield owner, item


def _collect(group: str, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Return name → object for a group; of a `TaskFamily` or `Baseline` class, an instance.

    Raises:
        BenchError: an object of another kind, or a name that is registered twice.
    """
    registered: dict[str, tuple[str, Any]] = {}
    for owner, item in _load(group):
        is_class = isinstance(item, type) and issubclass(item, (TaskFamily, Baseline))
        if not (issubclass(item, kinds) if is_class else isinstance(item, kinds)):
            raise BenchError(f"entry point {owner} ({group}) gives {item!r}; it must give one of: {kinds}")
        name = item.name
        if name in registered and registered[name][1] is not item:
            first = registered[name][0]
            raise BenchError(f"{name!r} is registered twice in {group}: by {first} and by {owner}; remove one")
        registered[name] = (owner, item() if is_class else item)
    return {name: item for name, (_, item) in registered.items()}


@cache
def families() -> Mapping[str, TaskFamily]:
    """Return family name → family."""
    items = _collect("bench.tasks", (Task, TaskFamily))
    return {name: item for name, item in items.items() if isinstance(item, TaskFamily)}


@cache
def tasks() -> Mapping[str, Task]:
    """Return task name → registered task."""
    return {name: item for name, item in _collect("bench.tasks", (Task, TaskFamily)).items() if isinstance(item, Task)}


@cache
def models() -> Mapping[str, Model]:
    """Return model name → registered model."""
    return _collect("bench.models", (Model,))


@cache
def baselines() -> Mapping[str, Baseline]:
    """Return baseline name → baseline. No model may have the same name."""
    registered = _collect("bench.baselines", (Baseline,))
    for name in registered.keys() & models().keys():
        raise BenchError(f"{name!r} is registered both as a model and as a baseline; uninstall one of the packages")
    return registered


@cache
def suites() -> Mapping[str, Path]:
    """Return suite name → its YAML file."""
    return {point.name: Path(point.load()) for point in entry_points(group="bench.suites")}


def family(name: str) -> TaskFamily:
    """Return the family of that name; raise a `BenchError` that suggests the nearest one."""
    if name not in families():
        raise unknown("task family", name, families())
    return families()[name]
