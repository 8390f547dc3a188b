"""What a cell has to do with a search over recipes: it is a trial of one, or its recipe is what one has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
class Searched:
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
