"""Amounts as all renderers write them. `harness.report.board_text` has them too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.store import Record

NONE = "–"


def count(number: int | None) -> str:
    """4400000 → 4.4M."""
    if number is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.{1 if number < 100 * size else 0}f}{unit}"
    return str(number)


def sizes(smallest_largest: tuple[int, int] | None) -> str:
    """Parameters of a row, whose cells differ by their heads."""
    if smallest_largest is None:
        return NONE
    low, high = map(count, smallest_largest)
    return low if low == high else f"{low}–{high}"


def duration(seconds: float | None) -> str:
    """In the largest fitting unit: 0.42 s, 42 s, 3.5 min, 2.1 h."""
    if seconds is None:
        return NONE
    if seconds < 120:
        return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(size: float | None) -> str:
    """Bytes in MiB or GiB."""
    if size is None:
        return NONE
    return f"{size / 2**20:.0f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"


Number = int | float
Range = tuple[Number, Number]  # smallest and largest


class Costed:
    """What has costs: an entry one number each, a row one over all its cells, or the smallest and largest. None: not known."""

    costs: Mapping[str, Any]

    @property
    def parameters(self) -> Any:
        """Of the model with its head."""
        return self.costs["parameters"]

    @property
    def trained(self) -> Any:
        """Of the parameters, those that are trained."""
        return self.costs["trained"]

    @property
    def train_seconds(self) -> Any:
        """Mean of a cell's training steps, and the whole search for its recipe, if there was one."""
        return self.costs["train_seconds"]

    @property
    def peak_memory_bytes(self) -> Any:
        """Largest of the cells."""
        return self.costs["peak_memory_bytes"]


@dataclass(frozen=True)
class CostColumn:
    """One measure.

    Attributes:
        name: in JSON and CSV.
        source: where a record has it: a key of its `cost`, or of its `model`.
        more: what is added to that where the record has it: another key of the same part.
        title: of the column in a table over tasks.
        axis: of an axis of the page's charts.
        text: a number of it, for a person.
        ticks: where such an axis may have marks.
        seeds: one number of those of an entry's seeds.
        cells: one number, or smallest and largest, of those of all a row's records.
        cell: a row's for a person; None: as `text` shows it.
        of_task: title in a task's own table; None: the same.
        short: title on a terminal; None: that in a task's table.
        wanted: whether it tells these rows apart.
        zero: whether 0 is a number, and not a sign that nobody has looked.
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
    wanted: Callable[[Sequence[Costed]], bool] = lambda rows: True
    zero: bool = False

    def read(self, records: Iterable[Record]) -> list[Number]:
        """The numbers that records have."""
        part, key = self.source
        parts = [record.get(part) or {} for record in records]
        found = ((own.get(key), own.get(self.more) or 0) for own in parts)
        return [value + more for value, more in found if (value is not None if self.zero else value)]

    def of(self, thing: Costed) -> Number | None:
        """The number of a row or an entry; of a range the upper end."""
        value = thing.costs[self.name]
        return max(value) if isinstance(value, tuple) else value

    def shown(self, row: Costed) -> str:
        """As a table shows a row's or an entry's."""
        value = row.costs[self.name]
        if value is None:
            return NONE
        return self.cell(value) if self.cell and isinstance(value, tuple) else self.text(value)


def _range(values: Iterable[Number]) -> Range:
    known = list(values)
    return min(known), max(known)


def _some_train_less(rows: Sequence[Costed]) -> bool:
    """Whether some rows train less than all of their weights, so that a board has to say how many."""
    return any(row.trained and row.trained != row.parameters for row in rows)


_TENS = tuple(digit * 10.0**power for power in range(13) for digit in (1, 1.5, 2, 3, 5, 7))
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400, 360000, 864000)
_BYTES = tuple(2.0**power for power in range(20, 45))
COSTS = (
    CostColumn("parameters", ("model", "parameters"), "parameters", "parameters", count, _TENS, cells=_range, cell=sizes),
    CostColumn(
        "trained", ("cost", "trainable_parameters"), "trained", "trained parameters", count, _TENS, cells=_range, cell=sizes,
        wanted=_some_train_less,
    ),
    CostColumn(
        "train_seconds", ("cost", "train_seconds"), "training/cell", "training time of a cell", duration, _SECONDS,
        more="search_seconds", seeds=fmean, cells=fmean, of_task="training", zero=True,
    ),
    CostColumn(
        "search_seconds", ("cost", "search_seconds"), "search/cell", "time of the search for a cell's recipe", duration, _SECONDS,
        seeds=fmean, cells=fmean, of_task="search", wanted=lambda rows: any(row.costs["search_seconds"] for row in rows),
    ),
    CostColumn("peak_memory_bytes", ("cost", "peak_memory_bytes"), "peak memory", "peak memory", memory, _BYTES, short="memory"),
)  # fmt: skip


def of_entry(records: Iterable[Record]) -> dict[str, Number | None]:
    """Name → the cost of one place, from its records that ended well."""
    return {cost.name: cost.seeds(found) if (found := cost.read(records)) else None for cost in COSTS}


def of_row(records: Iterable[Record]) -> dict[str, Number | Range | None]:
    """Name → the cost of a row, from all its records that ended well."""
    return {cost.name: cost.cells(found) if (found := cost.read(records)) else None for cost in COSTS}


def of_entries(entries: Iterable[Costed]) -> dict[str, Number | Range | None]:
    """Name → the cost of a row that is made of entries of others."""
    known = {cost: [value for entry in entries if (value := entry.costs[cost.name]) is not None] for cost in COSTS}
    return {cost.name: cost.cells(found) if found else None for cost, found in known.items()}


def costs_of(rows: Sequence[Costed]) -> list[CostColumn]:
    """Those that tell rows apart."""
    return [cost for cost in COSTS if cost.wanted(rows)]
