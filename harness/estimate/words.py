"""An estimate in words."""

from __future__ import annotations

from harness.estimate.estimate import CALIBRATION, OTHERS, RECORDS, SIMILAR, USUAL, Grid

MINUTE, HOUR, DAY = 60, 3600, 86400


def line(grid: Grid) -> str:
    """Time, what it was told from, and whether it is uncertain."""
    if grid.seconds is None:
        return "time: unknown (neither records nor rows of these tasks are on this machine)"
    slots = f"{grid.slots} slots" if grid.slots > 1 else "1 slot"
    unknown = f", without {grid.unknown} cells of unknown size" if grid.unknown else ""
    rough = ", rough" if grid.rough else ""
    return f"{about(grid.seconds)} on {slots}{unknown}{rough} ({_told_from(grid)})"


def doubt(grid: Grid) -> str:
    """Why a calibration is uncertain and what to do, or nothing."""
    if grid.busy is None:
        return ""
    return (
        "this machine was measured while other programs had its processor, so times are uncertain;"
        f" to measure it again, remove {grid.busy}"
    )


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
    sources = {one.source for one in grid.cells if one}
    found = []
    if sources & {RECORDS, SIMILAR}:
        like = " of like cells" if RECORDS not in sources else ""
        found.append(f"{grid.records} past record{'s' if grid.records != 1 else ''}{like}")
    if sources & {CALIBRATION, SIMILAR} and grid.measured:
        found.append("a calibration of this machine")
    if OTHERS in sources:
        found.append("a calibration by other kinds of models")
    if USUAL in sources or (SIMILAR in sources and not grid.measured):
        found.append("the figures of another machine")
    if not found:
        return "from the number of rows"
    return f"from {' and '.join(found)}"
