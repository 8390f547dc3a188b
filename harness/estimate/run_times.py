"""Estimates on the command line: what a plan says, and what a run expects of its cells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.estimate.estimate import Grid
    from harness.store import Store

LOG = logging.getLogger(__name__)


def estimated(
    cells: Sequence[Cell], store: Store, devices: str, jobs: int | None, together: int = 1,
    tell: Callable[[str], None] | None = None,
) -> Grid | None:  # fmt: skip
    """What cells that are to run will take on this machine's slots; None where there are none.

    Args:
        devices, jobs, together: as `bench run` takes them.
        tell: is told when the machine is measured first, which takes some seconds; None: it is not measured.
    """
    from harness.engines.local import make_slots
    from harness.estimate import machine
    from harness.estimate.estimates import estimate

    if not cells:
        return None
    slots = make_slots(machine.devices(devices), jobs, machine.cores(), together)
    return estimate(cells, store, slots[0].device.split(",")[0], slots[0].threads, len(slots), tell)


class Times:
    """What a run expects of its cells: as `bench plan` does, but the machine is not measured, for the run is not to
    wait."""

    def __init__(self, store: Store, devices: str, jobs: int | None, together: int):
        self.store, self.slots = store, (devices, jobs, together)
        self.seconds: dict[str, float | None] = {}
        self.like: dict[tuple[object, ...], float | None] = {}

    def line(self, cells: Sequence[Cell], tell: Callable[[str], None] | None = None) -> str:
        """How long all of them will take, to stand behind their number; nothing where nothing is known.

        Args:
            tell: is told when the machine is measured first; None: it is not measured.
        """
        from harness.estimate import estimate as words

        try:
            grid = estimated(cells, self.store, *self.slots, tell)
        except Exception:  # a run does not end for want of an estimate; what is wrong its cells will say
            LOG.warning("no estimate", exc_info=True)
            grid = None
        if grid is None:
            return ""
        for cell, one in zip(cells, grid.cells, strict=True):
            self.seconds[cell.id] = self.like[_like(cell)] = one.seconds if one else None
        if grid.seconds is None:
            return ""
        return f"; {words.line(grid)}" + ("; bench plan measures this machine" if grid.rough else "")

    def of(self, cells: Sequence[Cell]) -> dict[str, float | None]:
        """Cell's id → seconds, None where nothing is known. A trial of a later round is like those that were asked
        about."""
        return {cell.id: self.seconds.get(cell.id, self.like.get(_like(cell))) for cell in cells}


def _like(cell: Cell) -> tuple[object, ...]:
    return cell.title, cell.model.name, cell.method, cell.train_rows, cell.is_trial, cell.budget
