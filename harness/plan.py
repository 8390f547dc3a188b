"""The plan: from a command line to a list of cells, before anything is downloaded or trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.errors import BenchError, HubError, unknown
from harness.methods import METHODS
from harness.model import Checkpoint
from harness.models.resolve import registered, resolve
from harness.quick import quick_task
from harness.recipe import PRECISIONS, apply_rules
from harness.suite import Suite, load_suite
from harness.task import Task
from harness.taskfile import read_task, read_yaml


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
        notes: a line for each task from a file, on what it was taken to be.
        lost: cells whose model or data the Hub does not give, and why.
    """

    suite: Suite
    cells: tuple[Cell, ...]
    impossible: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[tuple[Cell, HubError], ...] = ()


def make_plan(request: Request) -> Plan:
    """Expand a request.

    What the Hub does not give is lost; the rest of the grid goes on without it.

    Raises:
        BenchError: an unknown name, an invalid setting, nothing left to do, or nothing but what the Hub refuses.
    """
    suite = load_suite(request.suite)
    for method in request.methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    settings = _recipe(request.settings)
    tasks = [task.limited(request.limit) for task in _tasks(request.tasks, suite)]
    for task in tasks:
        registry.family(task.family).check(task)
    data = [_data(task) for task in tasks]
    models = _models(request.models, suite)
    cells, lost, impossible = [], [], []
    # Seeds outermost: a grid that is stopped half-way has whole tables for the first seeds.
    for seed in request.seeds:
        for task, fingerprint, no_data in data:
            for checkpoint, no_model in models:
                reason = cannot(checkpoint, task)
                if reason:
                    impossible.append(reason)
                    continue
                made = [
                    _cell(suite, task, fingerprint, checkpoint, method, seed, settings) for method in request.methods
                ]
                error = no_model or no_data
                if error:
                    lost += [(cell, error) for cell in made]
                else:
                    cells += made
    if not cells:
        _raise_if_hopeless(lost, impossible)
    known = {*registry.tasks(), *(task.name for task in suite.tasks)}
    notes = [f"{task.title}: {task.description}" for task in tasks if task.description and task.name not in known]
    return Plan(
        suite=suite,
        cells=tuple({cell.id: cell for cell in cells}.values()),
        impossible=tuple(dict.fromkeys(impossible)),
        notes=tuple(notes),
        lost=tuple({cell.id: (cell, error) for cell, error in lost}.values()),
    )


def _raise_if_hopeless(lost: Sequence[tuple[Cell, HubError]], impossible: Sequence[str]) -> None:
    """A request of which nothing can run is wrong, unless it only met a Hub that does not answer at the moment."""
    if not lost:
        raise BenchError(f"nothing to run: {'; '.join(dict.fromkeys(impossible)) or 'the suite names no tasks'}")
    if not any(error.passing for _, error in lost):
        raise BenchError("\n".join(dict.fromkeys(str(error) for _, error in lost)))


def _data(task: Task) -> tuple[Task, str, HubError | None]:
    """The task with its data pinned, and the data's fingerprint; without one where the Hub does not give the data."""
    try:
        pinned = replace(task, source=task.source.pinned())
        return pinned, pinned.source.fingerprint(), None
    except HubError as error:
        return task, "", error


def cannot(checkpoint: Checkpoint, task: Task) -> str | None:
    """Why a model cannot do a task, or None when it can."""
    family = registry.family(task.family)
    if checkpoint.families is not None and family.name not in checkpoint.families:
        return f"{checkpoint.name} is registered for {', '.join(checkpoint.families)} only, not for {task.title} ({family.name})"
    if not checkpoint.digest:
        return None  # nothing more is known of it
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
        "architecture": checkpoint.architecture, "kind": checkpoint.kind, "method": method,
    }  # fmt: skip
    recipe = apply_rules(suite.recipes, facts).updated(settings)
    if recipe.precision in checkpoint.avoid:
        good = [one for one in PRECISIONS if one not in checkpoint.avoid]
        raise BenchError(
            f"recipe.precision is {recipe.precision!r}, in which {checkpoint.name} does not train; valid: {', '.join(good)}"
        )
    return Cell(
        model=checkpoint, task=task, fingerprint=fingerprint, family_version=registry.family(task.family).version,
        method=method, seed=seed, recipe=recipe, suite=suite.name,
    )  # fmt: skip


def _recipe(settings: Mapping[str, str]) -> dict[str, str]:
    """The `recipe.NAME=VALUE` settings of the command line, without their prefix."""
    for name in settings:
        if not name.startswith("recipe."):
            raise BenchError(
                f"--set {name}={settings[name]}: unknown setting; valid: recipe.NAME=VALUE, e.g. recipe.learning_rate=3e-5"
            )
    return {name.removeprefix("recipe."): value for name, value in settings.items()}


def _tasks(references: Iterable[str], suite: Suite) -> list[Task]:
    found: dict[str, Task] = {}
    for reference in references:
        for task in _task(reference, suite):
            if task.name in found and found[task.name] != task:
                raise BenchError(f"two different tasks are called {task.name!r}; give one of them another name")
            found[task.name] = task
    return list(found.values())


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


def _models(references: Iterable[str], suite: Suite) -> list[tuple[Checkpoint, HubError | None]]:
    """The checkpoints of the references, empty ones where the Hub does not give them; `all` means those of the suite."""
    names: list[Any] = []
    for reference in references:
        names += list(suite.models) if reference == "all" else [reference]
    if not names:
        raise BenchError(f"suite {suite.name!r} names no models; name some with --models")
    found: dict[str, tuple[Checkpoint, HubError | None]] = {}
    for name in names:
        made = _model(name, suite)
        if found.setdefault(made[0].name, made)[0].digest != made[0].digest:
            raise BenchError(f"two different models are called {made[0].name!r}; rename one of their folders")
    return list(found.values())


def _model(reference: str, suite: Suite) -> tuple[Checkpoint, HubError | None]:
    aliases = dict(suite.models)
    try:
        return resolve(reference, aliases), None
    except HubError as error:
        entry = registered(reference, aliases)
        return Checkpoint(
            name=entry.name, source=entry.source, location=entry.source, revision=None, gguf=None, digest="",
            architecture=entry.architecture or "unknown", families=entry.families, kind=entry.kind,
        ), error  # fmt: skip
