"""Find the tasks and models that references mean: names, files, Hub ids."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.data.file_layer import reject_address
from harness.data.folder import formats
from harness.errors import BenchError, HubError, unknown
from harness.guess.chosen_columns import columns_of
from harness.guess.which_files import is_data, no_such_file
from harness.hub import cached_models
from harness.model import Checkpoint, Model
from harness.models.resolve import registered, resolve
from harness.planning.option_values import join_names
from harness.planning.quick import quick_task
from harness.planning.suite import Suite
from harness.planning.taskfile import load_task
from harness.task import Task

MAX_MODELS = 8  # models in a message

FoundModel = tuple[Checkpoint, HubError | None, str]  # the checkpoint, why the Hub does not give it, and its reference


def find_tasks(
    references: Iterable[str | Task], suite: Suite, limit: int | None = None, columns: Mapping[str, str] | None = None
) -> dict[str, Task]:
    """Return the tasks that references mean, each by a reference for it alone: its name, file or `family:path`.

    Args:
        limit: rows of a split.
        columns: those that the user has chosen for tasks of the form `family:path`: the family's → the data's.

    Raises:
        BenchError: an unknown reference, a column that no task has, or an option that the task's family does not take.
    """
    references = list(references)
    for reference in references:
        if isinstance(reference, str):
            reject_address(reference)
    _reject_unused_columns(columns or {}, references)
    found: dict[str, tuple[str, Task]] = {}
    for reference, following in zip(references, [*references[1:], ""], strict=True):
        for task in _tasks(reference, following, suite, columns or {}):
            registry.family(task.family).accept(task)
            if found.setdefault(task.name, (task.reference or task.name, task))[1] != task:
                raise BenchError(f"two different tasks are called {task.name!r}; give one of them another name")
    return {name: task.limited(limit) for name, task in found.values()}


def _reject_unused_columns(columns: Mapping[str, str], references: Sequence[str | Task]) -> None:
    """Raise an error for a chosen column that no task has."""
    families = [one.partition(":")[0] for one in references if isinstance(one, str) and _is_quick(one)]
    valid = dict.fromkeys(name for family in families for name in columns_of(registry.family(family)))
    for column, source in columns.items():
        option = f"--column {column}={source}"
        if not families:
            raise BenchError(f"{option}: no task is written as FAMILY:PATH; in a task file say columns: {{{column}: {source}}}")
        if column not in valid:
            raise unknown(f"column of {', '.join(dict.fromkeys(families))}", column, valid, where=option)


def _is_quick(reference: str) -> bool:
    return ":" in reference and not reference.endswith((".yaml", ".yml"))


def _tasks(reference: str | Task, following: str | Task, suite: Suite, columns: Mapping[str, str]) -> Sequence[Task]:
    """Return the tasks of one reference; `following` is the reference after it, which may be part of a name with a comma."""
    if isinstance(reference, Task):
        return [reference]
    try:
        return _named_tasks(reference, suite, columns)
    except BenchError as error:
        was_cut = isinstance(following, str) and ":" not in following and formats(Path(following))
        if _is_quick(reference) and was_cut:
            whole = shlex.quote(join_names([f"{reference},{following}"]))
            raise BenchError(f"{error}; a name with a comma stands in double quotes: {whole}") from None
        raise


def _named_tasks(reference: str, suite: Suite, columns: Mapping[str, str]) -> Sequence[Task]:
    """Return the tasks of a name: `all`, a task of the suite or a registered one, a family of the suite, a file, or `family:path`."""
    if reference == "all":
        if not suite.name:
            raise BenchError("--tasks all, beside tasks of another kind, means the tasks of a suite; name it with --suite")
        return suite.tasks
    known = {**registry.tasks(), **{task.name: task for task in suite.tasks}}
    if reference in known:
        return [known[reference]]
    if reference.endswith((".yaml", ".yml")):
        return [replace(load_task(Path(reference)), reference=reference)]
    name, colon, path = reference.partition(":")
    if colon:
        family = registry.family(name)
        valid = columns_of(family)
        return [quick_task(family, path, {column: source for column, source in columns.items() if column in valid})]
    if of_family := [task for task in suite.tasks if task.family == reference]:
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
) -> list[FoundModel]:
    """Return the checkpoints that references mean, empty ones if the Hub does not give them; `all` means those of the suite.

    Different models may have the same name, such as two folders with the same last name.
    """
    names: list[Any] = []
    for reference in references:
        names += list(suite.models) if isinstance(reference, str) and reference == "all" else [reference]
    if not names:
        which = f"suite {suite.name!r} names no models" if suite.name else "without a suite, all means no models"
        raise BenchError(f"{which}; name some with --models, such as {', '.join(_local_models())}, a folder, or a Hub id")
    found: dict[tuple[str, str], FoundModel] = {}
    for name in names:
        checkpoint, error = _checkpoint(name, suite, trust_remote_code)
        reference = name.source if isinstance(name, Model) else name
        found.setdefault((checkpoint.name, checkpoint.digest), (checkpoint, error, reference))
    return list(found.values())


def same_name_notes(models: Iterable[FoundModel]) -> list[str]:
    """Return a line for each name that several models have, which says which they are."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for checkpoint, _, reference in models:
        by_name[checkpoint.name].append(f"{reference} (weights {checkpoint.digest[:12]})")
    return [f"{len(same)} models are called {name}: {', '.join(same)}" for name, same in by_name.items() if len(same) > 1]


def _local_models() -> list[str]:
    """Return models that need no network: those that the package ships, and those of the cache."""
    shipped = [entry.name for entry in registry.models().values() if entry.source.startswith("pkg:")]
    return [*shipped, *cached_models()][:MAX_MODELS]


def _checkpoint(reference: str | Model, suite: Suite, trust_remote_code: bool) -> tuple[Checkpoint, HubError | None]:
    aliases = suite.references
    if isinstance(reference, str):
        if suite.aliases.get(reference) in suite.models:  # another name for one of the suite's own
            reference = suite.aliases[reference]
        if (baseline := registry.baselines().get(aliases.get(reference, reference))) is not None:
            return baseline.checkpoint(), None
    try:
        return resolve(reference, aliases, trust_remote_code), None
    except HubError as error:
        if error.temporary:
            error = HubError(f"{error}; at hand without it: {', '.join(_local_models())}", True)
        entry = registered(reference, aliases)
        missing = Checkpoint(
            name=entry.name, source=entry.source, location=entry.source, revision=None, gguf=None, digest="",
            architecture=entry.architecture or "unknown", families=entry.families, kind=entry.kind,
        )  # fmt: skip
        return missing, error
