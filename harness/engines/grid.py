"""Runs a plan's pending cells on an engine and tells an observer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from harness.cell import Cell
from harness.engines.base import Engine, Handle, Slot
from harness.store import Record

TICK = 1.0  # seconds after which the workers are looked at even if none has told anything


class Observer(Protocol):
    """What is told about a running grid."""

    def started(self, cell: Cell, slot: Slot) -> None:
        """A cell has been given to a worker."""

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        """A worker has told something: a phase, a step, a validation."""

    def finished(self, cell: Cell, record: Record) -> None:
        """A cell has ended, well or not."""


def run_grid(engine: Engine, cells: Iterable[Cell], observer: Observer) -> list[Record]:
    """Run every cell once, as many at a time as the engine has slots; a cell that fails does not stop the others.

    Returns:
        The records in the order in which the cells ended.

    Raises:
        KeyboardInterrupt: after all workers have been ended.
    """
    pending, free = list(cells), list(engine.slots)
    running: list[Handle] = []
    records: list[Record] = []
    try:
        while pending or running:
            while pending and free:
                cell, slot = pending.pop(0), free.pop(0)
                running.append(engine.submit(cell, slot))
                observer.started(cell, slot)
            engine.wait(running, TICK)
            for handle in list(running):
                # Asked before the events are read: what a worker says last, it says before it ends.
                done = handle.done()
                for event in handle.events():
                    observer.event(handle.cell, event)
                if done:
                    running.remove(handle)
                    free.append(handle.slot)
                    records.append(handle.result())
                    observer.finished(handle.cell, records[-1])
    finally:
        for handle in running:
            handle.cancel()
    return records
