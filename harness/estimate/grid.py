"""From the cells of a plan to seconds and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from harness import registry
from harness.cell import Cell
from harness.estimate import baseline, ratios
from harness.estimate.calibration import Place, calibrated
from harness.estimate.estimate import CALIBRATION, RECORDS, ROWS, SIMILAR, Estimate, Grid
from harness.estimate.history import Past, past, same_but_seed, typical
from harness.estimate.known import Known
from harness.estimate.machine import precision
from harness.estimate.memory import held
from harness.estimate.speed import Speed
from harness.estimate.work import work
from harness.searched import is_trial
from harness.store import Store


def estimate(cells: Sequence[Cell], store: Store, device: str, threads: int, slots: int, quick: bool = False) -> Grid:
    """What these cells will take. The work is a matter of their kinds, not of their number.

    Args:
        cells: those that are to run, in their order.
        store: its records are looked at first.
        device: of a slot, as `Slot` has it.
        threads: of a slot.
        slots: cells at once.
        quick: True to go by what is at hand: neither is a task read nor the machine measured.
    """
    groups: dict[tuple, list[int]] = {}
    for number, cell in enumerate(cells):
        key = (
            cell.model.digest,
            cell.model.name,
            cell.task.title,
            cell.fingerprint,
            cell.method,
            cell.recipe,
            cell.train_rows,
            cell.is_trial,
            cell.budget,
        )
        groups.setdefault(key, []).append(number)
    firsts = [cells[numbers[0]] for numbers in groups.values()]
    maker = _Estimator(past(store, firsts, device, threads), partial(Place, device, threads, slots), quick)
    found: list[Estimate | None] = [None] * len(cells)
    used = start = 0.0
    for cell, numbers in zip(firsts, groups.values(), strict=True):
        made = maker.estimate(cell)
        used += made.records if made and made.source == RECORDS else 0
        for number in numbers:
            found[number] = made
    start = max((speed.start for speed in maker.speeds.values() if speed), default=0.0)
    similar = max((one.records for one in found if one and one.source == SIMILAR), default=0)
    return Grid(tuple(found), slots, start, int(used) + similar)


class _Estimator:
    """Keeps what cells share: what is known of them, and the speed of the machine in a precision."""

    def __init__(self, history: Sequence[Past], place: Callable[[str], Place], quick: bool):
        self.history, self.place, self.quick = history, place, quick
        self.known = Known(history, quick)
        self.speeds: dict[str, Speed | None] = {}
        self.observed: dict[str, list[ratios.Observed]] = {}

    def estimate(self, cell: Cell) -> Estimate | None:
        """One cell; None where its size or its model's is not known."""
        same = [one for one in self.history if one.here and same_but_seed(one.record, cell)]
        if same:
            memory = max(one.memory for one in same) or None
            return Estimate(float(typical(one.seconds for one in same) or 0), memory, RECORDS, len(same))
        if cell.is_baseline:
            return Estimate(baseline.seconds(cell, self.known.content(cell.task), self.history), None, ROWS)
        mode = precision(self.place("").device, cell.recipe.precision, cell.model.avoid)
        shape, size = self.known.shape(cell), self.known.sizes(cell)
        speed = self._speed(mode) if shape and size else None
        if shape is None or size is None or speed is None:
            return None
        head = registry.family(cell.task.family).head
        recipe = self.known.recipe(cell)
        read = {split: one for split, one in size.items() if not (cell.is_trial and split == "test")}
        parts = speed.of(
            work(shape, read, head, cell.model.architecture, recipe, None, speed.pads, cell.method, cell.budget)
        )
        memory = speed.memory(held(shape, size, head, cell.model.architecture, recipe, cell.method))
        if mode not in self.observed:
            self.observed[mode] = ratios.observe(
                [one for one in self.history if one.here and not is_trial(one.record)], self.known.shapes, speed
            )
        right, records = ratios.correction(self.observed[mode], cell, head)
        seconds = sum(value * right.get(part, 1.0) for part, value in parts.items())
        memory = speed.base_bytes + (memory - speed.base_bytes) * right.get("memory", 1.0)
        return Estimate(seconds, memory, SIMILAR if records else CALIBRATION, records)

    def _speed(self, mode: str) -> Speed | None:
        if mode not in self.speeds:
            self.speeds[mode] = calibrated(self.place(mode), make=not self.quick)
        return self.speeds[mode]
