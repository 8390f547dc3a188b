"""From a cell to its head."""

from __future__ import annotations

import importlib

from harness.cell import Cell
from harness.family import TaskFamily
from harness.heads.base import Head
from harness.methods import METHODS
from harness.models.load import Pretrained


def make_head(cell: Cell, family: TaskFamily, labels: list[str] | None) -> Head:
    """The family's head for the cell's architecture."""
    module, _, name = family.head.partition(":")
    kind: type[Head] = getattr(importlib.import_module(module), name)
    pretrained = Pretrained(cell.model, METHODS[cell.method])
    return kind.for_architecture(cell.model.architecture)(pretrained, cell.recipe, labels, cell.task.options)
