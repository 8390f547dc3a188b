"""What is known of a cell before it runs: its model's shape, and its task's size in that model's tokens."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness import registry
from harness.by_data import Needs, fit
from harness.cell import Cell
from harness.data.source import HubSource
from harness.estimate.counter import Counter
from harness.estimate.history import Past, size_by_record
from harness.estimate.sizes import Content, Size, content, needs, sizes, trained_on
from harness.models.shape import Shape, shape_of, tokenizer_file
from harness.recipe import Recipe, open_fields
from harness.rows import load
from harness.task import Task

MANY = 20_000  # training rows of a data set of the Hub, which is not read before a run
LOG = logging.getLogger(__name__)


class Known:
    """Shapes, rows and sizes, each found once for all cells that share it.

    Args:
        history: where records tell of tasks whose rows are not on this machine.
    """

    def __init__(self, history: Sequence[Past]):
        self.history = history
        self.shapes: dict[str, Shape | None] = {}
        self.counters: dict[str, Counter] = {}
        self.counted: dict[tuple, Mapping[str, Size]] = {}
        self.contents: dict[str, Content | None] = {}

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

    def sizes(self, cell: Cell) -> Mapping[str, Size] | None:
        """Split → its size; None where nothing tells how many rows there are."""
        known = self.content(cell.task)
        if known is None:
            told = [one.record for one in self.history if one.record["task"]["name"] == cell.task.title]
            told.sort(key=lambda record: record["model"].get("digest") != cell.model.digest)
            # Where only a subset was trained on, its record knows how many rows there are.
            found = (size_by_record(one, cell.train_rows or one["task"].get("train_rows_available")) for one in told)
            return next(filter(None, found), None)
        shape, family = self.shape(cell), registry.family(cell.task.family)
        counter = self._counter(cell)
        one_sequence = cell.model.architecture == "decoder"
        positions = shape.positions if shape else None
        recipe = self.recipe(cell)
        key = (cell.task.title, id(counter), recipe, positions, one_sequence)
        if key not in self.counted:
            self.counted[key] = sizes(known, counter, family.head, recipe, positions, one_sequence)
        size = self.counted[key]
        return trained_on(size, cell.train_rows, known.rows["train"]) if cell.train_rows else size

    def recipe(self, cell: Cell) -> Recipe:
        """The cell's recipe with what it leaves to the data, as far as rows and tokens are known here."""
        return self.fitted(cell)[0]

    def fitted(self, cell: Cell) -> tuple[Recipe, dict[str, str]]:
        """The same, and why each of those fields has its value."""
        if not open_fields(cell.recipe):
            return cell.recipe, {}
        known, shape, family = self.content(cell.task), self.shape(cell), registry.family(cell.task.family)
        if known is None:
            records = (one.record["task"] for one in self.history)
            rows = next((one["rows"]["train"] for one in records if one["name"] == cell.task.title and one.get("rows")), MANY)
            found = Needs(cell.train_rows or rows)
        else:
            limit = min(filter(None, (shape and shape.positions, cell.model.max_length)), default=None)
            found = needs(known, self._counter(cell), family.head, limit, cell.model.architecture == "decoder")
            found = replace(found, rows=cell.train_rows or found.rows)
        return fit(cell.recipe, found, family.passes)

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

    def content(self, task: Task) -> Content | None:
        """A task's rows, if they are on this machine; those of the Hub are not looked at before a run."""
        if isinstance(task.source, HubSource):
            return None
        if task.title not in self.contents:
            family = registry.family(task.family)
            try:
                self.contents[task.title] = content(load(task, family).splits, family)
            except Exception:  # of a plugin, or data that have changed since they were planned: the worker will say it
                LOG.warning("%s cannot be read: its size is not known", task.title, exc_info=True)
                self.contents[task.title] = None
        return self.contents[task.title]
