"""From the cells of a plan to seconds and bytes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.data.source import HubSource
from harness.estimate import baseline, ratios
from harness.estimate.calibration import Place, calibrated
from harness.estimate.history import Past, past, same_but_seed, size_by_record, typical
from harness.estimate.machine import precision
from harness.estimate.schedule import makespan
from harness.estimate.shape import Shape, shape_of, tokenizer_file
from harness.estimate.sizes import Content, Counter, Size, content, sizes, trained_on
from harness.estimate.speed import Speed
from harness.estimate.work import peak_memory, work
from harness.rows import load
from harness.searched import is_trial
from harness.store import Store
from harness.task import Task

LOG = logging.getLogger(__name__)
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
    """Keeps what cells share: a model's shape, a task's rows, the speed of the machine in a precision."""

    def __init__(self, history: Sequence[Past], place: Callable[[str], Place], quick: bool):
        self.history, self.place, self.quick = history, place, quick
        self.shapes: dict[str, Shape | None] = {}
        self.counters: dict[str, Counter] = {}
        self.counted: dict[tuple, Mapping[str, Size]] = {}
        self.contents: dict[str, Content | None] = {}
        self.speeds: dict[str, Speed | None] = {}
        self.observed: dict[str, list[ratios.Observed]] = {}

    def estimate(self, cell: Cell) -> Estimate | None:
        """One cell; None where its size or its model's is not known."""
        same = [one for one in self.history if one.here and same_but_seed(one.record, cell)]
        if same:
            memory = max(one.memory for one in same) or None
            return Estimate(float(typical(one.seconds for one in same) or 0), memory, RECORDS, len(same))
        if cell.is_baseline:
            return Estimate(baseline.seconds(cell, self._content(cell.task), self.history), None, ROWS)
        mode = precision(self.place("").device, cell.recipe.precision)
        shape, size = self._shape(cell), self._sizes(cell)
        speed = self._speed(mode) if shape and size else None
        if shape is None or size is None or speed is None:
            return None
        head = registry.family(cell.task.family).head
        parts = speed.of(work(shape, size, head, cell.model.architecture, cell.recipe, None, speed.pads, cell.method))
        extra = peak_memory(shape, size, head, cell.model.architecture, cell.recipe, mode != "fp32", cell.method)
        if mode not in self.observed:
            self.observed[mode] = ratios.observe(
                [one for one in self.history if one.here and not is_trial(one.record)], self.shapes, speed
            )
        right, records = ratios.correction(self.observed[mode], cell, head)
        seconds = sum(value * right.get(part, 1.0) for part, value in parts.items())
        memory = speed.base_bytes + extra * right.get("memory", 1.0)
        return Estimate(seconds, memory, SIMILAR if records else CALIBRATION, records)

    def _shape(self, cell: Cell) -> Shape | None:
        model = cell.model
        if model.digest not in self.shapes:
            entry = registry.models().get(model.name)
            try:
                self.shapes[model.digest] = shape_of(model, entry.parameters if entry else None)
            except (OSError, ValueError, KeyError):
                self.shapes[model.digest] = None  # files that are not what they should be: the worker will say it
        return self.shapes[model.digest]

    def _speed(self, mode: str) -> Speed | None:
        if mode not in self.speeds:
            self.speeds[mode] = calibrated(self.place(mode), make=not self.quick)
        return self.speeds[mode]

    def _sizes(self, cell: Cell) -> Mapping[str, Size] | None:
        known = self._content(cell.task)
        if known is None:
            told = [one.record for one in self.history if one.record["task"]["name"] == cell.task.title]
            told.sort(key=lambda record: record["model"].get("digest") != cell.model.digest)
            # Where only a subset was trained on, its record knows how many rows there are.
            found = (size_by_record(one, cell.train_rows or one["task"].get("train_rows_available")) for one in told)
            return next(filter(None, found), None)
        shape, family = self._shape(cell), registry.family(cell.task.family)
        counter = self._counter(cell)
        one_sequence = cell.model.architecture == "decoder"
        positions = shape.positions if shape else None
        key = (cell.task.title, id(counter), cell.recipe, positions, one_sequence)
        if key not in self.counted:
            self.counted[key] = sizes(known, counter, family.head, cell.recipe, positions, one_sequence)
        size = self.counted[key]
        return trained_on(size, cell.train_rows, known.rows["train"]) if cell.train_rows else size

    def _counter(self, cell: Cell) -> Counter:
        """One for all models with equal tokenisers, whose files are long and many of which are the same."""
        file = tokenizer_file(cell.model)
        content = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
        if content not in self.counters:
            try:
                self.counters[content] = Counter(file)
            except Exception:  # the library raises nothing narrower; the worker will say what is wrong with the file
                LOG.info("%s cannot be read: letters are counted instead of tokens", file, exc_info=True)
                self.counters[content] = Counter(None)
        return self.counters[content]

    def _content(self, task: Task) -> Content | None:
        """A task's rows, if they are on this machine; those of the Hub are not looked at before a run."""
        if self.quick or isinstance(task.source, HubSource):
            return None
        if task.title not in self.contents:
            family = registry.family(task.family)
            self.contents[task.title] = content(load(task, family).splits, family)
        return self.contents[task.title]
