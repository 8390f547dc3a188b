"""The estimate of a cell and of a grid of cells, as JSON and in words."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# What an estimate is based on. Most reliable first; ROWS is for baselines.
RECORDS, SIMILAR, CALIBRATION, USUAL, ROWS = "records", "similar records", "calibration", "usual figures", "rows"
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class CellEstimate:
    """The estimate of one cell.

    Attributes:
        seconds: from the start of its process to its record.
        memory: the peak in bytes, or None.
        source: `records` (of the same cell with other seeds), `similar records` (the formula, corrected by what other
            cells took), `calibration` (the formula with the measured speed of this machine), `usual figures` (the
            formula with the speed of another machine), or `rows` (the number of rows, for baselines).
        records: how many records were used.
        fitted: value and reason of the learning rate and of each field that the recipe leaves to the data, as the
            worker will compute them; empty if the recipe leaves none.
    """

    seconds: float
    memory: float | None
    source: str
    records: int = 0
    fitted: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def facts(self) -> dict[str, Any]:
        """Return the estimate for JSON."""
        memory = None if self.memory is None else round(self.memory)
        facts = {"seconds": round(self.seconds, 1), "peak_memory_bytes": memory, "source": self.source}
        return {**facts, **({"fitted": dict(self.fitted)} if self.fitted else {})}


@dataclass(frozen=True)
class GridEstimate:
    """The estimate of all pending cells.

    Attributes:
        cells: one estimate for each cell, in their order; None if nothing is known.
        slots: the number of cells at the same time.
        start: seconds to load the libraries, once.
        records: how many past records were used.
    """

    cells: tuple[CellEstimate | None, ...]
    slots: int
    start: float
    records: int

    @property
    def unknown(self) -> int:
        """The number of cells without an estimate."""
        return self.cells.count(None)

    @property
    def rough(self) -> bool:
        """Whether some estimates use the speed of another machine."""
        return any(cell and cell.source == USUAL for cell in self.cells)

    @property
    def seconds(self) -> float | None:
        """Seconds until the last cell ends, without unknown cells; None if all are unknown."""
        known = [cell.seconds for cell in self.cells if cell]
        return self.start + makespan(known, self.slots) if known else None

    @property
    def memory(self) -> float | None:
        """The largest peak of a cell, in bytes."""
        return max((cell.memory for cell in self.cells if cell and cell.memory), default=None)

    def facts(self) -> dict[str, Any]:
        """Return the estimate for JSON."""
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
    """Return the seconds until the last cell ends, if the next cell always goes to the first free slot.

    Args:
        running: the seconds that each running cell still needs; each has a slot.
    """
    free_at = sorted(running)
    free_at = [0.0] * (max(1, slots) - len(free_at)) + free_at
    for duration in seconds:
        heapq.heapreplace(free_at, free_at[0] + duration)
    return max(free_at)


def describe_time(grid: GridEstimate) -> str:
    """Describe the time, what it is based on, and whether it is uncertain."""
    if grid.seconds is None:
        return "time: unknown (neither records nor rows of these tasks are on this machine)"
    sources = {cell.source for cell in grid.cells if cell}
    bases = []
    if RECORDS in sources or SIMILAR in sources:
        similar = "" if RECORDS in sources else " of like cells"
        bases.append(f"{grid.records} past record{'s' if grid.records != 1 else ''}{similar}")
    if CALIBRATION in sources:
        bases.append("a calibration of this machine")
    if USUAL in sources:
        bases.append("the figures of another machine")
    slots = f"{grid.slots} slots" if grid.slots > 1 else "1 slot"
    unknown = f", without {grid.unknown} cells of unknown size" if grid.unknown else ""
    rough = ", rough" if grid.rough else ""
    time = describe_seconds(grid.seconds)
    return f"about {time} on {slots}{unknown}{rough} (from {' and '.join(bases) or 'the number of rows'})"


def describe_memory(grid: GridEstimate) -> str:
    """Describe the memory of the largest cell, and how many cells run at the same time."""
    if grid.memory is None:
        return "memory: unknown"
    at_once = f", {grid.slots} at once" if grid.slots > 1 else ""
    return f"about {grid.memory / 2**30:.1f} GiB a cell at most{at_once}"


def describe_seconds(seconds: float) -> str:
    """Format a time in a readable unit, with no more digits than an estimate has."""
    if seconds < 1.5 * MINUTE:
        return f"{max(1, seconds):.0f} s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"
