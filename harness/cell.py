"""A cell."""

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

# What a cell has to do with a search over recipes: it is a trial of one, or its recipe is what one has found.


# Of all trials, and of what draws their recipes. Seeds of reports lie below, so that no trial is ever reported.
SEARCH_SEED = 1_000_000_000
SEARCH = "search"  # the purpose that a trial's record names


@dataclass(frozen=True)
class Trial:
    """A cell that is trained and validated with a candidate recipe, and never tested.

    Attributes:
        thresholds: one for each validation; the training ends where its best validation so far is below. None: it goes on.
        budget: the share of its recipe's steps that it is trained for; the schedule ends with them. Below 1 it cannot win.
        changes: the recipe fields that its search has set; part of the recipe, so not of the identity.
    """

    thresholds: tuple[float | None, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    budget: float = 1.0

    def identity(self) -> dict[str, Any]:
        """The part of the identity of its cell."""
        return {"purpose": SEARCH, "thresholds": list(self.thresholds), **self._share()}

    def facts(self) -> dict[str, Any]:
        """The part of the record that is known before it runs."""
        return {"purpose": SEARCH, "trial": {"thresholds": list(self.thresholds), **self._share()}}

    def _share(self) -> dict[str, float]:
        return {"budget": self.budget} if self.budget < 1 else {}


@dataclass(frozen=True)
class SearchedRecipe:
    """A cell whose recipe a search has found, or is to find.

    Attributes:
        specification: what was searched, and how; plain values.
        arguments: of `--search`, which ask for it.
        outcome: what the search came to, for the record (see `harness.search.trials`); None: it has not ended. Without a
            winner the cell's recipe is the one that the search begins with.
    """

    specification: Mapping[str, Any]
    arguments: tuple[str, ...] = ()
    outcome: Mapping[str, Any] | None = None

    @property
    def found(self) -> bool:
        """Whether the cell has a winner's recipe."""
        return self.outcome is not None and self.outcome["winner"] is not None

    def identity(self) -> dict[str, Any]:
        """The part of the identity of its cell, beside its recipe; trials are chosen by the seed of searches alone."""
        return {"specification": self.specification, "found": self.found}

    def facts(self) -> dict[str, Any]:
        """The part of the record that is known before it runs."""
        known = {"specification": self.specification, "arguments": list(self.arguments)}
        return {"search": {**known, **(self.outcome or {})}}

    @property
    def seconds(self) -> float:
        """That all trials took together."""
        return float(self.outcome["seconds"]) if self.outcome else 0.0


def is_trial(record: Mapping[str, Any]) -> bool:
    """Whether a record is of a trial, which has no score."""
    return record.get("purpose") == SEARCH


# A cell: one model × task × method × seed × recipe, the unit of work, of caching and of failure.


LONGEST, SHORTENED = 240, 30  # bytes of an id, and characters of a name in one that would be longer
PROTOCOL = 9  # raised whenever this code would give the same cell another score


@dataclass(frozen=True)
class Cell:
    """Everything that a worker needs to know, and everything that decides its score.

    Attributes:
        fingerprint: of the task's data, as `Source.fingerprint` gives it.
        family_version: of the adapter.
        suite: the suite it was asked for in; not part of the identity.
        suite_facts: what a record has to say of the suite beside its name, so that the cell can be asked for again; not part
            of the identity either.
        train_rows: so many of the task's training rows, see `harness.train_rows`; None: all.
        search: what it has to do with a search over recipes, if anything.
        typed: what the person typed for it, so that a command can be made of its record: `model` and `task` (references), `columns`,
            `settings`, `limit`; not part of the identity either.
        why: why its learning rate is what it is; not part of the identity.
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
        """Whether it is trained to choose a recipe, and is never tested."""
        return isinstance(self.search, Trial)

    @property
    def budget(self) -> float:
        """The share of its recipe's steps that it is trained for: all, but for some trials."""
        return self.search.budget if isinstance(self.search, Trial) else 1.0

    @property
    def resolved(self) -> bool:
        """False where model or data cannot be had, so that nobody knows what the cell would be."""
        return bool(self.model.digest and self.fingerprint)

    @property
    def unresolved_id(self) -> str:
        """The id that this cell has, or had, while its model or data cannot be had."""
        return self._named("unresolved")

    @cached_property
    def id(self) -> str:
        """A readable prefix and a hash of all that could change the score."""
        if not self.resolved:
            return self.unresolved_id
        recipe = {key: value for key, value in self.settings().items() if key not in MECHANICS}
        identity = {
            "protocol": PROTOCOL,
            "model": self.model.identity(),
            "task": {**self.task.identity(), "fingerprint": self.fingerprint, "family_version": self.family_version},
            "method": self.method,
            "seed": self.seed,
            "recipe": recipe,
            **self._part(),
            **({"by_data": AUTO_VERSION} if not self.is_baseline and auto_fields(self.recipe) else {}),
            **({"search": self.search.identity()} if self.search else {}),
        }
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
        return self._named(digest[:12])

    def settings(self) -> dict[str, Any]:
        """The recipe's fields that its method has; a baseline has none."""
        if self.is_baseline:
            return {}
        foreign = inapplicable_fields(self.method)
        # Plain values: `asdict` would copy each of them, thoroughly and slowly.
        return {key: value for key, value in vars(self.recipe).items() if key not in foreign}

    @property
    def title(self) -> str:
        """The task's, with the number of training rows where these are not all."""
        return sized_title(self.task.title, self.train_rows)

    def _part(self) -> dict[str, int]:
        return {"train_rows": self.train_rows} if self.train_rows else {}

    def _named(self, ending: str) -> str:
        size = (f"{self.train_rows}rows",) if self.train_rows else ()
        kind = ("search",) if self.is_trial else ()
        title, name = _plain(self.task.title), _plain(self.model.name)
        title = re.sub(r"^[.-]", "_", title)  # no hidden folder, and no option where `cells/*` is typed
        rest = "--".join(["", self.method, *size, *kind, f"s{self.seed}", ending])
        if len(os.fsencode(f"{title}--{name}{rest}")) > LONGEST:  # else no folder could be called so; the hash tells it apart
            title, name = title[:SHORTENED], name[:SHORTENED]
        return f"{title}--{name}{rest}"

    def facts(self) -> dict[str, Any]:
        """The part of the record that is known before anything runs."""
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
                **{
                    key: value
                    for key, value in self.task.identity().items()
                    if key in ("columns", "labels", "drop_labels", "options", "limit")
                },
                **self._part(),
            },
            "method": self.method,
            "seed": self.seed,
            "recipe": self.settings(),
            "protocol": PROTOCOL,
            **(self.search.facts() if self.search else {}),
        }


def rule_facts(task: Task, model: Checkpoint, method: str) -> dict[str, Any]:
    """What rules may ask of a cell, `harness.recipe.CONDITIONS`, and the model's width."""
    return {
        "family": task.family, "task": task.name, "model": model.name,
        "architecture": model.architecture, "kind": model.kind, "method": method, "width": model.width,
    }  # fmt: skip


def sized_title(title: str, train_rows: int | None) -> str:
    """A task's title, with the number of training rows where these are not all."""
    return f"{title} ({train_rows} train rows)" if train_rows else title


@lru_cache(maxsize=10_000)
def _plain(part: str) -> str:
    """A part of an id, as a folder may be called."""
    return re.sub(r"[^\w.@-]+", "_", part)
