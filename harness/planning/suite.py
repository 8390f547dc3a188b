"""A suite: a YAML file that names tasks, models and recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import registry
from harness.errors import BenchError, nearest, unknown
from harness.family import ARCHITECTURES
from harness.methods import METHODS
from harness.models.architectures import KINDS
from harness.planning.defaults import OPTIONS, Defaults, read_defaults
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
DEFAULT = "mini"  # for a request of its own tasks; whatever else is asked for has no suite


@dataclass(frozen=True)
class Suite:
    """A benchmark as one shareable file.

    Attributes:
        models: name → model reference; these names win over registered ones, and `--models all` means them.
        aliases: other names for models, that hold in this suite alone.
        tasks: in the order of the board.
        recipes: rules for `harness.recipe_rules.apply_rules`, behind those of the package.
        search: rules for `harness.search.search_space.space_for`, of grids and of what Optuna draws from.
        defaults: of the command line's options, for runs of this suite.
        file: the reference where it is a file; empty for a registered suite.
        notes: a line for each condition of a rule that names a task, model or kind that is not known here.
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
        """What a record says of it beside its name: its file, and the options for which it has defaults of its own."""
        told = {"suite_file": self.file, "suite_defaults": list(self.defaults.changed)}
        return {name: value for name, value in told.items() if value}


NONE = Suite(
    "", 1, "", {}, (), ()
)  # what a request has that names no suite: recipes follow from the models and the data


def suite_for(name: str | None, tasks: Sequence[str | Task]) -> Suite:
    """The suite that a request names; without a name the default one where all its tasks are of it, else `NONE`.

    Args:
        tasks: references of tasks, or tasks.
    """
    if name:
        return load_suite(name)
    default = load_suite(DEFAULT)
    own = {"all", *(task.name for task in default.tasks), *(task.family for task in default.tasks)}
    return default if all(isinstance(one, str) and one in own for one in tasks) else NONE


def load_suite(reference: str) -> Suite:
    """A registered suite's name, or the path of a YAML file.

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
    name = given["name"].title() if "name" in given else None
    version = given["version"].whole() if "version" in given else 1
    description = given["description"].text() if "description" in given else ""
    models = _models(given["models"], path) if "models" in given else {}
    aliases = _models(given["aliases"], path, listed=False) if "aliases" in given else {}
    tasks = _tasks(given["tasks"], path) if "tasks" in given else ()
    wanted, rules = read_search_section(given["search"]) if "search" in given else ((), {})
    recipes = parse_recipe_rules(given["recipes"]) if "recipes" in given else ()
    defaults = read_defaults({key: given[key] for key in OPTIONS if key in given}, wanted, path)
    unmet = _Known(models, aliases, tasks).check(given)
    document.faults.check()
    return Suite(
        name=name or path.stem,
        version=1 if version is None else version,
        description=" ".join((description or "").split()),
        models=models,
        aliases=aliases,
        tasks=tasks,
        recipes=recipes,
        search=rules,
        defaults=defaults,
        file="" if reference in registry.suites() else reference,
        notes=unmet,
    )


def _models(value: YamlValue, path: Path, listed: bool = True) -> dict[str, str]:
    """Name → reference, of a mapping, or of a list where these are the same."""
    if listed and value.node.kind == "list":
        names = [name for one in value.list() if (name := one.text()) is not None]
        return {name: _beside(path, name) for name in names}
    return {name: _beside(path, source) for name, one in value.items() if (source := one.text()) is not None}


def _tasks(value: YamlValue, path: Path) -> tuple[Task, ...]:
    found: dict[str, Task] = {}
    for item in value.list("a list of names, task files or tasks"):
        task = _suite_task(item, path)
        if task is not None and found.setdefault(task.name, task) is not task:
            item.fault(f"two tasks are called {task.name!r}; give one of them another name")
    return tuple(found.values())


def _suite_task(item: YamlValue, path: Path) -> Task | None:
    """A task named in a suite: a registered name, a task file beside the suite, or a task written out in place."""
    if item.node.kind == "map":
        return check_task(item, path)
    name = item.text()
    if name is None:
        return None
    if name.endswith((".yaml", ".yml")):
        return item.attempt(load_task, path.parent / name)
    if name not in registry.tasks():
        return item.attempt(
            _raise, unknown("task", name, registry.tasks(), more=", or a task file beside this one (mine.yaml)")
        )
    return registry.tasks()[name]


def _raise(error: BenchError) -> None:
    raise error


@dataclass(frozen=True)
class _Known:
    """What conditions of rules may name, as far as it is known: a rule for what nothing is called holds for nothing."""

    models: Mapping[str, str]
    aliases: Mapping[str, str]
    tasks: Sequence[Task]

    def check(self, given: Mapping[str, YamlValue]) -> tuple[str, ...]:
        """Look through the conditions of all rules. Families, methods and architectures are known, so others are faults; of tasks,
        models and kinds a run may name some that nobody has registered, so these are told.
        """
        told = []
        for when in _conditions(given):
            for fact, value in when.items():
                if fact not in CONDITIONS:
                    continue  # a fault already
                for one in value.list() if value.node.kind == "list" else [value]:
                    text = one.text()
                    valid = self._names(fact)
                    if text is None or text in valid:
                        continue
                    if fact in ("family", "method", "architecture"):
                        one.faults.add(one.node.line, f"{one.name}: {unknown(fact, text, valid)}")
                    else:
                        near = nearest(text, valid)
                        hint = f"; did you mean {near!r}?" if near else ""
                        told.append(
                            f"{location(one.faults.path, one.node.line)}: {one.name} {text!r} is no {fact} known here{hint}"
                        )
        return tuple(dict.fromkeys(told))

    def _names(self, fact: str) -> list[str]:
        if fact == "family":
            return list(registry.families())
        if fact == "method":
            return list(METHODS)
        if fact == "architecture":
            return list(ARCHITECTURES)
        if fact == "task":
            return [*(task.name for task in self.tasks), *registry.tasks()]
        if fact == "kind":
            return [*KINDS, *sorted({model.kind for model in registry.models().values() if model.kind})]
        return [*self.models, *self.aliases, *registry.models(), *registry.baselines()]


def _conditions(given: Mapping[str, YamlValue]) -> Iterator[YamlValue]:
    """The `when` of every rule of `recipes` and `search`."""
    sections = [given["recipes"]] if "recipes" in given else []
    if "search" in given and given["search"].node.kind == "map":
        sections += [rules for kind, rules in given["search"].items() if kind in (GRID, OPTUNA)]
    for rules in sections:
        for rule in rules.list() if rules.node.kind == "list" else ():
            if rule.node.kind == "map":
                yield from (value for key, value in rule.items() if key == "when" and value.node.kind == "map")


def _beside(path: Path, source: str) -> str:
    """Relative folders in a suite file are meant from the file's own place."""
    # Absolute: `./bert` of a suite in the current folder would else become `bert`, which may be a registered model.
    return str((path.parent / source).absolute()) if source.startswith(("./", "../")) else source
