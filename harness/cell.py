"""A cell: one model × task × method × seed × recipe, the unit of work, of caching and of failure."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from harness.methods import BASELINE, inapplicable_fields
from harness.model import Checkpoint
from harness.recipe import AUTO_VERSION, MECHANICS, Recipe, auto_fields
from harness.task import Task

PROTOCOL = 10  # raised when this code would give the same cell another score
LONGEST, SHORTENED = 240, 30  # bytes of an id, and characters of each name in an id that would be longer
SEARCH_SEED = 1_000_000_000  # of trials and candidate recipes; reported seeds are lower, so no trial is reported
SEARCH = "search"  # the `purpose` of a trial's record


@dataclass(frozen=True)
class Trial:
    """Marks a cell that trains and validates a candidate recipe of a search, and is never tested.

    Attributes:
        thresholds: one for each validation; the training ends if its best score so far is below. None: no threshold.
        budget: the share of the recipe's steps that is trained, with a schedule of this length. A trial below 1 cannot
            win.
        changes: the recipe fields that the search has set; part of the recipe, so not of the identity.
    """

    thresholds: tuple[float | None, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    budget: float = 1.0

    def identity(self) -> dict[str, Any]:
        """Return its part of the cell's identity."""
        return {"purpose": SEARCH, "thresholds": list(self.thresholds), **self._budget()}

    def facts(self) -> dict[str, Any]:
        """Return its part of the record, as known before the cell runs."""
        return {"purpose": SEARCH, "trial": {"thresholds": list(self.thresholds), **self._budget()}}

    def _budget(self) -> dict[str, float]:
        return {"budget": self.budget} if self.budget < 1 else {}


@dataclass(frozen=True)
class SearchedRecipe:
    """Marks a cell whose recipe comes from a search.

    Attributes:
        specification: what is searched, and how; plain values.
        arguments: the arguments of `--search`.
        outcome: the result of the search for the record (see `harness.search.trials`); None: it has not ended. Without
            a winner the cell has the recipe that the search starts from.
    """

    specification: Mapping[str, Any]
    arguments: tuple[str, ...] = ()
    outcome: Mapping[str, Any] | None = None

    @property
    def found(self) -> bool:
        """Whether the cell has the recipe of a winner."""
        return self.outcome is not None and self.outcome["winner"] is not None

    def identity(self) -> dict[str, Any]:
        """Return its part of the cell's identity, besides the recipe."""
        return {"specification": self.specification, "found": self.found}

    def facts(self) -> dict[str, Any]:
        """Return its part of the record, as known before the cell runs."""
        known = {"specification": self.specification, "arguments": list(self.arguments)}
        return {"search": {**known, **(self.outcome or {})}}

    @property
    def seconds(self) -> float:
        """The time that all trials took together."""
        return float(self.outcome["seconds"]) if self.outcome else 0.0


def is_trial(record: Mapping[str, Any]) -> bool:
    """Whether a record is that of a trial, which has no score."""
    return record.get("purpose") == SEARCH


@dataclass(frozen=True)
class Cell:
    """Everything that a worker needs to know, and everything that decides the score.

    `suite`, `suite_facts`, `typed` and `why` are not part of the identity.

    Attributes:
        fingerprint: identifies the task's data, see `Source.fingerprint`.
        family_version: the version of the task family.
        suite: the suite in which the cell was requested.
        suite_facts: what the record says of the suite besides its name, so that the cell can be requested again.
        train_rows: the number of training rows used, see `harness.train_rows`; None: all.
        search: the search that the cell belongs to, if any.
        typed: what the person typed to request it, so that a command can be made from its record: `model` and `task`
            (references), `columns`, `settings`, `limit`.
        why: the reason for its learning rate.
    """

    model: Checkpoint
    task: Task
    fingerprint: str
    family_version: int
    method: str
    seed: int
    recipe: Recipe
    suite: str
    train_rows: int | None = None
    search: Trial | SearchedRecipe | None = None
    why: str = field(default="", compare=False)
    suite_facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    typed: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_baseline(self) -> bool:
        """Whether it fits a `harness.baseline.Baseline` instead of training a model."""
        return self.method == BASELINE

    @property
    def is_trial(self) -> bool:
        """Whether it is trained only to choose a recipe, and never tested."""
        return isinstance(self.search, Trial)

    @property
    def budget(self) -> float:
        """The share of the recipe's steps that it is trained for: 1 except for some trials."""
        return self.search.budget if isinstance(self.search, Trial) else 1.0

    @property
    def resolved(self) -> bool:
        """False if its model or data are not available, so that its identity is unknown."""
        return bool(self.model.digest and self.fingerprint)

    @property
    def unresolved_id(self) -> str:
        """The id that the cell has while its model or data are not available."""
        return self._id("unresolved")

    @cached_property
    def id(self) -> str:
        """A readable prefix, and a hash of everything that could change the score."""
        if not self.resolved:
            return self.unresolved_id
        identity = {
            "protocol": PROTOCOL,
            "model": self.model.identity(),
            "task": {**self.task.identity(), "fingerprint": self.fingerprint, "family_version": self.family_version},
            "method": self.method,
            "seed": self.seed,
            "recipe": {key: value for key, value in self.settings().items() if key not in MECHANICS},
            **self._size(),
            **({"by_data": AUTO_VERSION} if not self.is_baseline and auto_fields(self.recipe) else {}),
            **({"search": self.search.identity()} if self.search else {}),
        }
        content = json.dumps(identity, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return self._id(hashlib.sha256(content).hexdigest()[:12])

    def settings(self) -> dict[str, Any]:
        """Return the recipe fields that its method has; none for a baseline."""
        if self.is_baseline:
            return {}
        inapplicable = inapplicable_fields(self.method)
        # The values are plain; `asdict` would deep-copy each of them, slowly.
        return {key: value for key, value in vars(self.recipe).items() if key not in inapplicable}

    @property
    def title(self) -> str:
        """The task's title, with the number of training rows if not all are used."""
        return sized_title(self.task.title, self.train_rows)

    def _size(self) -> dict[str, int]:
        return {"train_rows": self.train_rows} if self.train_rows else {}

    def _id(self, ending: str) -> str:
        size = (f"{self.train_rows}rows",) if self.train_rows else ()
        purpose = ("search",) if self.is_trial else ()
        title, name = _path_part(self.task.title), _path_part(self.model.name)
        title = re.sub(r"^[.-]", "_", title)  # no hidden folder, and no option where `cells/*` is typed
        rest = "--".join(["", self.method, *size, *purpose, f"s{self.seed}", ending])
        if len(os.fsencode(f"{title}--{name}{rest}")) > LONGEST:  # too long for a folder name; the hash stays unique
            title, name = title[:SHORTENED], name[:SHORTENED]
        return f"{title}--{name}{rest}"

    def facts(self) -> dict[str, Any]:
        """Return the part of the record that is known before the cell runs."""
        task = self.task.identity()
        declared = {key: task[key] for key in ("columns", "labels", "options", "limit", "drop_labels") if key in task}
        return {
            "id": self.id,
            "suite": self.suite or None,
            **self.suite_facts,
            **({"typed": dict(self.typed)} if self.typed else {}),
            "model": self.model.facts(),
            "task": {
                "name": self.task.title,
                "family": self.task.family,
                "version": self.task.version,
                "source": self.task.source.describe(),
                "revision": self.task.source.revision,
                "fingerprint": self.fingerprint,
                "family_version": self.family_version,
                **declared,
                **self._size(),
            },
            "method": self.method,
            "seed": self.seed,
            "recipe": self.settings(),
            "protocol": PROTOCOL,
            **(self.search.facts() if self.search else {}),
        }


def rule_facts(task: Task, model: Checkpoint, method: str) -> dict[str, Any]:
    """Return what recipe rules may depend on: the values of `harness.recipe.CONDITIONS`, and the model's width."""
    return {
        "family": task.family, "task": task.name, "model": model.name,
        "architecture": model.architecture, "kind": model.kind, "method": method, "width": model.width,
    }  # fmt: skip


def sized_title(title: str, train_rows: int | None) -> str:
    """Return a task's title, with the number of training rows if not all are used."""
    return f"{title} ({train_rows} train rows)" if train_rows else title


@lru_cache(maxsize=10_000)
def _path_part(name: str) -> str:
    """Replace characters that a folder name should not contain."""
    return re.sub(r"[^\w.@-]+", "_", name)
