"""The costs of models: the columns of all formats, and amounts as text. To add a column, add an entry to `COSTS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.store import Record

NONE = "–"
Number = int | float
NumberRange = tuple[Number, Number]  # smallest and largest
_TENS = tuple(digit * 10.0**power for power in range(13) for digit in (1, 1.5, 2, 3, 5, 7))
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400, 360000, 864000)
_BYTES = tuple(2.0**power for power in range(20, 45))


def count(number: int | None) -> str:
    """A number with a unit: 4400000 → 4.4M."""
    if number is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.{1 if number < 100 * size else 0}f}{unit}"
    return str(number)


def sizes(smallest_largest: tuple[int, int] | None) -> str:
    """The smallest and largest number of parameters of a row. The cells of a model differ by their heads."""
    if smallest_largest is None:
        return NONE
    low, high = map(count, smallest_largest)
    return low if low == high else f"{low}–{high}"


def duration(seconds: float | None) -> str:
    """A duration in the largest fitting unit: 0.42 s, 42 s, 3.5 min, 2.1 h."""
    if seconds is None:
        return NONE
    if seconds < 120:
        return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(size: float | None) -> str:
    """A number of bytes in MiB or GiB."""
    if size is None:
        return NONE
    return f"{size / 2**20:.0f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"


class Costed:
    """An object with costs: one number each, or the smallest and largest over the cells of a row. None: unknown."""

    costs: Mapping[str, Any]

    @property
    def parameters(self) -> Any:
        """Number of parameters, including the head."""
        return self.costs["parameters"]

    @property
    def trained(self) -> Any:
        """Number of trained parameters."""
        return self.costs["trained"]

    @property
    def train_seconds(self) -> Any:
        """Mean training time of a cell, including the search for its recipe, if any."""
        return self.costs["train_seconds"]

    @property
    def peak_memory_bytes(self) -> Any:
        """Largest peak memory of the cells."""
        return self.costs["peak_memory_bytes"]


@dataclass(frozen=True)
class CostColumn:
    """A column of cost.

    Attributes:
        name: name in JSON and CSV.
        source: its place in a record: `cost` or `model`, and a key.
        title: heading in a table over tasks.
        axis: title of an axis in the charts of the page.
        text: formats a number.
        ticks: possible tick marks of an axis.
        more: another key of the same part, which is added if the record has it.
        seeds: combines the numbers of an entry's seeds.
        cells: combines the numbers of all records of a row, into one number or the smallest and largest.
        cell: formats smallest and largest.
        of_task: heading in the table of a task; None: `title`.
        short: heading on a terminal; None: that in the table of a task.
        is_shown: whether to show the column for these rows.
        zero: whether 0 is a measurement; else it means that there is none.
    """

    name: str
    source: tuple[str, str]
    title: str
    axis: str
    text: Callable[[Any], str]
    ticks: Sequence[float]
    more: str | None = None
    seeds: Callable[[Iterable[Number]], Number] = max
    cells: Callable[[Iterable[Number]], Any] = max
    cell: Callable[[Any], str] | None = None
    of_task: str | None = None
    short: str | None = None
    is_shown: Callable[[Sequence[Costed]], bool] = lambda rows: True
    zero: bool = False

    def read(self, records: Iterable[Record]) -> list[Number]:
        """The numbers in the records."""
        part, key = self.source
        parts = [record.get(part) or {} for record in records]
        pairs = ((part.get(key), part.get(self.more) or 0) for part in parts)
        return [value + more for value, more in pairs if (value is not None if self.zero else value)]

    def number(self, thing: Costed) -> Number | None:
        """The number of a row or an entry; the upper end of a range."""
        value = thing.costs[self.name]
        return max(value) if isinstance(value, tuple) else value

    def cell_text(self, row: Costed) -> str:
        """The text of a row or an entry in a table; en dash if unknown."""
        value = row.costs[self.name]
        if value is None:
            return NONE
        return self.cell(value) if self.cell and isinstance(value, tuple) else self.text(value)


def _range(values: Iterable[Number]) -> NumberRange:
    known = list(values)
    return min(known), max(known)


def _some_train_less(rows: Sequence[Costed]) -> bool:
    return any(row.trained and row.trained != row.parameters for row in rows)


COSTS = (
    CostColumn("parameters", ("model", "parameters"), "parameters", "parameters", count, _TENS, cells=_range, cell=sizes),
    CostColumn(
        "trained", ("cost", "trainable_parameters"), "trained", "trained parameters", count, _TENS, cells=_range, cell=sizes,
        is_shown=_some_train_less,
    ),
    CostColumn(
        "train_seconds", ("cost", "train_seconds"), "training/cell", "training time of a cell", duration, _SECONDS,
        more="search_seconds", seeds=fmean, cells=fmean, of_task="training", zero=True,
    ),
    CostColumn(
        "search_seconds", ("cost", "search_seconds"), "search/cell", "time of the search for a cell's recipe", duration, _SECONDS,
        seeds=fmean, cells=fmean, of_task="search", is_shown=lambda rows: any(row.costs["search_seconds"] for row in rows),
    ),
    CostColumn("peak_memory_bytes", ("cost", "peak_memory_bytes"), "peak memory", "peak memory", memory, _BYTES, short="memory"),
)  # fmt: skip


def entry_costs(records: Iterable[Record]) -> dict[str, Number | None]:
    """Name → cost of an entry, from its successful records."""
    return {cost.name: cost.seeds(values) if (values := cost.read(records)) else None for cost in COSTS}


def row_costs(records: Iterable[Record]) -> dict[str, Number | NumberRange | None]:
    """Name → cost of a row, from all its successful records."""
    return {cost.name: cost.cells(values) if (values := cost.read(records)) else None for cost in COSTS}


def combined_costs(entries: Iterable[Costed]) -> dict[str, Number | NumberRange | None]:
    """Name → cost of a row that consists of entries of other rows."""
    known = {cost: [value for entry in entries if (value := entry.costs[cost.name]) is not None] for cost in COSTS}
    return {cost.name: cost.cells(values) if values else None for cost, values in known.items()}


def shown_costs(rows: Sequence[Costed]) -> list[CostColumn]:
    """The columns to show for these rows."""
    return [cost for cost in COSTS if cost.is_shown(rows)]
