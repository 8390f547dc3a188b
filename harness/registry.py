"""What is registered: task families, tasks, suites, models and baselines, all through entry points.

An entry point of group `bench.tasks` names a `TaskFamily` subclass, a `Task`, or a list of these; one of `bench.models` a
`Model` or a list; one of `bench.baselines` a `Baseline` subclass or a list; one of `bench.suites` the path of a YAML file. Built-in
ones come the same way as anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from harness.baseline import Baseline
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.model import Model
from harness.task import Task


def _load(group: str) -> Iterable[tuple[str, Any]]:
    """Every object of a group, with the distribution that declares it, in an order that does not vary."""
    for point in sorted(
        entry_points(group=group), key=lambda point: (point.dist.name if point.dist else "", point.name)
    ):
        loaded = point.load()
        owner = f"{point.dist.name if point.dist else '?'}: {point.value}"
        for item in loaded if isinstance(loaded, list | tuple) else [loaded]:
            yield owner, item


def _collect(group: str, kinds: tuple[type, ...]) -> dict[str, Any]:
    found: dict[str, tuple[str, Any]] = {}
    for owner, item in _load(group):
        adapter = isinstance(item, type) and issubclass(item, (TaskFamily, Baseline))
        if not (issubclass(item, kinds) if adapter else isinstance(item, kinds)):
            raise BenchError(f"entry point {owner} ({group}) gives {item!r}; it must give one of: {kinds}")
        name = item.name
        if name in found and found[name][1] is not item:
            raise BenchError(f"{name!r} is registered twice in {group}: by {found[name][0]} and by {owner}; remove one")
        found[name] = (owner, item() if adapter else item)
    return {name: item for name, (_, item) in found.items()}


@cache
def families() -> Mapping[str, TaskFamily]:
    """Family name → its adapter."""
    return {
        name: item for name, item in _collect("bench.tasks", (Task, TaskFamily)).items() if isinstance(item, TaskFamily)
    }


@cache
def tasks() -> Mapping[str, Task]:
    """Task name → task, for all registered ones."""
    return {name: item for name, item in _collect("bench.tasks", (Task, TaskFamily)).items() if isinstance(item, Task)}


@cache
def models() -> Mapping[str, Model]:
    """Model name → registered model."""
    return _collect("bench.models", (Model,))


@cache
def baselines() -> Mapping[str, Baseline]:
    """Baseline name → baseline; no model is called by the same name."""
    found = _collect("bench.baselines", (Baseline,))
    for name in found.keys() & models().keys():
        raise BenchError(f"{name!r} is registered both as a model and as a baseline; uninstall one of the packages")
    return found


@cache
def suites() -> Mapping[str, Path]:
    """Suite name → its YAML file."""
    return {point.name: Path(point.load()) for point in entry_points(group="bench.suites")}


def family(name: str) -> TaskFamily:
    """The family of that name, or a `BenchError` with the nearest one."""
    if name not in families():
        raise unknown("task family", name, families())
    return families()[name]
