"""Estimates on the command line: of which slots, and with a word of patience where the machine is measured first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cell import Cell
from harness.store import Store

if TYPE_CHECKING:
    from harness.estimate.grid import Grid


def estimated(cells: Sequence[Cell], store: Store, devices: str, jobs: int | None, quick: bool = False) -> Grid | None:
    """What cells that are to run will take on this machine's slots; None where there are none.

    Args:
        devices, jobs: as `bench run` takes them.
        quick: True to neither read rows nor measure the machine.
    """
    from harness.engines.local import make_slots
    from harness.estimate import machine
    from harness.estimate.grid import estimate

    if not cells:
        return None
    slots = make_slots(machine.devices(devices), jobs, machine.cores())
    return estimate(cells, store, slots[0].device, slots[0].threads, len(slots), quick)
