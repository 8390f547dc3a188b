"""An estimate in words."""

from __future__ import annotations

from harness.estimate.grid import CALIBRATION, RECORDS, ROWS, SIMILAR, Grid

MINUTE, HOUR, DAY = 60, 3600, 86400


def line(grid: Grid) -> str:
    """Time, and what it was told from."""
    if grid.seconds is None:
        return "time: unknown (neither records nor rows of these tasks are on this machine)"
    slots = f"{grid.slots} slots" if grid.slots > 1 else "1 slot"
    unknown = f", without {grid.unknown} cells of unknown size" if grid.unknown else ""
    return f"{about(grid.seconds)} on {slots}{unknown} ({_told_from(grid)})"


def memory(grid: Grid) -> str:
    """The largest cell, and how many run at once."""
    if grid.memory is None:
        return "memory: unknown"
    at_once = f", {grid.slots} at once" if grid.slots > 1 else ""
    return f"about {size(grid.memory)} a cell at most{at_once}"


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


def size(amount: float) -> str:
    """Bytes for people."""
    return f"{amount / 2**30:.1f} GiB"


def _told_from(grid: Grid) -> str:
    sources = {one.source for one in grid.cells if one} - {ROWS}
    records = f"{grid.records} past record" + ("s" if grid.records != 1 else "")
    if not sources:
        return "from the number of rows"
    if sources == {RECORDS}:
        return f"from {records}"
    calibration = "a calibration of this machine"
    if CALIBRATION in sources:
        return (
            f"from {records} and {calibration}" if RECORDS in sources or SIMILAR in sources else f"from {calibration}"
        )
    return f"from {records} of like cells and {calibration}"
