"""A suite: a YAML file that names tasks, models and recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import registry
from harness.defaults import Defaults, read_defaults
from harness.errors import unknown
from harness.recipes import check_rules
from harness.search.rules import read_section
from harness.task import Task
from harness.taskfile import read_task, read_yaml, reject_unknown

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
        recipes: rules for `harness.recipes.apply_rules`, behind those of the package.
        search: rules for `harness.search.rules.values_for`, of grids and of what Optuna draws from.
        defaults: of the command line's options, for runs of this suite.
        file: the reference where it is a file; empty for a registered suite.
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

    @property
    def references(self) -> dict[str, str]:
        """Every name that the suite gives a model → its reference."""
        return {**self.models, **self.aliases}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What a record says of it beside its name: its file, and the options for which it has defaults of its own."""
        told = {"suite_file": self.file, "suite_defaults": list(self.defaults.changed)}
        return {name: value for name, value in told.items() if value}


NONE = Suite("", 1, "", {}, (), ())  # what a request has that names no suite: recipes follow from the models and the data


def suite_for(name: str | None, tasks: Sequence[str]) -> Suite:
    """The suite that a request names; without a name the default one where all its tasks are of it, else `NONE`.

    Args:
        tasks: references of tasks.
    """
    if name:
        return load_suite(name)
    default = load_suite(DEFAULT)
    own = {"all", *(task.name for task in default.tasks), *(task.family for task in default.tasks)}
    return default if set(tasks) <= own else NONE


def load_suite(reference: str) -> Suite:
    """A registered suite's name, or the path of a YAML file.

    Raises:
        BenchError: no such suite, or a file that is not one.
    """
    if reference in registry.suites():
        path = registry.suites()[reference]
    elif reference.endswith((".yaml", ".yml")):
        path = Path(reference)
    else:
        raise unknown("suite", reference, registry.suites(), more=", or a YAML file (./mine.yaml)")
    content = read_yaml(path)
    reject_unknown(content, KEYS, path)
    wanted, rules = read_section(content.get("search") or {}, path)
    models = content.get("models") or {}
    if isinstance(models, list):
        models = {name: name for name in models}
    return Suite(
        name=str(content.get("name") or path.stem),
        version=int(content.get("version", 1)),
        description=str(content.get("description", "")),
        models={name: _beside(path, source) for name, source in models.items()},
        aliases={name: _beside(path, source) for name, source in (content.get("aliases") or {}).items()},
        tasks=tuple(_suite_task(item, path) for item in content.get("tasks") or []),
        recipes=check_rules(content.get("recipes") or [], f"{path}: recipes"),
        search=rules,
        defaults=read_defaults(content, wanted, path),
        file="" if reference in registry.suites() else reference,
    )


def _suite_task(item: Any, path: Path) -> Task:
    """A task named in a suite: a registered name, a task file beside the suite, or a task written out in place."""
    if isinstance(item, Mapping):
        return read_task(item, path)
    if item.endswith((".yaml", ".yml")):
        file = path.parent / item
        return read_task(read_yaml(file), file)
    if item not in registry.tasks():
        raise unknown("task", item, registry.tasks(), where=str(path))
    return registry.tasks()[item]


def _beside(path: Path, source: str) -> str:
    """Relative folders in a suite file are meant from the file's own place."""
    # Absolute: `./bert` of a suite in the current folder would else become `bert`, which may be a registered model.
    return str((path.parent / source).absolute()) if source.startswith(("./", "../")) else source
