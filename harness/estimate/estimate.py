"""What is expected of cells, and of a grid of them; for programs and in words."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

RECORDS, SIMILAR, CALIBRATION, USUAL, ROWS = "records", "similar records", "calibration", "usual figures", "rows"
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Estimate:
    """Of one cell.

    Attributes:
        seconds: from the start of its process to its record.
        memory: its peak in bytes, or None.
        source: `records` (of the same cell with other seeds), `similar records` (what follows, set right by what other cells took),
            `calibration` of this machine, `usual figures` of another one, or `rows` (their number, for baselines).
        records: how many were used.
        fitted: the fields that its recipe leaves to the data, and the learning rate: value and reason, as the worker will find them;
            empty where the recipe leaves nothing.
    """

    seconds: float
    memory: float | None
    source: str
    records: int = 0
    fitted: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        memory = None if self.memory is None else round(self.memory)
        told = {"seconds": round(self.seconds, 1), "peak_memory_bytes": memory, "source": self.source}
        return {**told, **({"fitted": dict(self.fitted)} if self.fitted else {})}


@dataclass(frozen=True)
class Grid:
    """Of all cells that are to run.

    Attributes:
        cells: one for each, in their order; None where nothing can be said.
        slots: cells at once.
        start: seconds that the libraries need to load, once.
        records: past records that were used.
    """

    cells: tuple[Estimate | None, ...]
    slots: int
    start: float
    records: int

    @property
    def unknown(self) -> int:
        """Cells of which nothing can be said."""
        return self.cells.count(None)

    @property
    def rough(self) -> bool:
        """Whether some cells are told by the figures of another machine alone."""
        return any(one and one.source == USUAL for one in self.cells)

    @property
    def seconds(self) -> float | None:
        """Until the last cell ends; those of which nothing is known are left out. None where nothing is known of any."""
        known = [one.seconds for one in self.cells if one]
        return self.start + makespan(known, self.slots) if known else None

    @property
    def memory(self) -> float | None:
        """The largest peak of a cell, in bytes."""
        return max((one.memory for one in self.cells if one and one.memory), default=None)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        seconds, memory = self.seconds, self.memory
        return {
            "seconds": None if seconds is None else round(seconds, 1),
            "slots": self.slots,
            "peak_memory_bytes": None if memory is None else round(memory),
            "unknown": self.unknown,
            "records": self.records,
            "rough": self.rough,
        }


def makespan(seconds: Iterable[float], slots: int, running: Iterable[float] = ()) -> float:
    """Seconds until the last cell ends, where the next one in the list always goes to the first slot that is free.

    Args:
        running: what the cells that run now still need; each has a slot.
    """
    free = sorted(running)
    free = [0.0] * (max(1, slots) - len(free)) + free
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


def line(grid: Grid) -> str:
    """Time, what it was told from, and whether it is uncertain."""
    if grid.seconds is None:
        return "time: unknown (neither records nor rows of these tasks are on this machine)"
    sources = {one.source for one in grid.cells if one}
    like = "" if RECORDS in sources else " of like cells"
    told = {
        RECORDS: f"{grid.records} past record{'s' if grid.records != 1 else ''}{like}",
        CALIBRATION: "a calibration of this machine",
        USUAL: "the figures of another machine",
    }
    found = [what for source, what in told.items() if source in sources or (source == RECORDS and SIMILAR in sources)]
    slots = f"{grid.slots} slots" if grid.slots > 1 else "1 slot"
    unknown = f", without {grid.unknown} cells of unknown size" if grid.unknown else ""
    rough = ", rough" if grid.rough else ""
    return f"{about(grid.seconds)} on {slots}{unknown}{rough} (from {' and '.join(found) or 'the number of rows'})"


def memory(grid: Grid) -> str:
    """The largest cell, and how many run at once."""
    if grid.memory is None:
        return "memory: unknown"
    at_once = f", {grid.slots} at once" if grid.slots > 1 else ""
    return f"about {grid.memory / 2**30:.1f} GiB a cell at most{at_once}"


def about(seconds: float) -> str:
    """A time with no more figures than an estimate has."""
    return f"about {duration(seconds)}"


def duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    if seconds < 1.5 * MINUTE:
        return f"{max(1, seconds):.0f} s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"
