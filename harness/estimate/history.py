"""Past records: of the same cell with other seeds, and of similar cells, which correct the formula."""

from __future__ import annotations

import math
import os
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from harness import registry
from harness.cell import Cell, is_trial
from harness.errors import BenchError
from harness.estimate.formula import cell_cost
from harness.estimate.machine import Machine, is_this_machine
from harness.estimate.text_sizes import TextSize
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import MECHANICS, Recipe, trained_recipe
from harness.store import Record, Store

LATEST = 5  # records read of each kind, the latest: the code may have become faster since the others
MAX_RECORDS = 200  # records read in all, so that a plan beside a large folder stays quick
CELL_ID = re.compile(r"(?P<kind>.+)--s\d+--\w+$")


@dataclass(frozen=True)
class PastCell:
    """A successful record, and whether it was made on this machine, on a slot like the present ones."""

    record: Record
    here: bool

    @property
    def seconds(self) -> float:
        """The seconds that the cell took."""
        return float(self.record["cost"]["total_seconds"])

    @property
    def memory(self) -> int:
        """The peak memory in bytes; 0 if it was not measured."""
        return int(self.record["cost"].get("peak_memory_bytes") or 0)


def load_history(store: Store, cells: Iterable[Cell], device: str, threads: int) -> list[PastCell]:
    """Load the records that help to estimate cells.

    Records of the same cells with other seeds come first, then those of the same task or model, then all others; of
    each kind only the latest few.
    """
    try:
        cell_ids = os.listdir(store.root / "cells")
    except OSError:
        return []
    kinds: dict[str, list[str]] = {}
    for cell_id in cell_ids:
        if match := CELL_ID.match(cell_id):
            kinds.setdefault(match["kind"], []).append(cell_id)
    pending = {cell.id.rpartition("--s")[0] for cell in cells}
    pending_parts = {part for kind in pending for part in kind.split("--")[:2]}  # tasks and models

    def distance(kind: str) -> int:
        return 0 if kind in pending else 1 if pending_parts & set(kind.split("--")[:2]) else 2

    def modified(cell_id: str) -> float:
        try:
            return os.stat(store.root / "cells" / cell_id / "record.json").st_mtime
        except OSError:
            return 0.0

    history: list[PastCell] = []
    for kind in sorted(kinds, key=lambda kind: (distance(kind), kind)):
        if len(history) >= MAX_RECORDS and distance(kind):
            break
        latest = kinds[kind] if len(kinds[kind]) <= LATEST else sorted(kinds[kind], key=modified)[-LATEST:]
        for record in map(store.record, latest):
            if record is not None and record["status"] == "ok" and (record.get("cost") or {}).get("total_seconds"):
                history.append(PastCell(record, is_this_machine(record.get("environment") or {}, device, threads)))
    return history


def same_but_seed(record: Record, cell: Cell) -> bool:
    """Return whether a record equals a cell in model, task, data, method, recipe, budget and in being a trial."""

    def decisive(recipe: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in recipe.items() if key not in MECHANICS}

    return (
        is_trial(record) == cell.is_trial
        and (record.get("trial") or {}).get("budget", 1.0) == cell.budget
        and record["model"].get("digest") == cell.model.digest
        and record["task"].get("fingerprint") == cell.fingerprint
        and record["task"]["name"] == cell.task.title
        and record["task"].get("version") == cell.task.version
        and record["task"].get("train_rows") == cell.train_rows
        and record["method"] == cell.method
        and decisive(record.get("recipe") or {}) == decisive(cell.settings())
    )


def sizes_from_record(record: Record, train_rows: int | None = None) -> dict[str, TextSize] | None:
    """Return a task's sizes from a successful record: its rows, and the tokens per row of its model's tokenizer.

    Args:
        train_rows: the training rows of another cell; None: as many as this one had.
    """
    rows, cost, training = record["task"].get("rows"), record["cost"], record.get("training") or {}
    recipe = trained_recipe(record)
    rows_seen = (training.get("steps") or 0) * min(recipe.get("batch_size") or 0, (rows or {}).get("train", 0))
    if not rows or not rows_seen or not cost.get("train_tokens"):
        return None
    mean = min(cost["train_tokens"] / rows_seen, recipe.get("max_length") or math.inf)
    counts = {**rows, "train": train_rows or rows["train"]}
    return {
        split: TextSize(count, count * mean, count * mean**2, count * mean, round(2 * mean), training.get("vocabulary"))
        for split, count in counts.items()
        if count
    }


def shape_from_record(record: Record) -> Shape | None:
    """Estimate a model's shape from the FLOPs of its record; None for old records without them.

    There are 6 operations for each trained weight and token, and 12·width² weights a layer (Kaplan et al. 2020).
    """
    cost, parameters = record["cost"], record["model"].get("parameters")
    depth, tokens, flops = (cost.get(name) for name in ("depth", "train_tokens", "flops"))
    if not (depth and tokens and flops and parameters):
        return None
    weights = flops / (2 * (1 + METHODS[record["method"]].backward) * tokens)
    width = max(1, round(math.sqrt(weights / (12 * depth))))
    return Shape(depth, 0, width, round(weights), 0, max(0, round((parameters - weights) / width)), parameters)


@dataclass(frozen=True)
class FormulaRatio:
    """What a past cell took, divided by what the formula says; `memory` is None if it was not measured."""

    model: str
    task: str
    architecture: str
    family: str
    seconds: float
    memory: float | None


def formula_ratios(
    history: Iterable[PastCell], shapes: Mapping[str, Shape | None], machine: Machine
) -> Iterator[FormulaRatio]:
    """Compare the formula with the past cells of this machine.

    Args:
        shapes: model digest → shape, where it is known; other shapes are estimated from the records.
    """
    recipe_fields = {field.name for field in fields(Recipe)}
    for past in history:
        record, model, task = past.record, past.record["model"], past.record["task"]
        family, sizes = registry.families().get(task["family"]), sizes_from_record(record)
        if not past.here or is_trial(record) or record["method"] not in METHODS or not family or not sizes:
            continue  # another machine, without a test, or of another version
        shape = shapes.get(model.get("digest", "")) or shape_from_record(record)
        precision = record["environment"].get("precision", "auto")
        speed = shape and (machine.speed(precision, shape.width) or machine.speed("auto", shape.width))
        if not shape or not speed:
            continue
        # Use the recipe, not the last step of the training: early stopping that is usual for a task is part of its cost.
        settings = {name: value for name, value in trained_recipe(record).items() if name in recipe_fields}
        try:
            recipe = Recipe(**settings | {"precision": precision})
        except BenchError:
            continue
        cost = cell_cost(shape, sizes, family.head, model["architecture"], recipe, speed[0], record["method"])
        yield FormulaRatio(
            model=model.get("digest", ""),
            task=task["name"].partition("@")[0],
            architecture=model["architecture"],
            family=task["family"],
            seconds=past.seconds / cost.seconds,
            memory=past.memory / cost.memory if past.memory else None,
        )


def correction(cell: Cell, ratios: Sequence[FormulaRatio]) -> tuple[float, float, int]:
    """Return factors for the formula's seconds and bytes, and the number of records that they are based on.

    They are the geometric medians over the most similar kind of past cells of which there are any.
    """
    model, task, architecture, family = cell.model.digest, cell.task.name, cell.model.architecture, cell.task.family
    kinds: Sequence[Callable[[FormulaRatio], bool]] = (
        lambda past: past.model == model and past.task == task,
        lambda past: past.model == model and past.family == family,
        lambda past: past.architecture == architecture and past.task == task,
        lambda past: past.architecture == architecture and past.family == family,
        lambda past: past.family == family,
        lambda past: past.architecture == architecture,
        lambda past: True,
    )
    similar = next((matches for kind in kinds if (matches := [past for past in ratios if kind(past)])), [])
    seconds = _geometric_median(past.seconds for past in similar)
    return seconds, _geometric_median(past.memory for past in similar if past.memory), len(similar)


def _geometric_median(values: Iterable[float]) -> float:
    """Return the median on a log scale, or 1 for no values."""
    logs = [math.log(value) for value in values]
    return math.exp(statistics.median(logs)) if logs else 1.0
