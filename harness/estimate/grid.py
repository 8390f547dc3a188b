"""From the cells of a plan to seconds and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness import registry
from harness.by_data import facts
from harness.cell import Cell
from harness.estimate import ratios
from harness.estimate.calibration import Calibration, Place, calibrated
from harness.estimate.estimate import CALIBRATION, OTHERS, RECORDS, ROWS, SIMILAR, USUAL, Estimate, Grid
from harness.estimate.history import Past, past, same_but_seed, typical
from harness.estimate.known import Known
from harness.estimate.machine import precision
from harness.estimate.memory import held
from harness.estimate.rehearsal import kinds_of
from harness.estimate.work import work
from harness.searched import is_trial
from harness.store import Store

START = 1.0  # seconds for the process of a baseline and its libraries
# What a training of hundreds of steps holds, by what a trial of a few does: on a CPU the libraries keep kernels for
# every size of batch.
LONGER = 1.05
UNREAD = 5000  # rows of a task of which nothing is known


def estimate(
    cells: Sequence[Cell], store: Store, device: str, threads: int, slots: int,
    tell: Callable[[str], None] | None = None,
) -> Grid:  # fmt: skip
    """What these cells will take. The work is a matter of their kinds, not of their number.

    Args:
        cells: those that are to run, in their order.
        store: its records are looked at first.
        device: of a slot, as `Slot` has it.
        threads: of a slot.
        slots: cells at once.
        tell: is told where the machine must be measured first; None: it is not measured.
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
    maker = _Estimator(past(store, firsts, device, threads), Place(device, threads, slots, ""))
    maker.look(firsts, tell)
    found: list[Estimate | None] = [None] * len(cells)
    used = 0
    for cell, numbers in zip(firsts, groups.values(), strict=True):
        made = maker.estimate(cell)
        used += made.records if made and made.source == RECORDS else 0
        for number in numbers:
            found[number] = made
    machines = maker.machines.values()
    start = max((machine.speed.start for machine in machines), default=0.0)
    similar = max((one.records for one in found if one and one.source == SIMILAR), default=0)
    busy = next((machine.busy for machine in machines if machine.busy), None)
    return Grid(tuple(found), slots, start, used + similar, any(machine.kinds for machine in machines), busy)


class _Estimator:
    """Keeps what cells share: what is known of them, and of the machine in each precision."""

    def __init__(self, history: Sequence[Past], place: Place):
        self.history, self.place = history, place
        self.known = Known(history)
        self.machines: dict[str, Calibration] = {}
        self.observed: dict[str, list[ratios.Observed]] = {}

    def look(self, cells: Sequence[Cell], tell: Callable[[str], None] | None) -> None:
        """Find out how fast the machine is for those of the cells that no record tells of."""
        wanted: dict[str, set[str]] = {}
        for cell in cells:
            if not cell.is_baseline and not self._same(cell) and self.known.sizes(cell) and self.known.shape(cell):
                wanted.setdefault(self._precision(cell), set()).update(self._kinds(cell))
        for mode, kinds in wanted.items():
            place = Place(self.place.device, self.place.threads, self.place.slots, mode)
            machine = calibrated(place, kinds, tell)
            if machine:
                self.machines[mode] = machine
                here = [one for one in self.history if one.here and not is_trial(one.record)]
                self.observed[mode] = ratios.observe(here, self.known.shapes, machine.speed)

    def estimate(self, cell: Cell) -> Estimate | None:
        """One cell; None where its size or its model's is not known."""
        if same := self._same(cell):
            memory = max(one.memory for one in same) or None
            seconds = float(typical(one.seconds for one in same) or 0)
            return Estimate(seconds, memory, RECORDS, len(same), same[0].record.get("fitted") or {})
        if cell.is_baseline:
            return Estimate(self._baseline(cell), None, ROWS)
        shape, size = self.known.shape(cell), self.known.sizes(cell)
        mode = self._precision(cell)
        machine = self.machines.get(mode)
        if shape is None or size is None or machine is None:
            return None
        speed, head, recipe = machine.speed, registry.family(cell.task.family).head, self.known.recipe(cell)
        read = {split: one for split, one in size.items() if not (cell.is_trial and split == "test")}
        parts = speed.of(
            work(shape, read, head, cell.model.architecture, recipe, None, speed.pads, cell.method, cell.budget)
        )
        memory = speed.memory(held(shape, size, head, cell.model.architecture, recipe, cell.method))
        right, records = ratios.correction(self.observed[mode], cell, head)
        seconds = sum(value * right.get(part, 1.0) for part, value in parts.items())
        if "memory" in right:
            memory = speed.base_bytes + (memory - speed.base_bytes) * right["memory"]
        elif self.place.device == "cpu":
            memory *= LONGER
        measured = CALIBRATION if self._kinds(cell) <= set(machine.kinds) else OTHERS if machine.kinds else USUAL
        source = SIMILAR if records else measured
        fitted, why = self.known.fitted(cell)
        return Estimate(seconds, memory, source, records, facts(fitted, why, cell.why, mode) if why else {})

    def _same(self, cell: Cell) -> list[Past]:
        return [one for one in self.history if one.here and same_but_seed(one.record, cell)]

    def _precision(self, cell: Cell) -> str:
        return precision(self.place.device, cell.recipe.precision, cell.model.avoid)

    def _kinds(self, cell: Cell) -> set[str]:
        return kinds_of(self.known.shape(cell), cell.model.architecture, registry.family(cell.task.family).head)

    def _baseline(self, cell: Cell) -> float:
        """By the number of rows, for there is no model whose work could be counted: the right order of magnitude,
        no more."""
        content = self.known.content(cell.task)
        told = [one.record["task"].get("rows") for one in self.history if one.record["task"]["name"] == cell.task.title]
        rows = next(filter(None, [content.rows if content else None, *told]), {"all": UNREAD})
        if cell.train_rows:
            rows = {**rows, "train": cell.train_rows}
        return START + sum(rows.values()) * registry.baselines()[cell.model.name].seconds_a_row
