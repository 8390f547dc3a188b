"""How far past cells were from what a calibration would have said of them: what sets it right for cells like them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.errors import BenchError
from harness.estimate.history import Past, size_by_record
from harness.estimate.memory import held
from harness.estimate.speed import Speed
from harness.estimate.work import work
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import Recipe, trained_by


@dataclass(frozen=True)
class Observed:
    """A past cell.

    Attributes:
        model: the digest.
        task: the name, without a limit.
        ratios: part of a cell, or `memory` → measured by estimated.
    """

    model: str
    architecture: str
    task: str
    head: str
    ratios: Mapping[str, float]


def observe(history: Sequence[Past], shapes: Mapping[str, Shape | None], speed: Speed) -> list[Observed]:
    """Past cells whose work can be counted: their model is known, or they say themselves what they computed."""
    found = []
    for one in history:
        record, cost, model = one.record, one.record["cost"], one.record["model"]
        method = record["method"]
        if method not in METHODS:  # of another version
            continue
        family = registry.families().get(record["task"]["family"])
        size, recipe = size_by_record(record), _recipe(trained_by(record))
        shape = shapes.get(model.get("digest", "")) or shape_by_record(record)
        if family is None or size is None or recipe is None or shape is None:
            continue
        # What the recipe asked for, not where the training stopped: a stop that is usual for a task is part of its cost.
        done = work(shape, size, family.head, model["architecture"], recipe, None, speed.pads, method)
        said = speed.of(done)
        took = {"train": cost.get("train_seconds"), "evaluate": cost.get("evaluate_seconds")}
        said["evaluate"] += said.pop("generate")
        if all(took.values()):
            took["other"] = cost["total_seconds"] - sum(took.values())
        ratios = {part: value / said[part] for part, value in took.items() if value and value > 0 and said[part] > 0}
        ratios["generate"] = ratios.get("evaluate", 1.0)
        extra = speed.memory(held(shape, size, family.head, model["architecture"], recipe, method)) - speed.base_bytes
        if one.memory > speed.base_bytes and extra > 0:
            ratios["memory"] = (one.memory - speed.base_bytes) / extra
        name = record["task"]["name"].partition("@")[0]
        found.append(Observed(model.get("digest", ""), model["architecture"], name, family.head, ratios))
    return found


def correction(observed: Sequence[Observed], cell: Cell, head: str) -> tuple[dict[str, float], int]:
    """(part → factor, records that it comes from): the geometric median over the nearest kind of which there are any."""
    model, task, architecture = cell.model.digest, cell.task.name, cell.model.architecture
    kinds = (
        lambda one: one.model == model and one.task == task,
        lambda one: one.model == model and one.head == head,
        lambda one: one.architecture == architecture and one.task == task,
        lambda one: one.architecture == architecture and one.head == head,
        lambda one: one.head == head,
        lambda one: one.architecture == architecture,
        lambda one: True,
    )
    for like in kinds:
        near = [one.ratios for one in observed if like(one)]
        if near:
            parts = {part for ratios in near for part in ratios}
            return {part: _middle([ratios[part] for ratios in near if part in ratios]) for part in parts}, len(near)
    return {}, 0


def shape_by_record(record: Mapping[str, Any]) -> Shape | None:
    """A model as its record's FLOPs tell it; None for records from before they were counted.

    6 operations a weight and token where all are trained, and layers of 12 squares of their width, as Kaplan et al. 2020 count them.
    """
    cost = record["cost"]
    depth, tokens, flops, parameters = (
        cost.get("depth"),
        cost.get("train_tokens"),
        cost.get("flops"),
        record["model"].get("parameters"),
    )
    if not (depth and tokens and flops and parameters):
        return None
    weights = flops / (2 * (1 + METHODS[record["method"]].backward) * tokens)
    width = max(1, round(math.sqrt(weights / (12 * depth))))
    return Shape(depth, 0, width, round(weights), 0, max(0, round((parameters - weights) / width)), parameters)


def _recipe(values: Mapping[str, Any]) -> Recipe | None:
    """A record's recipe; keys of other versions are left out."""
    names = {field.name for field in fields(Recipe)}
    try:
        return Recipe(**{name: value for name, value in values.items() if name in names})
    except BenchError:
        return None


def _middle(values: Sequence[float]) -> float:
    return math.exp(statistics.median(math.log(value) for value in values))
