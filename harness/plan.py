"""The plan: from a command line to a list of cells, before anything is downloaded or trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.errors import BenchError, unknown
from harness.methods import METHODS
from harness.model import Checkpoint
from harness.models.resolve import resolve
from harness.quick import quick_task
from harness.recipe import apply_rules
from harness.suite import Suite, load_suite
from harness.task import Task
from harness.taskfile import read_task, read_yaml
from harness.validate import is_local, validate


@dataclass(frozen=True)
class Request:
    """What a person asks for, as the options of `bench run` and `bench plan` hold it."""

    models: Sequence[str]
    tasks: Sequence[str]
    suite: str = "mini"
    methods: Sequence[str] = ("full",)
    seeds: Sequence[int] = (0,)
    limit: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a request comes to.

    Attributes:
        cells: in the order in which they run.
        impossible: a line for each model and task that cannot be.
        notes: a line for each task from a file, on what it was taken to be and what was found in it.
        references: task's title → what `bench task check` calls it, with the suite where that is needed.
    """

    suite: Suite
    cells: tuple[Cell, ...]
    impossible: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)


def find_tasks(references: Iterable[str], suite: Suite, limit: int | None = None) -> dict[str, Task]:
    """What references mean, by a reference for each task alone: at most `limit` rows a split, data pinned to a revision."""
    found = {name: task.limited(limit) for name, task in _tasks(references, suite).items()}
    return {name: replace(task, source=task.source.pinned()) for name, task in found.items()}


def make_plan(request: Request) -> Plan:
    """Expand a request.

    The rows of tasks from files are read and checked before any model is looked for; those of the Hub are not.

    Raises:
        BenchError: an unknown name, an invalid setting, a file that cannot be read, a row that is wrong, or nothing left to do.
    """
    suite = load_suite(request.suite)
    asked = find_tasks(request.tasks, suite, request.limit)
    found = {task.title: validate(task) for task in asked.values() if is_local(task)}
    tasks = list(asked.values())
    checkpoints = _models(request.models, suite)
    for method in request.methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    fingerprints = {task.title: task.source.fingerprint() for task in tasks}
    cells, impossible = [], []
    # Seeds outermost: a grid that is stopped half-way has whole tables for the first seeds.
    for seed in request.seeds:
        for task in tasks:
            for checkpoint in checkpoints:
                reason = cannot(checkpoint, task)
                if reason:
                    impossible.append(reason)
                    continue
                cells += [
                    _cell(suite, task, fingerprints[task.title], checkpoint, method, seed, request.settings)
                    for method in request.methods
                ]
    if not cells:
        raise BenchError(f"nothing to run: {'; '.join(dict.fromkeys(impossible)) or 'the suite names no tasks'}")
    known = {*registry.tasks(), *(task.name for task in suite.tasks)}
    notes = []
    for task in tasks:
        said = [task.description] if task.description and task.name not in known else []
        said += [found[task.title]] if task.title in found else []
        if said:
            notes.append(f"{task.title}: {'; '.join(said)}")
    return Plan(
        suite, tuple({cell.id: cell for cell in cells}.values()), tuple(dict.fromkeys(impossible)), tuple(notes),
        references={task.title: _again(name, request, suite) for name, task in asked.items()},
    )  # fmt: skip


def _again(name: str, request: Request, suite: Suite) -> str:
    """How to ask for one of a request's tasks again: with the suite, where only that knows the name."""
    only_there = name not in registry.tasks() and name in {task.name for task in suite.tasks}
    return f"{name} --suite {request.suite}" if only_there else name


def cannot(checkpoint: Checkpoint, task: Task) -> str | None:
    """Why a model cannot do a task, or None when it can."""
    family = registry.family(task.family)
    if checkpoint.families is not None and family.name not in checkpoint.families:
        return f"{checkpoint.name} is registered for {', '.join(checkpoint.families)} only, not for {task.title} ({family.name})"
    if checkpoint.architecture not in family.architectures:
        return f"{checkpoint.name} is of architecture {checkpoint.architecture}, which {family.name} ({task.title}) has no head for"
    if family.needs_offsets and not checkpoint.fast_tokenizer:
        return f"{checkpoint.name} has no fast tokeniser, which {family.name} ({task.title}) needs to find words in the text"
    return None


def _cell(
    suite: Suite,
    task: Task,
    fingerprint: str,
    checkpoint: Checkpoint,
    method: str,
    seed: int,
    settings: Mapping[str, str],
) -> Cell:
    facts = {
        "family": task.family, "task": task.name, "model": checkpoint.name,
        "architecture": checkpoint.architecture, "method": method,
    }  # fmt: skip
    return Cell(
        model=checkpoint, task=task, fingerprint=fingerprint, family_version=registry.family(task.family).version,
        method=method, seed=seed, recipe=apply_rules(suite.recipes, facts).updated(_recipe(settings)), suite=suite.name,
    )  # fmt: skip


def _recipe(settings: Mapping[str, str]) -> dict[str, str]:
    """The `recipe.NAME=VALUE` settings of the command line, without their prefix."""
    for name in settings:
        if not name.startswith("recipe."):
            raise BenchError(
                f"--set {name}={settings[name]}: unknown setting; valid: recipe.NAME=VALUE, e.g. recipe.learning_rate=3e-5"
            )
    return {name.removeprefix("recipe."): value for name, value in settings.items()}


def _tasks(references: Iterable[str], suite: Suite) -> dict[str, Task]:
    """The tasks that references mean, each by a reference that means it alone: its name, file or `family:path`."""
    found: dict[str, tuple[str, Task]] = {}
    for reference in references:
        for task in _task(reference, suite):
            own = reference if reference.endswith((".yaml", ".yml")) or ":" in reference else task.name
            if found.setdefault(task.name, (own, task))[1] != task:
                raise BenchError(f"two different tasks are called {task.name!r}; give one of them another name")
    return dict(found.values())


def _task(reference: str, suite: Suite) -> Sequence[Task]:
    """One reference: `all`, a task of the suite or a registered one, a family of the suite, a file, or `family:path`."""
    if reference == "all":
        return suite.tasks
    known = {**registry.tasks(), **{task.name: task for task in suite.tasks}}
    if reference in known:
        return [known[reference]]
    if reference.endswith((".yaml", ".yml")):
        return [read_task(read_yaml(Path(reference)), Path(reference))]
    family, colon, path = reference.partition(":")
    if colon:
        return [quick_task(registry.family(family), path)]
    of_family = [task for task in suite.tasks if task.family == reference]
    if of_family:
        return of_family
    names = {*known, *(task.family for task in suite.tasks), "all"}
    raise unknown("task", reference, sorted(names), more=", a task file (./mine.yaml) or family:path")


def _models(references: Iterable[str], suite: Suite) -> list[Checkpoint]:
    """The checkpoints of the references; `all` means every model that the suite names."""
    names: list[Any] = []
    for reference in references:
        names += list(suite.models) if reference == "all" else [reference]
    if not names:
        raise BenchError(f"suite {suite.name!r} names no models; name some with --models")
    found: dict[str, Checkpoint] = {}
    for name in names:
        checkpoint = resolve(name, dict(suite.models))
        if found.setdefault(checkpoint.name, checkpoint).digest != checkpoint.digest:
            raise BenchError(f"two different models are called {checkpoint.name!r}; rename one of their folders")
    return list(found.values())
