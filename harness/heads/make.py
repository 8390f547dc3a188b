"""From a cell to its head."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.family import Row, TaskFamily
from harness.heads.base import Head
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.recipe import Recipe, auto_fields
from harness.recipe_rules import SAMPLED_ROWS, LengthStatistics, fill_auto_fields, fitted_fields


@dataclass(frozen=True)
class FittedHead:
    """A head, and the recipe that it goes by.

    Attributes:
        recipe: the cell's, with a value in each field that it leaves to the data.
        why: those fields, and the reason of each value.
    """

    head: Head
    recipe: Recipe
    why: dict[str, str]

    def facts(self, rate: str, precision: str) -> dict[str, Any]:
        """As `harness.recipe_rules.fitted_fields`."""
        return fitted_fields(self.recipe, self.why, rate, precision)


def make_head(cell: Cell, family: TaskFamily, labels: list[str] | None) -> Head:
    """The family's head for the cell's architecture, by the cell's recipe, which must leave nothing to the data."""
    return _kind(cell, family)(Pretrained(cell.model, METHODS[cell.method]), cell.recipe, labels, cell.task.options)


def fitted_head(
    cell: Cell, family: TaskFamily, labels: list[str] | None, splits: Mapping[str, Sequence[Row]]
) -> FittedHead:
    """The same, with the recipe fitted to training and validation rows where it leaves fields to the data.

    Args:
        labels: the names of the classes, for heads that have them.
        splits: those of the task; test is not looked at.
    """
    kind, pretrained = _kind(cell, family), Pretrained(cell.model, METHODS[cell.method])
    recipe, why = cell.recipe, {}
    if auto_fields(recipe):
        rows = len(splits["train"])
        bare, _ = fill_auto_fields(recipe, LengthStatistics(rows))
        head = kind(pretrained, bare, labels, cell.task.options)
        samples = [_spread(splits[name]) for name in ("train", "validation") if splits.get(name)]
        tokens = [head.needs([family.example(row, cell.task) for row in sample]) for sample in samples]
        recipe, why = fill_auto_fields(recipe, LengthStatistics(rows, tokens, pretrained.max_positions, head.windows), family.passes)
    return FittedHead(kind(pretrained, recipe, labels, cell.task.options), recipe, why)


def _spread(rows: Sequence[Row]) -> list[Row]:
    count = min(SAMPLED_ROWS, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def _kind(cell: Cell, family: TaskFamily) -> type[Head]:
    module, _, name = family.head.partition(":")
    kind: type[Head] = getattr(importlib.import_module(module), name)
    return kind.for_architecture(cell.model.architecture)
