"""From the cells of a plan to seconds and bytes."""

from __future__ import annotations

import hashlib
import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness import registry
from harness.cell import Cell
from harness.data.source import HubSource
from harness.estimate.estimate import CALIBRATION, RECORDS, ROWS, SIMILAR, USUAL, Estimate, Grid
from harness.estimate.formula import cost
from harness.estimate.history import Past, Told, correction, past, same_but_seed, size_by_record, told
from harness.estimate.machine import Machine, precision, timed
from harness.estimate.sizes import Content, Counter, TextSize, content, needs, sizes, trained_on
from harness.models.shape import Shape, shape_of, tokenizer_file
from harness.recipe import Recipe, auto_fields
from harness.recipe_rules import LengthStatistics, fill_auto_fields, fitted_fields
from harness.store import Store
from harness.task import Task
from harness.task_data import load_data

LIBRARIES, BASELINE = 5.0, 1.0  # seconds until the libraries are loaded, once, and for a baseline's process
UNREAD, UNREAD_TRAIN = 5000, 20_000  # rows, and training rows, of a task of which nothing is known
LOG = logging.getLogger(__name__)


def estimate(
    cells: Sequence[Cell], store: Store, device: str, threads: int, slots: int, tell: Callable[[str], None] | None = None
) -> Grid:
    """What these cells will take. The work is a matter of their kinds, not of their number.

    Args:
        cells: those that are to run, in their order.
        store: its records are looked at first.
        device, threads: of a slot, as `Slot` has them.
        slots: cells at once.
        tell: is told where the machine must be measured first; None: it is not measured.
    """
    groups: dict[tuple, list[int]] = {}
    for number, cell in enumerate(cells):
        model, kind = (cell.model.digest, cell.model.name), (cell.method, cell.recipe, cell.train_rows, cell.is_trial, cell.budget)
        groups.setdefault((*model, cell.task.title, cell.fingerprint, *kind), []).append(number)
    firsts = [cells[numbers[0]] for numbers in groups.values()]
    known = Known(past(store, firsts, device, threads))
    same = [known.same(cell) for cell in firsts]
    asked = [cell for cell, records in zip(firsts, same, strict=True) if not records and not cell.is_baseline and known.sizes(cell)]
    modes = [(precision(device, cell.recipe.precision, cell.model.avoid), known.shape(cell)) for cell in asked]
    machine = timed(device, threads, {(mode, shape.width) for mode, shape in modes if shape}, tell)
    observed = list(told(known.history, known.shapes, machine))
    found: list[Estimate | None] = [None] * len(cells)
    for cell, records, numbers in zip(firsts, same, groups.values(), strict=True):
        if records:
            one = _by_records(records)
        else:
            one = _baseline(cell, known) if cell.is_baseline else _by_formula(cell, known, machine, observed)
        for number in numbers:
            found[number] = one
    made = [one for one in found if one]
    used = sum(map(len, same)) + max((one.records for one in made if one.source == SIMILAR), default=0)
    return Grid(tuple(found), slots, LIBRARIES if any(one.source != RECORDS and one.source != ROWS for one in made) else 0.0, used)


def _by_records(same: Sequence[Past]) -> Estimate:
    seconds = statistics.median(one.seconds for one in same)
    return Estimate(seconds, max(one.memory for one in same) or None, RECORDS, len(same), same[0].record.get("fitted") or {})


def _baseline(cell: Cell, known: Known) -> Estimate:
    """By the number of rows, for there is no model whose work could be counted: the right order of magnitude, no more."""
    content = known.content(cell.task)
    told = [one.record["task"].get("rows") for one in known.history if one.record["task"]["name"] == cell.task.title]
    rows = next(filter(None, [content.rows if content else None, *told]), {"all": UNREAD})
    rows = {**rows, "train": cell.train_rows} if cell.train_rows else rows
    return Estimate(BASELINE + sum(rows.values()) * registry.baselines()[cell.model.name].seconds_a_row, None, ROWS)


def _by_formula(cell: Cell, known: Known, machine: Machine, past: Sequence[Told]) -> Estimate | None:
    """By the formula, set right by what it would have said of past cells like this one; None where its size or its model's is not known."""
    shape, size, mode = known.shape(cell), known.sizes(cell), precision(machine.device, cell.recipe.precision, cell.model.avoid)
    speed = shape and machine.speed(mode, shape.width)
    if not shape or not size or not speed:
        return None
    read = {split: one for split, one in size.items() if not (cell.is_trial and split == "test")}
    (recipe, why), head = known.fitted(cell), registry.family(cell.task.family).head
    said = cost(shape, read, head, cell.model.architecture, replace(recipe, precision=mode), speed[0], cell.method, cell.budget)
    more_seconds, more_memory, records = correction(cell, past)
    source = SIMILAR if records else CALIBRATION if speed[1] else USUAL
    fitted = fitted_fields(recipe, why, cell.why, mode) if why else {}
    return Estimate(said.seconds * more_seconds, said.memory * more_memory, source, records, fitted)


class Known:
    """What is known of cells before they run: their models' shapes, their tasks' rows and sizes, each found once for all cells that share
    it. Records tell of tasks whose rows are not on this machine."""

    def __init__(self, history: Sequence[Past]):
        self.history = history
        self.shapes: dict[str, Shape | None] = {}
        self.counters: dict[str, Counter] = {}
        self.counted: dict[tuple, Mapping[str, TextSize]] = {}
        self.contents: dict[str, Content | None] = {}

    def same(self, cell: Cell) -> list[Past]:
        """The records of the cell with other seeds, made here."""
        return [one for one in self.history if one.here and same_but_seed(one.record, cell)]

    def shape(self, cell: Cell) -> Shape | None:
        """Of the cell's model; None where its files do not tell."""
        model = cell.model
        if model.digest not in self.shapes:
            entry = registry.models().get(model.name)
            try:
                self.shapes[model.digest] = shape_of(model, entry.parameters if entry else None)
            except (OSError, ValueError, KeyError):
                self.shapes[model.digest] = None  # files that are not what they should be: the worker will say it
        return self.shapes[model.digest]

    def sizes(self, cell: Cell) -> Mapping[str, TextSize] | None:
        """Split → its size; None where nothing tells how many rows there are."""
        known = self.content(cell.task)
        if known is None:
            told = [one.record for one in self.history if one.record["task"]["name"] == cell.task.title]
            told.sort(key=lambda record: record["model"].get("digest") != cell.model.digest)
            # Where only a subset was trained on, its record knows how many rows there are.
            found = (size_by_record(one, cell.train_rows or one["task"].get("train_rows_available")) for one in told)
            return next(filter(None, found), None)
        shape, head, counter, recipe = self.shape(cell), registry.family(cell.task.family).head, self._counter(cell), self.fitted(cell)[0]
        positions, one_sequence = shape.positions if shape else None, cell.model.architecture == "decoder"
        key = (cell.task.title, id(counter), recipe, positions, one_sequence)
        if key not in self.counted:
            self.counted[key] = sizes(known, counter, head, recipe, positions, one_sequence)
        return trained_on(self.counted[key], cell.train_rows, known.rows["train"]) if cell.train_rows else self.counted[key]

    def fitted(self, cell: Cell) -> tuple[Recipe, dict[str, str]]:
        """The cell's recipe with what it leaves to the data, as far as rows and tokens are known here; field → why it has its value."""
        if not auto_fields(cell.recipe):
            return cell.recipe, {}
        known, shape, family = self.content(cell.task), self.shape(cell), registry.family(cell.task.family)
        if known is None:
            records = (one.record["task"] for one in self.history)
            rows = next((one["rows"]["train"] for one in records if one["name"] == cell.task.title and one.get("rows")), UNREAD_TRAIN)
            found = LengthStatistics(cell.train_rows or rows)
        else:
            limit = min(filter(None, (shape and shape.positions, cell.model.max_length)), default=None)
            found = needs(known, self._counter(cell), family.head, limit, cell.model.architecture == "decoder")
            found = replace(found, rows=cell.train_rows or found.rows)
        return fill_auto_fields(cell.recipe, found, family.passes)

    def _counter(self, cell: Cell) -> Counter:
        """One for all models with equal tokenisers, whose files are long and many of which are the same."""
        file = tokenizer_file(cell.model)
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
        if digest not in self.counters:
            try:
                self.counters[digest] = Counter(file)
            except Exception:  # the library raises nothing narrower; the worker will say what is wrong with the file
                LOG.info("%s cannot be read: letters are counted instead of tokens", file, exc_info=True)
                self.counters[digest] = Counter(None)
        return self.counters[digest]

    def content(self, task: Task) -> Content | None:
        """A task's rows, if they are on this machine; those of the Hub are not looked at before a run."""
        if isinstance(task.source, HubSource):
            return None
        if task.title not in self.contents:
            family = registry.family(task.family)
            try:
                self.contents[task.title] = content(load_data(task, family).splits, family)
            except Exception:  # of a plugin, or data that have changed since they were planned: the worker will say it
                LOG.warning("%s cannot be read: its size is not known", task.title, exc_info=True)
                self.contents[task.title] = None
        return self.contents[task.title]
