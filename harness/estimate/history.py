"""What past records tell of cells that have not run yet: of the same cells with other seeds, and of cells that are like them."""

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
from harness.estimate.formula import cost
from harness.estimate.machine import Machine, is_here
from harness.estimate.sizes import TextSize
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import MECHANICS, Recipe, trained_recipe
from harness.store import Record, Store

FEW = 5  # records of one kind that are looked at, the latest: the code may have become faster since the others
MANY = 200  # records that are read in all, so that a plan beside a large folder stays quick
PREFIX = re.compile(r"(?P<kind>.+)--s\d+--\w+$")


@dataclass(frozen=True)
class Past:
    """A record that ended well, and whether it was made on a machine and a slot like those that are asked about."""

    record: Record
    here: bool

    @property
    def seconds(self) -> float:
        """That the cell took."""
        return float(self.record["cost"]["total_seconds"])

    @property
    def memory(self) -> int:
        """Its peak, in bytes; 0 where it was not measured."""
        return int(self.record["cost"].get("peak_memory_bytes") or 0)


def past(store: Store, cells: Iterable[Cell], device: str, threads: int) -> list[Past]:
    """The records that can tell something of these cells: the same but for the seed first, then of the same task or model, then
    any. Of each kind the latest few."""
    try:
        names = os.listdir(store.root / "cells")
    except OSError:
        return []
    kinds: dict[str, list[str]] = {}
    for name in names:
        if match := PREFIX.match(name):
            kinds.setdefault(match["kind"], []).append(name)
    wanted = {cell.id.rpartition("--s")[0] for cell in cells}
    parts = {part for kind in wanted for part in kind.split("--")[:2]}

    def nearness(kind: str) -> int:
        return 0 if kind in wanted else 1 if parts & set(kind.split("--")[:2]) else 2

    def changed(name: str) -> float:
        try:
            return os.stat(store.root / "cells" / name / "record.json").st_mtime
        except OSError:
            return 0.0

    found: list[Past] = []
    for kind in sorted(kinds, key=lambda kind: (nearness(kind), kind)):
        if len(found) >= MANY and nearness(kind):
            break
        latest = kinds[kind] if len(kinds[kind]) <= FEW else sorted(kinds[kind], key=changed)[-FEW:]
        for record in map(store.record, latest):
            if record is not None and record["status"] == "ok" and (record.get("cost") or {}).get("total_seconds"):
                found.append(Past(record, is_here(record.get("environment") or {}, device, threads)))
    return found


def same_but_seed(record: Record, cell: Cell) -> bool:
    """Whether a record is of the same model, task, data, method, recipe and budget. One that was tested is not like a trial."""

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


def size_by_record(record: Record, train_rows: int | None = None) -> dict[str, TextSize] | None:
    """A task's size as one of its records tells it: rows, and tokens of a row as that model's tokeniser cut them.

    Args:
        record: of a cell that ended well.
        train_rows: that another cell learns from; None: as many as this one did.
    """
    rows, cost, training = record["task"].get("rows"), record["cost"], record.get("training") or {}
    recipe = trained_recipe(record)
    seen = (training.get("steps") or 0) * min(recipe.get("batch_size") or 0, (rows or {}).get("train", 0))
    if not rows or not seen or not cost.get("train_tokens"):
        return None
    mean = min(cost["train_tokens"] / seen, recipe.get("max_length") or 10**9)
    counts = {**rows, "train": train_rows or rows["train"]}
    return {
        split: TextSize(count, count * mean, count * mean**2, count * mean, round(2 * mean), training.get("vocabulary"))
        for split, count in counts.items()
        if count
    }


def shape_by_record(record: Record) -> Shape | None:
    """A model as its record's FLOPs tell it; None for records from before they were counted.

    6 operations a weight and token where all are trained, and layers of 12 squares of their width, as Kaplan et al. 2020 count them.
    """
    cost, parameters = record["cost"], record["model"].get("parameters")
    depth, tokens, flops = (cost.get(name) for name in ("depth", "train_tokens", "flops"))
    if not (depth and tokens and flops and parameters):
        return None
    weights = flops / (2 * (1 + METHODS[record["method"]].backward) * tokens)
    width = max(1, round(math.sqrt(weights / (12 * depth))))
    return Shape(depth, 0, width, round(weights), 0, max(0, round((parameters - weights) / width)), parameters)


@dataclass(frozen=True)
class Told:
    """A past cell of here and by how much the formula was off for it: what it took, over what the formula says; `memory` None where it
    was not measured."""

    model: str
    task: str
    architecture: str
    family: str
    seconds: float
    memory: float | None


def told(history: Iterable[Past], shapes: Mapping[str, Shape | None], machine: Machine) -> Iterator[Told]:
    """The past cells of here of which the formula can be asked.

    Args:
        shapes: digest → shape, of models that are known; others are told by their records.
    """
    names = {field.name for field in fields(Recipe)}
    for one in history:
        record, model, task = one.record, one.record["model"], one.record["task"]
        family, size = registry.families().get(task["family"]), size_by_record(record)
        if not one.here or is_trial(record) or record["method"] not in METHODS or not family or not size:
            continue  # of another machine, not tested, or of another version
        shape = shapes.get(model.get("digest", "")) or shape_by_record(record)
        mode = record["environment"].get("precision", "auto")
        speed = shape and (machine.speed(mode, shape.width) or machine.speed("auto", shape.width))
        if not shape or not speed:
            continue
        # What the recipe asked for, not where the training stopped: a stop that is usual for a task is part of its cost.
        try:
            recipe = Recipe(**{name: value for name, value in trained_recipe(record).items() if name in names} | {"precision": mode})
        except BenchError:
            continue
        said = cost(shape, size, family.head, model["architecture"], recipe, speed[0], record["method"])
        memory = one.memory / said.memory if one.memory else None
        name = task["name"].partition("@")[0]
        yield Told(model.get("digest", ""), name, model["architecture"], task["family"], one.seconds / said.seconds, memory)


def correction(cell: Cell, past: Sequence[Told]) -> tuple[float, float, int]:
    """By what to multiply the formula's seconds and bytes, and how many records tell it: the geometric median over the nearest kind of past
    cells of which there are any."""
    model, task, architecture, family = cell.model.digest, cell.task.name, cell.model.architecture, cell.task.family
    kinds: Sequence[Callable[[Told], bool]] = (
        lambda one: one.model == model and one.task == task,
        lambda one: one.model == model and one.family == family,
        lambda one: one.architecture == architecture and one.task == task,
        lambda one: one.architecture == architecture and one.family == family,
        lambda one: one.family == family,
        lambda one: one.architecture == architecture,
        lambda one: True,
    )
    near = next((found for kind in kinds if (found := [one for one in past if kind(one)])), [])
    return _middle(one.seconds for one in near), _middle(one.memory for one in near if one.memory), len(near)


def _middle(values: Iterable[float]) -> float:
    """The geometric median; 1 of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(statistics.median(logs)) if logs else 1.0
