"""How long the rest of a running grid will take: the estimates of its cells, set right by what has run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.cell import Cell
from harness.estimate.estimate import makespan

TRAINED = 0.9  # of a cell's time until its last step, as a rule; the rest is the test
LEAST = 0.05  # of a cell's time, that it still needs as long as it has not ended


@dataclass
class _Running:
    """A cell that runs.

    Attributes:
        since: when it began.
        share: of its work, that is done; 0 while nothing tells.
        whole: False where a part of it was done before this run.
    """

    since: float
    share: float = 0.0
    whole: bool = True


class Left:
    """The time that is left.

    Cells that have run set the expectation right, which itself counts as much as half a cell: after one cell that took
    four times as long as expected, the others are expected to take three times as long. A cell that runs is judged by
    its own pace too, the more so the more of it is done. Baselines tell of baselines only. `seconds` may be asked by
    another thread than the one that tells.

    Args:
        cells: those that are to run, in their order.
        expected: cell's id → seconds, None where nothing is known.
        now: a clock's seconds; None: the system's.

    Attributes:
        slots: cells at once; to be set when the engine is there.
    """

    def __init__(
        self, cells: Sequence[Cell], expected: Mapping[str, float | None], now: Callable[[], float] | None = None
    ):
        self.now, self.slots = now or time.monotonic, 1
        self.waiting = {cell.id: cell for cell in cells}
        self.cells = dict(self.waiting)
        self.expected = {cell.id: expected.get(cell.id) for cell in cells}
        self.running: dict[str, _Running] = {}
        self.ended: list[tuple[str, float]] = []

    def started(self, cell: str) -> None:
        """A worker has the cell."""
        self.waiting.pop(cell, None)
        self.running[cell] = _Running(self.now())

    def step(self, cell: str, done: int, total: int) -> None:
        """So many steps of the training are done."""
        self.running[cell].share = max(self.running[cell].share, TRAINED * done / max(1, total))

    def tested(self, cell: str, done: int, total: int) -> None:
        """So much of the test is done."""
        self.running[cell].share = max(self.running[cell].share, TRAINED + (1 - TRAINED) * done / max(1, total))

    def resumed(self, cell: str) -> None:
        """The cell goes on where an earlier run has left it."""
        self.running[cell].whole = False

    def again(self, cell: str) -> None:
        """The cell waits for another worker."""
        self.running.pop(cell)
        self.waiting[cell] = self.cells[cell]

    def finished(self, cell: str, well: bool) -> None:
        """The cell has ended; one that did not end well tells nothing."""
        one = self.running.pop(cell)
        if well and one.whole:
            self.ended.append((cell, self.now() - one.since))

    def seconds(self) -> float | None:
        """Until the last cell ends; None where nothing tells of some of them."""
        now = self.now()
        factors = {baseline: self._factor(baseline, now) for baseline in (False, True)}

        def whole(cell: str) -> float | None:
            baseline, said = self.cells[cell].is_baseline, self.expected[cell]
            return self._like(baseline, factors[baseline]) if said is None else said * factors[baseline]

        waiting = [whole(cell) for cell in list(self.waiting)]
        running = [self._rest(one, whole(cell), now - one.since) for cell, one in list(self.running.items())]
        if None in waiting or None in running:
            return None
        return makespan(waiting, max(self.slots, len(running)), running)

    def _rest(self, one: _Running, whole: float | None, past: float) -> float | None:
        """What a cell that runs still needs, if it is expected to take `whole` seconds in all."""
        if not one.share:
            return None if whole is None else max(whole - past, LEAST * whole)
        if not one.whole:  # its pace is not known
            return None if whole is None else whole * (1 - one.share)
        pace = past / one.share
        return (1 - one.share) * (pace if whole is None else one.share * pace + (1 - one.share) * whole)

    def _factor(self, baseline: bool, now: float) -> float:
        """By how much cells take longer than expected."""
        known = [said for cell, said in self.expected.items() if said and self.cells[cell].is_baseline == baseline]
        if not known:
            return 1.0
        took = said = statistics.fmean(known) / 2
        for cell, seconds in list(self.ended):
            if self.expected[cell] and self.cells[cell].is_baseline == baseline:
                took, said = took + seconds, said + self.expected[cell]
        for cell, one in list(self.running.items()):
            if one.share and one.whole and self.expected[cell] and self.cells[cell].is_baseline == baseline:
                took, said = took + now - one.since, said + one.share * self.expected[cell]
        return took / said

    def _like(self, baseline: bool, factor: float) -> float | None:
        """What a cell takes of which nothing is known: as much as others of which nothing was known, else as the
        others."""
        alike = {cell for cell, one in self.cells.items() if one.is_baseline == baseline}
        unknown = [seconds for cell, seconds in list(self.ended) if cell in alike and self.expected[cell] is None]
        known = [said * factor for cell, said in self.expected.items() if said and cell in alike]
        return statistics.fmean(unknown or known) if unknown or known else None
