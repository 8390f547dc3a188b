"""A suite: a YAML file that names tasks, models and recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import registry
from harness.errors import nearest, unknown
from harness.family import ARCHITECTURES
from harness.methods import METHODS
from harness.models.architectures import KINDS
from harness.planning.option_values import OPTIONS, Defaults, read_defaults
from harness.planning.taskfile import check_task, load_task
from harness.recipe import CONDITIONS
from harness.recipe_rules import parse_recipe_rules
from harness.search.search_option import GRID, OPTUNA
from harness.search.search_space import read_search_section
from harness.task import Task
from harness.yaml_reader import location
from harness.yaml_values import YamlValue, read_yaml

KEYS = (
    "name", "version", "description", "models", "aliases", "tasks", "recipes", "search", "methods", "seeds", "train_sizes",
)  # fmt: skip
DEFAULT = "mini"  # the suite of a request that names only tasks of it
CLOSED_FACTS = ("family", "method", "architecture")  # facts of which all valid values are known


@dataclass(frozen=True)
class Suite:
    """A benchmark as one file that can be shared.

    Attributes:
        models: name → model reference; these names win over registered ones, and `--models all` means them.
        aliases: other names for models, valid in this suite alone.
        tasks: in the order of the board.
        recipes: rules for `harness.recipe_rules.apply_rules`, after those of the package.
        search: rules for `harness.search.search_space.space_for`, of grids and of Optuna's distributions.
        defaults: of the command line's options, for runs of this suite.
        file: the reference to its file; empty for a registered suite.
        notes: a line for each condition of a rule that names an unknown task, model or kind.
    """

    name: str
    version: int
    description: str
    models: Mapping[str, str]
    tasks: tuple[Task, ...]
    recipes: tuple[Mapping[str, Any], ...]
    search: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    file: str = ""
    notes: tuple[str, ...] = ()

    @property
    def references(self) -> dict[str, str]:
        """Every name that the suite gives a model → its reference."""
        return {**self.models, **self.aliases}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What a record says of the suite beside its name: its file, and the options of which it changes the defaults."""
        facts = {"suite_file": self.file, "suite_defaults": list(self.defaults.changed)}
        return {name: value for name, value in facts.items() if value}


# Of requests that name no suite: recipes follow from the models and the data.
NONE = Suite(name="", version=1, description="", models={}, tasks=(), recipes=())


def suite_for(name: str | None, tasks: Sequence[str | Task]) -> Suite:
    """Return the suite of that name; without a name the default suite if all tasks are its own, else `NONE`."""
    if name:
        return load_suite(name)
    default = load_suite(DEFAULT)
    own = {"all", *(task.name for task in default.tasks), *(task.family for task in default.tasks)}
    return default if all(isinstance(task, str) and task in own for task in tasks) else NONE


def load_suite(reference: str) -> Suite:
    """Load a suite by its registered name, or from a YAML file.

    Raises:
        BenchError: no such suite, or a line for each mistake in its file.
    """
    if reference in registry.suites():
        path = registry.suites()[reference]
    elif reference.endswith((".yaml", ".yml")):
        path = Path(reference)
    else:
        raise unknown("suite", reference, registry.suites(), more=", or a YAML file (./mine.yaml)")
    document = read_yaml(path)
    given = {key: value for key, value in document.keys(KEYS).items() if value.given}
    version = given["version"].whole() if "version" in given else 1
    description = given["description"].text() if "description" in given else ""
    models = _models(given["models"], path) if "models" in given else {}
    aliases = _models(given["aliases"], path, listed=False) if "aliases" in given else {}
    tasks = _tasks(given["tasks"], path) if "tasks" in given else ()
    search_options, search = read_search_section(given["search"]) if "search" in given else ((), {})
    suite = Suite(
        name=(given["name"].title() if "name" in given else None) or path.stem,
        version=1 if version is None else version,
        description=" ".join((description or "").split()),
        models=models,
        aliases=aliases,
        tasks=tasks,
        recipes=parse_recipe_rules(given["recipes"]) if "recipes" in given else (),
        search=search,
        defaults=read_defaults({key: given[key] for key in OPTIONS if key in given}, search_options, path),
        file="" if reference in registry.suites() else reference,
        notes=_check_conditions(given, tasks, [*models, *aliases]),
    )
    document.faults.check()
    return suite


def _models(value: YamlValue, path: Path, listed: bool = True) -> dict[str, str]:
    """Read name → reference, or a list of references that are their own names."""
    if listed and value.node.kind == "list":
        names = [name for item in value.list() if (name := item.text()) is not None]
        return {name: _beside(path, name) for name in names}
    return {name: _beside(path, source) for name, item in value.items() if (source := item.text()) is not None}


def _beside(path: Path, source: str) -> str:
    """Resolve a relative folder from the suite file's folder."""
    # Absolute: `./bert` of a suite in the current folder would else become `bert`, which may be a registered model.
    return str((path.parent / source).absolute()) if source.startswith(("./", "../")) else source


def _tasks(value: YamlValue, path: Path) -> tuple[Task, ...]:
    tasks: dict[str, Task] = {}
    for item in value.list("a list of names, task files or tasks"):
        task = _task(item, path)
        if task is not None and tasks.setdefault(task.name, task) is not task:
            item.fault(f"two tasks are called {task.name!r}; give one of them another name")
    return tuple(tasks.values())


def _task(item: YamlValue, path: Path) -> Task | None:
    """Read a registered name, the name of a task file beside the suite, or a task written in place."""
    if item.node.kind == "map":
        return check_task(item, path)
    name = item.text()
    if name is None:
        return None
    if name.endswith((".yaml", ".yml")):
        return item.attempt(load_task, path.parent / name)
    return item.attempt(_registered_task, name)


def _registered_task(name: str) -> Task:
    if name not in registry.tasks():
        raise unknown("task", name, registry.tasks(), more=", or a task file beside this one (mine.yaml)")
    return registry.tasks()[name]


def _check_conditions(given: Mapping[str, YamlValue], tasks: Sequence[Task], models: Sequence[str]) -> tuple[str, ...]:
    """Check the names in the conditions of all rules: a rule for an unknown name never applies.

    All families, methods and architectures are known, so that others are faults. A run may have tasks, models and kinds that nobody
    has registered, so that others get a note.
    """
    notes = []
    for fact, value in _conditions(given):
        text = value.text()
        names = _valid_names(fact, tasks, models)
        if text is None or text in names:
            continue
        if fact in CLOSED_FACTS:
            value.faults.add(value.node.line, f"{value.name}: {unknown(fact, text, names)}")
        else:
            near = nearest(text, names)
            hint = f"; did you mean {near!r}?" if near else ""
            notes.append(f"{location(value.faults.path, value.node.line)}: {value.name} {text!r} is no {fact} known here{hint}")
    return tuple(dict.fromkeys(notes))


def _valid_names(fact: str, tasks: Sequence[Task], models: Sequence[str]) -> list[str]:
    if fact == "family":
        return list(registry.families())
    if fact == "method":
        return list(METHODS)
    if fact == "architecture":
        return list(ARCHITECTURES)
    if fact == "task":
        return [*(task.name for task in tasks), *registry.tasks()]
    if fact == "kind":
        return [*KINDS, *sorted({model.kind for model in registry.models().values() if model.kind})]
    return [*models, *registry.models(), *registry.baselines()]


def _conditions(given: Mapping[str, YamlValue]) -> Iterator[tuple[str, YamlValue]]:
    """Yield the fact and each value in the `when` of every rule of `recipes` and `search`; unknown facts are faults already."""
    sections = [given["recipes"]] if "recipes" in given else []
    if "search" in given and given["search"].node.kind == "map":
        sections += [rules for kind, rules in given["search"].items() if kind in (GRID, OPTUNA)]
    rules = [rule for section in sections if section.node.kind == "list" for rule in section.list()]
    for rule in rules:
        for key, when in rule.items() if rule.node.kind == "map" else ():
            for fact, value in when.items() if key == "when" and when.node.kind == "map" else ():
                if fact in CONDITIONS:
                    yield from ((fact, item) for item in (value.list() if value.node.kind == "list" else [value]))
