"""What is expected of cells, and of a grid of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.estimate.schedule import makespan

RECORDS, SIMILAR, CALIBRATION, ROWS = "records", "similar records", "calibration", "rows"


@dataclass(frozen=True)
class Estimate:
    """Of one cell.

    Attributes:
        seconds: from the start of its process to its record.
        memory: its peak in bytes, or None.
        source: `records` (of the same cell with other seeds), `similar records` (a calibration of this machine, set right by
            what other cells took), `calibration`, or `rows` (their number, for baselines).
        records: how many were used.
    """

    seconds: float
    memory: float | None
    source: str
    records: int = 0

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        memory = None if self.memory is None else round(self.memory)
        return {"seconds": round(self.seconds, 1), "peak_memory_bytes": memory, "source": self.source}


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
        }
