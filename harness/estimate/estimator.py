"""Estimate the time and memory of pending cells, and check the disk space before they run."""

from __future__ import annotations

import hashlib
import logging
import shutil
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness import registry
from harness.cell import Cell
from harness.data.source import HubSource
from harness.engines.local import available_cores, make_slots
from harness.errors import BenchError
from harness.estimate.formula import cell_cost
from harness.estimate.grid_estimate import (
    CALIBRATION,
    RECORDS,
    ROWS,
    SIMILAR,
    USUAL,
    CellEstimate,
    GridEstimate,
    describe_time,
)
from harness.estimate.history import (
    FormulaRatio,
    PastCell,
    correction,
    formula_ratios,
    load_history,
    same_but_seed,
    sizes_from_record,
)
from harness.estimate.machine import Machine, expected_precision, list_devices, measured_machine
from harness.estimate.text_sizes import (
    TaskTexts,
    TextSize,
    TokenCounter,
    length_statistics,
    sample_texts,
    text_sizes,
    with_train_rows,
)
from harness.model import Checkpoint
from harness.models.shape import Shape, shape_of, tokenizer_file
from harness.quantities import NEVER, SaveInterval
from harness.recipe import Recipe, auto_fields
from harness.recipe_rules import LengthStatistics, fill_auto_fields, fitted_fields
from harness.store import Store
from harness.task import Task
from harness.task_data import load_data

LIBRARY_SECONDS, BASELINE_SECONDS = 5.0, 1.0  # to load the libraries, once, and for a baseline's process
UNKNOWN_ROWS, UNKNOWN_TRAIN_ROWS = 5000, 20_000  # assumed rows, and training rows, of an unknown task
MIN_FREE = 64 * 2**20  # free bytes for records, predictions and logs, below which no run starts
# A checkpoint holds weights, two moments of the optimizer and the best weights in fp32, beside the old checkpoint.
CHECKPOINT_BYTES = 2 * 4 * 4  # for each parameter
LOG = logging.getLogger(__name__)

Say = Callable[[str], None]


class RunEstimates:
    """What a run expects of its cells, for its summary and its progress.

    Args:
        devices, jobs, devices_per_cell: as for `estimate_run`.
    """

    def __init__(self, store: Store, devices: str, jobs: int | None, devices_per_cell: int):
        self.store, self.devices, self.jobs, self.devices_per_cell = store, devices, jobs, devices_per_cell
        self.seconds: dict[str, float | None] = {}
        self.seconds_by_kind: dict[tuple[object, ...], float | None] = {}

    def summary(self, cells: Sequence[Cell], say: Say | None = None) -> str:
        """Return how long the cells take, to follow their number; empty if nothing is known.

        Args:
            say: is called before this machine is measured; None: do not measure, so that the run does not wait.
        """
        try:
            grid = estimate_run(cells, self.store, self.devices, self.jobs, self.devices_per_cell, say)
        except Exception:  # a run does not fail for want of an estimate; its cells will show what is wrong
            LOG.warning("no estimate", exc_info=True)
            grid = None
        if grid is None:
            return ""
        for cell, estimate in zip(cells, grid.cells, strict=True):
            self.seconds[cell.id] = self.seconds_by_kind[_kind(cell)] = estimate.seconds if estimate else None
        if grid.seconds is None:
            return ""
        return f"; {describe_time(grid)}" + ("; bench plan measures this machine" if grid.rough else "")

    def expected_seconds(self, cells: Sequence[Cell]) -> dict[str, float | None]:
        """Return cell id → seconds, None if unknown. A trial of a later round takes as long as the earlier ones."""
        return {cell.id: self.seconds.get(cell.id, self.seconds_by_kind.get(_kind(cell))) for cell in cells}


def _kind(cell: Cell) -> tuple[object, ...]:
    return cell.title, cell.model.name, cell.method, cell.train_rows, cell.is_trial, cell.budget


def estimate_run(
    cells: Sequence[Cell],
    store: Store,
    devices: str,
    jobs: int | None,
    devices_per_cell: int = 1,
    say: Say | None = None,
) -> GridEstimate | None:
    """Estimate cells on the slots of this machine; None if there are no cells.

    Args:
        devices, jobs, devices_per_cell: as for `bench run`.
        say: is called before this machine is measured, which takes some seconds; None: do not measure.
    """
    if not cells:
        return None
    slots = make_slots(list_devices(devices), jobs, available_cores(), devices_per_cell)
    return estimate_cells(cells, store, slots[0].device.split(",")[0], slots[0].threads, len(slots), say)


def estimate_cells(
    cells: Sequence[Cell], store: Store, device: str, threads: int, slots: int, say: Say | None = None
) -> GridEstimate:
    """Estimate cells. The work depends on the number of different cells, seeds apart.

    Args:
        store: its records are used first.
        device, threads: of a slot.
        slots: the number of cells at the same time.
        say: as for `estimate_run`.
    """
    groups: dict[tuple, list[int]] = {}
    for number, cell in enumerate(cells):
        model, task = (cell.model.digest, cell.model.name), (cell.task.title, cell.fingerprint)
        training = cell.method, cell.recipe, cell.train_rows, cell.is_trial, cell.budget
        groups.setdefault((model, task, training), []).append(number)
    representatives = [cells[numbers[0]] for numbers in groups.values()]
    info = CellInfo(load_history(store, representatives, device, threads))
    same = [info.same_cells(cell) for cell in representatives]
    speeds = set()
    for cell, records in zip(representatives, same, strict=True):
        if not records and not cell.is_baseline and info.sizes(cell) and (shape := info.shape(cell.model)):
            speeds.add((expected_precision(device, cell.recipe.precision, cell.model.avoid), shape.width))
    machine = measured_machine(device, threads, speeds, say)
    ratios = list(formula_ratios(info.history, info.shapes, machine))
    by_cell: list[CellEstimate | None] = [None] * len(cells)
    for cell, records, numbers in zip(representatives, same, groups.values(), strict=True):
        if records:
            estimate = _estimate_by_records(records)
        elif cell.is_baseline:
            estimate = _estimate_baseline(cell, info)
        else:
            estimate = _estimate_by_formula(cell, info, machine, ratios)
        for number in numbers:
            by_cell[number] = estimate
    known = [estimate for estimate in by_cell if estimate]
    used = sum(map(len, same)) + max((estimate.records for estimate in known if estimate.source == SIMILAR), default=0)
    start = LIBRARY_SECONDS if any(estimate.source not in (RECORDS, ROWS) for estimate in known) else 0.0
    return GridEstimate(tuple(by_cell), slots, start, used)


def _estimate_by_records(same: Sequence[PastCell]) -> CellEstimate:
    seconds = statistics.median(past.seconds for past in same)
    memory = max(past.memory for past in same) or None
    return CellEstimate(seconds, memory, RECORDS, len(same), same[0].record.get("fitted") or {})


def _estimate_baseline(cell: Cell, info: CellInfo) -> CellEstimate:
    """Estimate a baseline from its number of rows. This is only the order of magnitude."""
    texts = info.texts(cell.task)
    recorded = [record["task"].get("rows") for record in info.records_of(cell.task)]
    rows = next(filter(None, [texts.rows if texts else None, *recorded]), {"all": UNKNOWN_ROWS})
    rows = {**rows, "train": cell.train_rows} if cell.train_rows else rows
    seconds = BASELINE_SECONDS + sum(rows.values()) * registry.baselines()[cell.model.name].seconds_a_row
    return CellEstimate(seconds, None, ROWS)


def _estimate_by_formula(
    cell: Cell, info: CellInfo, machine: Machine, ratios: Sequence[FormulaRatio]
) -> CellEstimate | None:
    """Estimate by the formula, corrected by similar past cells; None if the size of the task or model is unknown."""
    shape, sizes = info.shape(cell.model), info.sizes(cell)
    precision = expected_precision(machine.device, cell.recipe.precision, cell.model.avoid)
    speed = shape and machine.speed(precision, shape.width)
    if not shape or not sizes or not speed:
        return None
    read = {split: size for split, size in sizes.items() if not (cell.is_trial and split == "test")}
    (recipe, reasons), head = info.fitted(cell), registry.family(cell.task.family).head
    recipe_used = replace(recipe, precision=precision)
    cost = cell_cost(shape, read, head, cell.model.architecture, recipe_used, speed[0], cell.method, cell.budget)
    more_seconds, more_memory, records = correction(cell, ratios)
    source = SIMILAR if records else CALIBRATION if speed[1] else USUAL
    fitted = fitted_fields(recipe, reasons, cell.why, precision) if reasons else {}
    return CellEstimate(cost.seconds * more_seconds, cost.memory * more_memory, source, records, fitted)


class CellInfo:
    """What is known about cells before they run: the shapes of their models, and the rows and sizes of their tasks.

    Everything is computed once for all cells that share it. Records provide the sizes of tasks whose rows are not on
    this machine.
    """

    def __init__(self, history: Sequence[PastCell]):
        self.history = history
        self.shapes: dict[str, Shape | None] = {}
        self._counters: dict[str, TokenCounter] = {}
        self._sizes: dict[tuple, Mapping[str, TextSize]] = {}
        self._texts: dict[str, TaskTexts | None] = {}

    def same_cells(self, cell: Cell) -> list[PastCell]:
        """Return the records of the cell with other seeds that were made on this machine."""
        return [past for past in self.history if past.here and same_but_seed(past.record, cell)]

    def records_of(self, task: Task) -> list[dict]:
        """Return the records of a task."""
        return [past.record for past in self.history if past.record["task"]["name"] == task.title]

    def shape(self, model: Checkpoint) -> Shape | None:
        """Return a model's shape; None if its files do not contain it."""
        if model.digest not in self.shapes:
            self.shapes[model.digest] = _model_shape(model)
        return self.shapes[model.digest]

    def sizes(self, cell: Cell) -> Mapping[str, TextSize] | None:
        """Return the size of each split; None if the number of rows is unknown."""
        texts = self.texts(cell.task)
        if texts is None:
            # Records of the same model first. A record of a training on a part of the rows also has their total number.
            records = self.records_of(cell.task)
            records.sort(key=lambda record: record["model"].get("digest") != cell.model.digest)
            for record in records:
                sizes = sizes_from_record(record, cell.train_rows or record["task"].get("train_rows_available"))
                if sizes:
                    return sizes
            return None
        shape, head, counter = self.shape(cell.model), registry.family(cell.task.family).head, self._counter(cell.model)
        recipe, _ = self.fitted(cell)
        positions, one_sequence = shape.positions if shape else None, cell.model.architecture == "decoder"
        key = (cell.task.title, id(counter), recipe, positions, one_sequence)
        if key not in self._sizes:
            self._sizes[key] = text_sizes(texts, counter, head, recipe, positions, one_sequence)
        sizes = self._sizes[key]
        return with_train_rows(sizes, cell.train_rows, texts.rows["train"]) if cell.train_rows else sizes

    def fitted(self, cell: Cell) -> tuple[Recipe, dict[str, str]]:
        """Return the recipe with the fields that it leaves to the data filled in, and field → reason."""
        if not auto_fields(cell.recipe):
            return cell.recipe, {}
        texts, shape, family = self.texts(cell.task), self.shape(cell.model), registry.family(cell.task.family)
        if texts is None:
            recorded = [record["task"]["rows"] for record in self.records_of(cell.task) if record["task"].get("rows")]
            train_rows = recorded[0]["train"] if recorded else UNKNOWN_TRAIN_ROWS
            lengths = LengthStatistics(cell.train_rows or train_rows)
        else:
            limit = min(filter(None, (shape and shape.positions, cell.model.max_length)), default=None)
            one_sequence = cell.model.architecture == "decoder"
            lengths = length_statistics(texts, self._counter(cell.model), family.head, limit, one_sequence)
            lengths = replace(lengths, rows=cell.train_rows or lengths.rows)
        return fill_auto_fields(cell.recipe, lengths, family.passes)

    def texts(self, task: Task) -> TaskTexts | None:
        """Return the texts of a task if they are on this machine; nothing is downloaded from the Hub."""
        if isinstance(task.source, HubSource):
            return None
        if task.title not in self._texts:
            family = registry.family(task.family)
            try:
                self._texts[task.title] = sample_texts(load_data(task, family).splits, family)
            except Exception:  # a plugin, or data that changed after planning: the worker will report it
                LOG.warning("%s cannot be read: its size is not known", task.title, exc_info=True)
                self._texts[task.title] = None
        return self._texts[task.title]

    def _counter(self, model: Checkpoint) -> TokenCounter:
        """Return one counter for all models with equal tokenizers, whose files are long and often the same."""
        file = tokenizer_file(model)
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
        if digest not in self._counters:
            try:
                self._counters[digest] = TokenCounter(file)
            except Exception:  # the library raises nothing narrower; the worker will report what is wrong with the file
                LOG.info("%s cannot be read: characters are counted instead of tokens", file, exc_info=True)
                self._counters[digest] = TokenCounter(None)
        return self._counters[digest]


def _model_shape(model: Checkpoint) -> Shape | None:
    entry = registry.models().get(model.name)
    try:
        return shape_of(model, entry.parameters if entry else None)
    except (OSError, ValueError, KeyError):
        return None  # the files are damaged: the worker will report it


def check_disk(results: Path, cells: Iterable[Cell], slots: int, every: SaveInterval) -> str:
    """Return a warning if the disk may be too small for checkpoints, else an empty text.

    Args:
        results: the results folder; it need not exist.
        slots: the number of cells at the same time.
        every: how often checkpoints are saved.

    Raises:
        BenchError: the disk has no room for records.
    """
    folder = results.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE:
        raise BenchError(
            f"--results {results}: its disk has {_format_bytes(free)} free, and {_format_bytes(MIN_FREE)} is the least"
            " for records and predictions; free some, or name a folder elsewhere"
        )
    if every == NEVER:
        return ""
    models = {cell.model.digest: cell.model for cell in cells if not cell.is_baseline}  # baselines save no checkpoints
    shapes = map(_model_shape, models.values())
    needed = slots * CHECKPOINT_BYTES * max((shape.parameters for shape in shapes if shape), default=0)
    if free >= needed:
        return ""
    return (
        f"{results}: its disk has {_format_bytes(free)} free; checkpoints of {slots} cells at once may need"
        f" {_format_bytes(needed)}. A training that finds no room goes on without"
    )


def _format_bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
