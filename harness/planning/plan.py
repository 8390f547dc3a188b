"""The plan: from a command line to a list of cells, before anything is downloaded or trained."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness import registry
from harness.baselines.choose import baselines_for, is_baseline, unused_baselines
from harness.cell import Cell, rule_facts
from harness.errors import BenchError, HubError, unknown
from harness.methods import BASELINE, METHODS
from harness.model import Checkpoint, Model
from harness.models.language_codes import check_languages
from harness.planning.defaults import joined, recipe_settings, reject_for_baselines, reject_foreign
from harness.planning.references import find_models, find_tasks, of_one_name
from harness.planning.suite import Suite, suite_for
from harness.planning.validate import is_local, validate
from harness.recipe import PRECISIONS, Recipe
from harness.recipe_rules import apply_rules, rules_for
from harness.task import Task
from harness.train_rows import Sizes, available_sizes, few_steps_notes


@dataclass(frozen=True)
class Request:
    """What a person asks for, as the options of `bench run` and `bench plan` hold it.

    Attributes:
        suite: a name or file; None: the default suite for its own tasks, else none.
        train_sizes: of learning curves: numbers of training rows, None for all.
        baselines: whether each task gets the baselines of its family; the command line asks for them, a program has to.
        keep_head: whether models go on from heads that they bring, see `harness.model.Checkpoint`.
        columns: for tasks of the form `family:path` which of the data's columns are the family's: ours → theirs.
    """

    models: Sequence[str | Model]
    tasks: Sequence[str | Task]
    suite: str | None = None
    methods: Sequence[str] = ("full",)
    seeds: Sequence[int] = (0,)
    train_sizes: Sizes = (None,)
    limit: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    trust_remote_code: bool = False
    baselines: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    keep_head: bool = False


@dataclass(frozen=True)
class Plan:
    """What a request comes to.

    Attributes:
        cells: in the order in which they run.
        impossible: a line for each model and task that cannot be.
        notes: a line for each task from a file, on what it was taken to be and what was found in it; and on sizes of learning curves.
        references: task's title → what `bench task check` calls it, with the suite where that is needed.
        lost: cells whose model or data the Hub does not give, and why.
    """

    suite: Suite
    cells: tuple[Cell, ...]
    impossible: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[tuple[Cell, HubError], ...] = ()


def make_plan(request: Request) -> Plan:
    """Expand a request.

    The rows of tasks from files are read and checked before any model is looked for; those of the Hub are not. What the Hub
    does not give is lost; the rest of the grid goes on without it.

    Raises:
        BenchError: an unknown name, an invalid setting, a file that cannot be read, a row that is wrong, nothing left to do, or
            nothing but what the Hub refuses.
    """
    suite = suite_for(request.suite, request.tasks)
    for method in request.methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    settings = recipe_settings(request.settings)
    reject_foreign(settings, request.methods)
    asked = find_tasks(request.tasks, suite, request.limit, request.columns)
    found = {task.title: validate(task) for task in asked.values() if is_local(task)}
    sizes, left_out = available_sizes(list(asked.values()), request.train_sizes)
    data = [_data(task) for task in asked.values()]
    models = find_models(request.models, suite, request.trust_remote_code)
    if request.keep_head:
        models = [(one if is_baseline(one) else replace(one, keep_head=True), *more) for one, *more in models]
    named = [checkpoint for checkpoint, _, _ in models]
    reject_for_baselines(settings, named)
    made, impossible = [], []  # cells of the first seed, and why the Hub does not give what they need
    for name, (task, fingerprint, no_data) in zip(asked, data, strict=True):
        # First, for they take seconds: whoever waits for the others can see what has to be beaten.
        more = baselines_for(task, named) if request.baselines else []
        for checkpoint, no_model, typed in [*((one, None, "") for one in more), *models]:
            if reason := cannot(checkpoint, task):
                impossible += [] if is_baseline(checkpoint) else [reason]
                continue
            for method in [BASELINE] if is_baseline(checkpoint) else request.methods:
                cell = _cell(suite, task, fingerprint, checkpoint, method, request.seeds[0], settings)
                made.append((replace(cell, typed=_typed(request, settings, typed, name, task)), no_model or no_data))
    impossible += unused_baselines(named, [cell for cell, _ in made])
    # Seeds outermost: a grid that is stopped half-way has whole tables for the first seeds.
    every = [
        (replace(cell, seed=seed, train_rows=rows, suite_facts=suite.facts), error)
        for seed in request.seeds
        for cell, error in made
        for rows in sizes[cell.task.title]
    ]
    cells = [cell for cell, error in every if not error]
    lost = [(cell, error) for cell, error in every if error]
    if not any(cell.model in named for cell in cells):
        _raise_if_hopeless(lost, impossible)
    return Plan(
        suite=suite,
        cells=tuple({cell.id: cell for cell in cells}.values()),
        impossible=tuple(dict.fromkeys(impossible)),
        notes=(*suite.notes, *of_one_name(models), *_notes(suite, list(asked.values()), found), *left_out, *few_steps_notes(cell for cell, _ in every)),
        references={task.title: _again(name, task, request, suite) for name, task in asked.items()},
        lost=tuple({cell.id: (cell, error) for cell, error in lost}.values()),
    )


def _notes(suite: Suite, tasks: Sequence[Task], found: Mapping[str, str]) -> list[str]:
    """What to tell of tasks that nobody has registered: what they were taken for, and what their rows are."""
    known = {*registry.tasks(), *(task.name for task in suite.tasks)}
    notes = []
    for task in tasks:
        said = [task.description] if task.description and task.name not in known else []
        said += [found[task.title]] if task.title in found else []
        if said:
            notes.append(f"{task.title}: {'; '.join(said)}")
    return notes


def _typed(request: Request, settings: Mapping[str, str], model: str, name: str, task: Task) -> dict[str, Any]:
    """What was typed for a cell: of the options, those that a command for this cell alone needs."""
    given = {
        "model": model, "task": name, "columns": _columns(task), "settings": dict(settings) if model else {},
        "limit": request.limit,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _columns(task: Task) -> list[str]:
    """The columns that were chosen for a task, as `--column` has them."""
    return [f"{ours}={theirs}" for ours, theirs in task.chosen.items()]


def _again(name: str, task: Task, request: Request, suite: Suite) -> str:
    """How to ask for one of a request's tasks again: with the columns that were chosen for it, or with the suite where the name
    means something else without it, or nothing.
    """
    own = {task.name: task for task in suite.tasks}
    words = [joined([name]), *(word for one in _columns(task) for word in ("--column", one))]
    words += ["--suite", request.suite or suite.name] if name in own and own[name] != registry.tasks().get(name) else []
    return shlex.join(words)


def _raise_if_hopeless(lost: Sequence[tuple[Cell, HubError]], impossible: Sequence[str]) -> None:
    """A request of which nothing can run is wrong, unless it only met a Hub that does not answer at the moment."""
    if not lost:
        raise BenchError(f"nothing to run: {'; '.join(dict.fromkeys(impossible)) or 'the suite names no tasks'}")
    if not any(error.temporary for _, error in lost):
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
    if not checkpoint.digest or is_baseline(checkpoint):
        return None  # nothing more is known of it, or to be asked
    if checkpoint.architecture not in family.architectures:
        return f"{checkpoint.name} is of architecture {checkpoint.architecture}, which {family.name} ({task.title}) has no head for"
    if family.needs_offsets and not checkpoint.fast_tokenizer:
        return f"{checkpoint.name} has no fast tokeniser, which {family.name} ({task.title}) needs to find words in the text"
    if checkpoint.architecture == "encoder-decoder" and "target_language" in family.known_options and checkpoint.revision is None:
        try:
            check_languages(checkpoint.location, task.options, checkpoint.name)
        except BenchError as error:
            return f"{error} ({task.title})"
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
    facts = rule_facts(task, checkpoint, method)
    recipe, why = Recipe(), ""
    if not is_baseline(checkpoint):
        recipe, why = apply_rules(rules_for(registry.family(task.family).recipes, suite.recipes), facts)
        recipe = recipe.updated(settings)
        why = "as set" if "learning_rate" in settings else why
    if recipe.precision in checkpoint.avoid:
        good = [one for one in PRECISIONS if one not in checkpoint.avoid]
        raise BenchError(
            f"recipe.precision is {recipe.precision!r}, in which {checkpoint.name} does not train; valid: {', '.join(good)}"
        )
    return Cell(
        model=checkpoint, task=task, fingerprint=fingerprint, family_version=registry.family(task.family).version,
        method=method, seed=seed, recipe=recipe, suite=suite.name, why=why,
    )  # fmt: skip
