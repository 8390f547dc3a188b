"""Make the head of a cell."""

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
    """A head and its recipe.

    Attributes:
        recipe: the cell's recipe, with values for the fields that it leaves to the data.
        why: those fields → the reason for each value.
    """

    head: Head
    recipe: Recipe
    why: dict[str, str]

    def facts(self, rate: str, precision: str) -> dict[str, Any]:
        """As `harness.recipe_rules.fitted_fields`."""
        return fitted_fields(self.recipe, self.why, rate, precision)


def make_head(cell: Cell, family: TaskFamily, labels: list[str] | None) -> Head:
    """Make the head of a cell whose recipe leaves nothing to the data."""
    return _head_class(cell, family)(_pretrained(cell), cell.recipe, labels, cell.task.options)


def fitted_head(
    cell: Cell, family: TaskFamily, labels: list[str] | None, splits: Mapping[str, Sequence[Row]]
) -> FittedHead:
    """Make the head of a cell, with the recipe fitted to training and validation rows where it leaves fields to the data.

    Args:
        labels: class names, for heads that classify.
        splits: those of the task; test rows are not used.
    """
    head_class, pretrained = _head_class(cell, family), _pretrained(cell)
    recipe, why = cell.recipe, {}
    if auto_fields(recipe):
        rows = len(splits["train"])
        provisional, _ = fill_auto_fields(recipe, LengthStatistics(rows))
        head = head_class(pretrained, provisional, labels, cell.task.options)
        samples = [_sample(splits[name]) for name in ("train", "validation") if splits.get(name)]
        tokens = [head.needs([family.example(row, cell.task) for row in sample]) for sample in samples]
        statistics = LengthStatistics(rows, tokens, pretrained.max_positions, head.windows)
        recipe, why = fill_auto_fields(recipe, statistics, family.passes)
    return FittedHead(head_class(pretrained, recipe, labels, cell.task.options), recipe, why)


def _sample(rows: Sequence[Row]) -> list[Row]:
    """Up to `SAMPLED_ROWS` rows at equal distances."""
    count = min(SAMPLED_ROWS, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def _pretrained(cell: Cell) -> Pretrained:
    return Pretrained(cell.model, METHODS[cell.method])


def _head_class(cell: Cell, family: TaskFamily) -> type[Head]:
    module, _, name = family.head.partition(":")
    head_class: type[Head] = getattr(importlib.import_module(module), name)
    return head_class.for_architecture(cell.model.architecture)
