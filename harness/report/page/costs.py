"""The measures of cost that the page has columns and axes for. A new one is one entry of `COSTS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.entries import Entry
from harness.report.rows import Row, train_parts
from harness.report.text import count, duration, memory, sizes


@dataclass(frozen=True)
class Cost:
    """One measure.

    Attributes:
        name: an attribute of rows and of entries.
        title: of its column.
        axis: of its axis.
        text: a number of it, for a person.
        ticks: where its axis may have marks.
        cell: how its column shows a row's; None: as `text` shows it.
    """

    name: str
    title: str
    axis: str
    text: Callable[[Any], str]
    ticks: Sequence[float]
    cell: Callable[[Any], str] | None = None

    def of(self, thing: Row | Entry) -> float | None:
        """The number of a row or an entry; of a range the upper end."""
        value = getattr(thing, self.name)
        return max(value) if isinstance(value, tuple) else value

    def shown(self, row: Row) -> str:
        """As the table shows a row's."""
        return (self.cell or self.text)(getattr(row, self.name))


_TENS = tuple(digit * 10.0**power for power in range(13) for digit in (1, 1.5, 2, 3, 5, 7))
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400, 360000, 864000)
_BYTES = tuple(2.0**power for power in range(20, 45))

COSTS = (
    Cost("parameters", "parameters", "parameters", count, _TENS, sizes),
    Cost("trained", "trained", "trained parameters", count, _TENS, sizes),
    Cost("train_seconds", "training/cell", "training time of a cell", duration, _SECONDS),
    Cost("peak_memory_bytes", "peak memory", "peak memory", memory, _BYTES),
)


def costs_of(rows: Sequence[Row]) -> list[Cost]:
    """Those that tell rows apart: parameters that are trained only where some rows train a part."""
    return [cost for cost in COSTS if cost.name != "trained" or train_parts(rows)]
