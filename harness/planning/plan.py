"""Make a plan: expand a request to a list of cells, before anything is downloaded or trained."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness import registry
from harness.baselines.choose import baselines_for, is_baseline, unused_baselines
from harness.cell import Cell, rule_facts
from harness.check.report import validate
from harness.data.source import FileSource
from harness.errors import BenchError, HubError, unknown
from harness.methods import BASELINE, METHODS, inapplicable_fields
from harness.model import Checkpoint
from harness.models.language_codes import check_languages
from harness.planning.option_values import full_names, join_names
from harness.planning.references import find_models, find_tasks, same_name_notes
from harness.planning.request import Request
from harness.planning.suite import Suite, suite_for
from harness.recipe import PRECISIONS, Recipe
from harness.recipe_rules import apply_rules, rules_for
from harness.task import Task
from harness.train_rows import available_sizes, few_steps_notes


@dataclass(frozen=True)
class Plan:
    """The cells of a request, and what to know about them.

    Attributes:
        cells: in the order in which they run.
        impossible: a line for each model and task that do not fit.
        notes: a line for each task from a file on how it was read, for equal names, and for sizes of learning curves.
        references: task's title → the arguments of `bench task check` that mean it.
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

    The rows of tasks from files are read and checked before any model is looked up; those of the Hub are not. What the Hub
    does not give is lost; the rest of the grid goes on without it.

    Raises:
        BenchError: an unknown name, an invalid setting, a file that cannot be read, a wrong row, nothing to run, or only
            cells that the Hub refuses.
    """
    suite = suite_for(request.suite, request.tasks)
    for method in request.methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    settings = full_names(request.settings)
    _reject_unread_settings(settings, request.methods)
    tasks = find_tasks(request.tasks, suite, request.limit, request.columns)
    facts = {task.title: validate(task) for task in tasks.values() if is_local(task)}
    sizes, size_notes = available_sizes(list(tasks.values()), request.train_sizes)
    pinned_tasks = [_pinned(task) for task in tasks.values()]
    models = find_models(request.models, suite, request.trust_remote_code)
    if request.keep_head:
        models = [(one if is_baseline(one) else replace(one, keep_head=True), *more) for one, *more in models]
    named = [checkpoint for checkpoint, _, _ in models]
    _reject_settings_of_baselines(settings, named)
    first_cells: list[tuple[Cell, HubError | None]] = []  # of the first seed and size, with why the Hub refuses them
    impossible = []
    for reference, (task, fingerprint, data_error) in zip(tasks, pinned_tasks, strict=True):
        # Baselines first: they take seconds, and whoever waits for the models can see what they have to beat.
        baselines = baselines_for(task, named) if request.baselines else []
        for checkpoint, model_error, model_reference in [*((one, None, "") for one in baselines), *models]:
            if reason := cannot(checkpoint, task):
                impossible += [] if is_baseline(checkpoint) else [reason]
                continue
            typed = _typed(request, settings, model_reference, reference, task)
            for method in [BASELINE] if is_baseline(checkpoint) else request.methods:
                cell = _cell(suite, task, fingerprint, checkpoint, method, request.seeds[0], settings)
                first_cells.append((replace(cell, typed=typed), model_error or data_error))
    impossible += unused_baselines(named, [cell for cell, _ in first_cells])
    # Seeds outermost: a grid that is stopped half-way has whole tables for the first seeds.
    all_cells = [
        (replace(cell, seed=seed, train_rows=rows, suite_facts=suite.facts), error)
        for seed in request.seeds
        for cell, error in first_cells
        for rows in sizes[cell.task.title]
    ]
    cells = {cell.id: cell for cell, error in all_cells if not error}
    lost = {cell.id: (cell, error) for cell, error in all_cells if error}
    if not any(cell.model in named for cell in cells.values()):
        _reject_hopeless(lost.values(), impossible)
    return Plan(
        suite=suite,
        cells=tuple(cells.values()),
        impossible=tuple(dict.fromkeys(impossible)),
        notes=(
            *suite.notes,
            *same_name_notes(models),
            *_task_notes(suite, list(tasks.values()), facts),
            *size_notes,
            *few_steps_notes(cell for cell, _ in all_cells),
        ),
        references={task.title: _check_arguments(name, task, request, suite) for name, task in tasks.items()},
        lost=tuple(lost.values()),
    )


def _reject_unread_settings(settings: Mapping[str, str], methods: Sequence[str]) -> None:
    """Raise an error for a setting that none of the methods reads: it would silently change nothing."""
    for name in settings:
        if all(name in inapplicable_fields(method) for method in methods):
            owner = next(method.name for method in METHODS.values() if name in method.fields)
            raise BenchError(
                f"--set recipe.{name}={settings[name]}: only method {owner} reads it, and the methods are "
                f"{', '.join(methods)}; add --methods {owner}, or leave it out"
            )


def _reject_settings_of_baselines(settings: Mapping[str, str], named: Collection[Checkpoint]) -> None:
    """Raise an error for settings if only baselines are named: they would silently change nothing."""
    if settings and all(is_baseline(checkpoint) for checkpoint in named):
        name, value = next(iter(settings.items()))
        raise BenchError(
            f"--set recipe.{name}={value}: baselines have no recipe, and --models names nothing else; "
            "leave it out, or name a model"
        )


def is_local(task: Task) -> bool:
    """Whether a task's rows are in files of this machine, so that they can be checked without a network."""
    return isinstance(task.source, FileSource)


def _pinned(task: Task) -> tuple[Task, str, HubError | None]:
    """Return the task with its data pinned, and their fingerprint; none and the error if the Hub does not give them."""
    try:
        pinned = replace(task, source=task.source.pinned())
        return pinned, pinned.source.fingerprint(), None
    except HubError as error:
        return task, "", error


def cannot(checkpoint: Checkpoint, task: Task) -> str | None:
    """Return why a model cannot do a task, or None if it can."""
    family = registry.family(task.family)
    if checkpoint.families is not None and family.name not in checkpoint.families:
        return f"{checkpoint.name} is registered for {', '.join(checkpoint.families)} only, not for {task.title} ({family.name})"
    if not checkpoint.digest or is_baseline(checkpoint):
        return None  # the Hub does not give it, or there is nothing more to check
    if checkpoint.architecture not in family.architectures:
        return f"{checkpoint.name} is of architecture {checkpoint.architecture}, which {family.name} ({task.title}) has no head for"
    if family.needs_offsets and not checkpoint.fast_tokenizer:
        return f"{checkpoint.name} has no fast tokeniser, which {family.name} ({task.title}) needs to find words in the text"
    translates = checkpoint.architecture == "encoder-decoder" and "target_language" in family.known_options
    if translates and checkpoint.revision is None:
        try:
            check_languages(checkpoint.location, task.options, checkpoint.name)
        except BenchError as error:
            return f"{error} ({task.title})"
    return None


def _cell(
    suite: Suite, task: Task, fingerprint: str, checkpoint: Checkpoint, method: str, seed: int, settings: Mapping[str, str]
) -> Cell:
    family = registry.family(task.family)
    recipe, why = Recipe(), ""
    if not is_baseline(checkpoint):
        facts = rule_facts(task, checkpoint, method)
        recipe, why = apply_rules(rules_for(family.recipes, suite.recipes), facts)
        recipe = recipe.updated(settings)
        why = "as set" if "learning_rate" in settings else why
    if recipe.precision in checkpoint.avoid:
        valid = [precision for precision in PRECISIONS if precision not in checkpoint.avoid]
        raise BenchError(
            f"recipe.precision is {recipe.precision!r}, in which {checkpoint.name} does not train; valid: {', '.join(valid)}"
        )
    return Cell(
        model=checkpoint, task=task, fingerprint=fingerprint, family_version=family.version, method=method, seed=seed,
        recipe=recipe, suite=suite.name, why=why,
    )  # fmt: skip


def _typed(request: Request, settings: Mapping[str, str], model: str, name: str, task: Task) -> dict[str, Any]:
    """Return what the user typed, as far as a command for this cell alone needs it."""
    columns, used_settings = _column_options(task), dict(settings) if model else {}
    typed = {"model": model, "task": name, "columns": columns, "settings": used_settings, "limit": request.limit}
    return {name: value for name, value in typed.items() if value}


def _column_options(task: Task) -> list[str]:
    return [f"{column}={source}" for column, source in task.chosen.items()]


def _check_arguments(name: str, task: Task, request: Request, suite: Suite) -> str:
    """Write the arguments of `bench task check` that mean a task: with its chosen columns, and with the suite if needed."""
    suite_tasks = {task.name: task for task in suite.tasks}
    words = [join_names([name])]
    for option in _column_options(task):
        words += ["--column", option]
    if name in suite_tasks and suite_tasks[name] != registry.tasks().get(name):
        words += ["--suite", request.suite or suite.name]
    return shlex.join(words)


def _task_notes(suite: Suite, tasks: Sequence[Task], facts: Mapping[str, str]) -> list[str]:
    """Describe the tasks that nobody has registered, and the rows of those from files (`facts`)."""
    known = {*registry.tasks(), *(task.name for task in suite.tasks)}
    notes = []
    for task in tasks:
        parts = [task.description] if task.description and task.name not in known else []
        parts += [facts[task.title]] if task.title in facts else []
        if parts:
            notes.append(f"{task.title}: {'; '.join(parts)}")
    return notes


def _reject_hopeless(lost: Collection[tuple[Cell, HubError]], impossible: Sequence[str]) -> None:
    """Raise an error if nothing can run, unless that is only because the Hub does not answer at the moment."""
    if not lost:
        raise BenchError(f"nothing to run: {'; '.join(dict.fromkeys(impossible)) or 'the suite names no tasks'}")
    if not any(error.temporary for _, error in lost):
        raise BenchError("\n".join(dict.fromkeys(str(error) for _, error in lost)))
