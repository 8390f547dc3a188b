"""Estimate how long the rest of a running grid takes, from the estimates of its cells and from what has run so far."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.cell import Cell
from harness.estimate.grid_estimate import makespan

TRAINED = 0.9  # the usual share of a cell's time until its last step; the rest is the test
LEAST = 0.05  # the share of a cell's time that it still needs, at least, until it has ended


@dataclass
class _RunningCell:
    """A running cell.

    Attributes:
        since: when it started.
        done: the share of its work that is done; 0 as long as it is unknown.
        resumed: whether a part of it was done before this run.
    """

    since: float
    done: float = 0.0
    resumed: bool = False


class TimeLeft:
    """Estimates the time left of a running grid.

    Finished cells correct the estimates of the others. The estimates themselves count as much as half a cell: after one
    cell that took four times as long as expected, the others are expected to take three times as long. A running cell
    is also judged by its own pace, and more so the more of it is done. Baselines only correct baselines. `seconds` may
    be called from another thread than the other methods.

    Args:
        cells: the pending cells, in their order.
        expected: cell id → seconds, None if unknown.
        clock: returns the current time in seconds; None: the system's monotonic clock.

    Attributes:
        slots: the number of cells at the same time; set once the engine exists.
    """

    def __init__(
        self, cells: Sequence[Cell], expected: Mapping[str, float | None], clock: Callable[[], float] | None = None
    ):
        self.clock, self.slots = clock or time.monotonic, 1
        self.waiting = {cell.id: cell for cell in cells}
        self.cells = dict(self.waiting)
        self.expected = {cell.id: expected.get(cell.id) for cell in cells}
        self.running: dict[str, _RunningCell] = {}
        self.ended: list[tuple[str, float]] = []  # cell id, seconds that it took

    def started(self, cell_id: str) -> None:
        """A worker has started the cell."""
        self.waiting.pop(cell_id, None)
        self.running[cell_id] = _RunningCell(self.clock())

    def step(self, cell_id: str, done: int, total: int) -> None:
        """The cell has done so many of its training steps."""
        self._set_done(cell_id, TRAINED * done / max(1, total))

    def tested(self, cell_id: str, done: int, total: int) -> None:
        """The cell has done so much of its test."""
        self._set_done(cell_id, TRAINED + (1 - TRAINED) * done / max(1, total))

    def _set_done(self, cell_id: str, share: float) -> None:
        self.running[cell_id].done = max(self.running[cell_id].done, share)

    def resumed(self, cell_id: str) -> None:
        """The cell continues where an earlier run has stopped."""
        self.running[cell_id].resumed = True

    def requeued(self, cell_id: str) -> None:
        """The cell waits for another worker."""
        self.running.pop(cell_id)
        self.waiting[cell_id] = self.cells[cell_id]

    def finished(self, cell_id: str, ok: bool) -> None:
        """The cell has ended. A failed or resumed cell does not correct the estimates."""
        cell = self.running.pop(cell_id)
        if ok and not cell.resumed:
            self.ended.append((cell_id, self.clock() - cell.since))

    def seconds(self) -> float | None:
        """Return the seconds until the last cell ends; None if nothing is known about some of the cells."""
        now = self.clock()
        factors = {baseline: self._factor(baseline, now) for baseline in (False, True)}

        def total(cell_id: str) -> float | None:
            baseline, expected = self.cells[cell_id].is_baseline, self.expected[cell_id]
            factor = factors[baseline]
            return self._unknown_total(baseline, factor) if expected is None else expected * factor

        # Lists are copies, because another thread may change the originals.
        waiting = [total(cell_id) for cell_id in list(self.waiting)]
        running = [self._rest(cell, total(cell_id), now - cell.since) for cell_id, cell in list(self.running.items())]
        if None in waiting or None in running:
            return None
        return makespan(waiting, max(self.slots, len(running)), running)

    def _rest(self, cell: _RunningCell, total: float | None, elapsed: float) -> float | None:
        """Return the seconds that a running cell still needs if it is expected to take `total` seconds."""
        if not cell.done:
            return None if total is None else max(total - elapsed, LEAST * total)
        if cell.resumed:  # its pace is unknown
            return None if total is None else total * (1 - cell.done)
        by_pace = elapsed / cell.done
        return (1 - cell.done) * (by_pace if total is None else cell.done * by_pace + (1 - cell.done) * total)

    def _factor(self, baseline: bool, now: float) -> float:
        """Return the factor between the time that cells take and their estimates."""
        known = {
            cell_id: expected
            for cell_id, expected in self.expected.items()
            if expected and self.cells[cell_id].is_baseline == baseline
        }
        if not known:
            return 1.0
        took = expected = statistics.fmean(known.values()) / 2
        for cell_id, seconds in list(self.ended):
            if cell_id in known:
                took, expected = took + seconds, expected + known[cell_id]
        for cell_id, cell in list(self.running.items()):
            if cell.done and not cell.resumed and cell_id in known:
                took, expected = took + now - cell.since, expected + cell.done * known[cell_id]
        return took / expected

    def _unknown_total(self, baseline: bool, factor: float) -> float | None:
        """Return the seconds of a cell without an estimate: the mean of other such cells that have ended, else of all."""
        same_kind = {cell_id for cell_id, cell in self.cells.items() if cell.is_baseline == baseline}
        unestimated = {cell_id for cell_id in same_kind if self.expected[cell_id] is None}
        unknown = [seconds for cell_id, seconds in list(self.ended) if cell_id in unestimated]
        known = [seconds * factor for cell_id, seconds in self.expected.items() if seconds and cell_id in same_kind]
        return statistics.fmean(unknown or known) if unknown or known else None
