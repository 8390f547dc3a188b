"""What the references on a command line mean: names, files, Hub ids → tasks and checkpoints."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.data.file_layer import reject_address
from harness.data.folder import formats
from harness.errors import BenchError, HubError, unknown
from harness.guess.chosen import columns_of
from harness.guess.which_files import is_data, no_such_file
from harness.hub import cached_models
from harness.model import Checkpoint, Model
from harness.models.resolve import registered, resolve
from harness.planning.defaults import joined
from harness.planning.quick import quick_task
from harness.planning.suite import Suite
from harness.planning.taskfile import load_task
from harness.task import Task

MENTIONED = 8  # models that a message names


def find_tasks(
    references: Iterable[str | Task], suite: Suite, limit: int | None = None, columns: Mapping[str, str] | None = None
) -> dict[str, Task]:
    """What references mean, by a reference for each task alone: at most `limit` rows a split.

    Args:
        columns: those that the person has chosen for tasks of the form `family:path`: a family's column → the data's.
    """
    references = list(references)
    for reference in references:
        if isinstance(reference, str):
            reject_address(reference)
    _reject_unused(columns or {}, references)
    return {name: task.limited(limit) for name, task in _tasks(references, suite, columns or {}).items()}


def _reject_unused(columns: Mapping[str, str], references: Sequence[str | Task]) -> None:
    """A `BenchError` for a chosen column that no task would get."""
    families = [one.partition(":")[0] for one in references if isinstance(one, str) and is_quick(one)]
    valid = dict.fromkeys(name for family in families for name in columns_of(registry.family(family)))
    for ours, theirs in columns.items():
        if not families:
            raise BenchError(
                f"--column {ours}={theirs}: no task is written as FAMILY:PATH; in a task file say columns: {{{ours}: {theirs}}}"
            )
        if ours not in valid:
            raise unknown(f"column of {', '.join(dict.fromkeys(families))}", ours, valid, where=f"--column {ours}={theirs}")


def is_quick(reference: str) -> bool:
    """Whether a reference is `family:path`."""
    return ":" in reference and not reference.endswith((".yaml", ".yml"))


def _tasks(references: Sequence[str | Task], suite: Suite, columns: Mapping[str, str]) -> dict[str, Task]:
    """The tasks that references mean, each by a reference that means it alone: its name, file or `family:path`.

    Raises:
        BenchError: also where a family does not know an option of its task, or not its value.
    """
    found: dict[str, tuple[str, Task]] = {}
    for reference, following in zip(references, [*references[1:], ""], strict=True):
        try:
            meant = [reference] if isinstance(reference, Task) else _task(reference, suite, columns)
        except BenchError as error:
            if is_quick(reference) and isinstance(following, str) and ":" not in following and formats(Path(following)):  # one name was cut in two
                whole = shlex.quote(joined([f"{reference},{following}"]))
                raise BenchError(f"{error}; a name with a comma stands in double quotes: {whole}") from None
            raise
        for task in meant:
            registry.family(task.family).accept(task)
            own = task.reference or task.name
            if found.setdefault(task.name, (own, task))[1] != task:
                raise BenchError(f"two different tasks are called {task.name!r}; give one of them another name")
    return dict(found.values())


def _task(reference: str, suite: Suite, columns: Mapping[str, str]) -> Sequence[Task]:
    """One reference: `all`, a task of the suite or a registered one, a family of the suite, a file, or `family:path`."""
    if reference == "all":
        if not suite.name:
            raise BenchError("--tasks all, beside tasks of another kind, means the tasks of a suite; name it with --suite")
        return suite.tasks
    known = {**registry.tasks(), **{task.name: task for task in suite.tasks}}
    if reference in known:
        return [known[reference]]
    if reference.endswith((".yaml", ".yml")):
        return [replace(load_task(Path(reference)), reference=reference)]
    family, colon, path = reference.partition(":")
    if colon:
        adapter = registry.family(family)
        return [quick_task(adapter, path, {name: one for name, one in columns.items() if name in columns_of(adapter)})]
    of_family = [task for task in suite.tasks if task.family == reference]
    if of_family:
        return of_family
    if is_data(reference):
        families = ", ".join(sorted(registry.families()))
        raise BenchError(
            f"task {reference!r} is data, and its family is not said; write FAMILY:{reference}, FAMILY being one of {families}, "
            f"or make a task file: bench task new {reference}"
        )
    if reference.startswith((".", "/", "~")) or formats(Path(reference)):
        raise no_such_file(Path(reference), f"task {reference!r}")
    names = {*known, *(task.family for task in suite.tasks), "all"}
    raise unknown("task", reference, sorted(names), more=", a task file (./mine.yaml) or family:path")


def find_models(
    references: Iterable[str | Model], suite: Suite, trust_remote_code: bool = False
) -> list[tuple[Checkpoint, HubError | None, str]]:
    """The checkpoints of the references, empty ones where the Hub does not give them, and why, and the reference of each; `all` means
    those of the suite. Different models may have one name, as two folders of one last name have.
    """
    names: list[Any] = []
    for reference in references:
        names += list(suite.models) if isinstance(reference, str) and reference == "all" else [reference]
    if not names:
        which = f"suite {suite.name!r} names no models" if suite.name else "without a suite, all means no models"
        raise BenchError(f"{which}; name some with --models, such as {', '.join(at_hand())}, a folder, or a Hub id")
    found: dict[tuple[str, str], tuple[Checkpoint, HubError | None, str]] = {}
    for name in names:
        checkpoint, error = _model(name, suite, trust_remote_code)
        typed = name.source if isinstance(name, Model) else name
        found.setdefault((checkpoint.name, checkpoint.digest), (checkpoint, error, typed))
    return list(found.values())


def of_one_name(models: Iterable[tuple[Checkpoint, HubError | None, str]]) -> list[str]:
    """A line for each name that several of the models have: which they are."""
    by_name: dict[str, list[str]] = {}
    for checkpoint, _, reference in models:
        by_name.setdefault(checkpoint.name, []).append(f"{reference} (weights {checkpoint.digest[:12]})")
    return [f"{len(same)} models are called {name}: {', '.join(same)}" for name, same in by_name.items() if len(same) > 1]


def at_hand() -> list[str]:
    """Models that need no network: those that the package ships, and those of the cache."""
    shipped = [entry.name for entry in registry.models().values() if entry.source.startswith("pkg:")]
    return [*shipped, *cached_models()][:MENTIONED]


def _model(reference: str | Model, suite: Suite, trust_remote_code: bool) -> tuple[Checkpoint, HubError | None]:
    if isinstance(reference, str) and suite.aliases.get(reference) in suite.models:  # another name for one of the suite's own
        reference = suite.aliases[reference]
    aliases = suite.references
    if isinstance(reference, str) and (baseline := registry.baselines().get(aliases.get(reference, reference))) is not None:
        return baseline.checkpoint(), None
    try:
        return resolve(reference, aliases, trust_remote_code), None
    except HubError as error:
        if error.temporary:
            error = HubError(f"{error}; at hand without it: {', '.join(at_hand())}", True)
        entry = registered(reference, aliases)
        return Checkpoint(
            name=entry.name, source=entry.source, location=entry.source, revision=None, gguf=None, digest="",
            architecture=entry.architecture or "unknown", families=entry.families, kind=entry.kind,
        ), error  # fmt: skip
