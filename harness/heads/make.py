"""Make the head of a cell."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.by_data import SAMPLE, Needs, facts, fit
from harness.cell import Cell
from harness.family import Row, TaskFamily
from harness.heads.base import Head
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.recipe import Recipe, open_fields


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
        """As `harness.by_data.facts`."""
        return facts(self.recipe, self.why, rate, precision)


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
    if open_fields(recipe):
        rows = len(splits["train"])
        provisional, _ = fit(recipe, Needs(rows))
        head = head_class(pretrained, provisional, labels, cell.task.options)
        samples = [_sample(splits[name]) for name in ("train", "validation") if splits.get(name)]
        tokens = [head.needs([family.example(row, cell.task) for row in sample]) for sample in samples]
        recipe, why = fit(recipe, Needs(rows, tokens, pretrained.max_positions, head.windows), family.passes)
    return FittedHead(head_class(pretrained, recipe, labels, cell.task.options), recipe, why)


def _sample(rows: Sequence[Row]) -> list[Row]:
    """Up to `SAMPLE` rows at equal distances."""
    count = min(SAMPLE, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def _pretrained(cell: Cell) -> Pretrained:
    return Pretrained(cell.model, METHODS[cell.method])


def _head_class(cell: Cell, family: TaskFamily) -> type[Head]:
    module, _, name = family.head.partition(":")
    head_class: type[Head] = getattr(importlib.import_module(module), name)
    return head_class.for_architecture(cell.model.architecture)
