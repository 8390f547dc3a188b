"""Every combination of some values, all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import Any

from harness.cell import Cell
from harness.search.trials import Lookup, Tried, trial


class GridSearcher:
    """A grid for one model, task and method.

    Args:
        base: gives all that is not searched.
        fields: field → its values; the first field varies slowest.
    """

    def __init__(self, base: Cell, fields: Mapping[str, tuple[Any, ...]]):
        self.base, self.fields = base, dict(fields)

    @cached_property
    def cells(self) -> list[Cell]:
        """The trials, in the order of the grid."""
        return [
            trial(self.base, dict(zip(self.fields, values, strict=True))) for values in product(*self.fields.values())
        ]

    @property
    def trials(self) -> int:
        """How many there are."""
        return len(self.cells)

    note = ""

    @property
    def rounds(self) -> int:
        """How often trials have to be waited for before the next are known."""
        return 1

    @property
    def specification(self) -> dict[str, Any]:
        """What is searched, as plain values."""
        return {"kind": "grid", "fields": {name: list(values) for name, values in self.fields.items()}}

    def tried(self, lookup: Lookup) -> Tried:
        """How far it has come, by the records that there are."""
        return Tried(self.cells, [lookup(cell.id) for cell in self.cells])
