"""What is expected of cells, and of a grid of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDS, SIMILAR, CALIBRATION, USUAL, ROWS = "records", "similar records", "calibration", "usual figures", "rows"
OTHERS = "calibration of other kinds of models"


@dataclass(frozen=True)
class Estimate:
    """Of one cell.

    Attributes:
        seconds: from the start of its process to its record.
        memory: its peak in bytes, or None.
        source: `records` (of the same cell with other seeds), `similar records` (what follows, set right by what other
            cells took), `calibration` of this machine or of it by other kinds of models, `usual figures` of another
            machine, or `rows` (their number, for baselines).
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
        measured: whether the machine was measured for these cells.
        busy: the file to remove for a new measurement, where the machine was busy during this one.
    """

    cells: tuple[Estimate | None, ...]
    slots: int
    start: float
    records: int
    measured: bool = True
    busy: Path | None = None

    @property
    def unknown(self) -> int:
        """Cells of which nothing can be said."""
        return self.cells.count(None)

    @property
    def rough(self) -> bool:
        """Whether the machine was not measured for some cells, nor told by records."""
        return any(one and one.source in (USUAL, OTHERS) for one in self.cells)

    @property
    def seconds(self) -> float | None:
        """Until the last cell ends; those of which nothing is known are left out. None where nothing is known of
        any."""
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
            "busy": self.busy is not None,
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
