"""The record of a cell that has trained a model."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accelerate import Accelerator
from torch import nn

from harness.cell import Cell, SearchedRecipe
from harness.family import TaskFamily
from harness.fast.prepare import Fast
from harness.heads.base import Feature
from harness.heads.make import FittedHead
from harness.predictions import answer_counts, is_constant, part_scores, task_facts
from harness.store import Record, timestamp
from harness.task_data import TaskData
from harness.training.cost import efficiency, peak_memory
from harness.training.device import environment, precision_of
from harness.training.state import Progress
from harness.trouble import as_facts, trouble


@dataclass
class Outcome:
    """A cell that was trained and evaluated.

    Attributes:
        fitted: the recipe that it was trained by.
        parameters, trainable: of the model as it was built, before its table of words was cut down.
        data: rows, and how they came about.
        warnings: what a look at the data found.
        truncated: split → rows that had to be cut.
        predictions: for the test rows; of a trial those of its last validation.
        metrics, trivial: on the test split, of the model and of what needs no model; empty for a trial.
        account: what it cost, see `harness.training.cell_run.CellRun.account`.
    """

    accelerator: Accelerator
    model: nn.Module
    fitted: FittedHead
    parameters: int
    trainable: int
    fast: Fast
    data: TaskData
    warnings: list[str]
    features: Mapping[str, Sequence[Feature]]
    truncated: Mapping[str, int]
    progress: Progress
    predictions: list[Any]
    metrics: dict[str, Any]
    trivial: dict[str, Any]
    account: dict[str, Any]


def make_record(cell: Cell, family: TaskFamily, outcome: Outcome) -> Record:
    """The record of a cell that ended well."""
    metric, test = family.metric(cell.task), outcome.data.splits["test"]
    tested = {
        "test": outcome.metrics, "trivial": outcome.trivial,
        **part_scores(cell, family, test, outcome.predictions),
    }  # fmt: skip
    record = _record(cell, family, outcome, tested, answer_counts(cell, family, test, outcome.predictions))
    record["score"] = metric.score(outcome.metrics)
    record["trivial_score"] = metric.score(outcome.trivial)
    if isinstance(cell.search, SearchedRecipe):
        record["cost"]["search_seconds"] = cell.search.seconds
    record["training"]["trouble"] = as_facts(trouble(record))
    return record


def trial_record(cell: Cell, family: TaskFamily, outcome: Outcome) -> Record:
    """The record of a trial that ended well, pruned or not: it has a value on validation, and no score."""
    record = _record(cell, family, outcome, {}, {})
    progress = outcome.progress
    record["trial"] = {**record["trial"], "value": progress.best_score, "pruned": progress.pruned}
    return record


def _record(
    cell: Cell, family: TaskFamily, outcome: Outcome, tested: Mapping[str, Any], answered: Mapping[str, Any]
) -> Record:
    """What both have in common; `tested` are metrics of the test split, `answered` counts of its predictions."""
    account, facts = outcome.account, cell.facts()
    return {
        **facts,
        "fitted": outcome.fitted.facts(cell.why, precision_of(outcome.accelerator)),
        "status": "ok",
        "model": {**facts["model"], "parameters": outcome.parameters},
        "task": task_facts(cell, outcome.data, outcome.truncated, outcome.warnings),
        "metrics": {"validation": outcome.progress.validation, **tested},
        "primary_metric": family.metric(cell.task).name,
        "score": None,
        "trivial_score": None,
        "constant": is_constant(outcome.predictions),
        **({"answers": answered} if answered else {}),
        "training": _training(cell, outcome),
        "cost": _cost(outcome),
        "environment": environment(outcome.accelerator),
        "started": timestamp(account["started"]),
        "finished": timestamp(time.time()),
        "error": None,
    }  # fmt: skip


def _training(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    """How the training went; what did not happen has no key."""
    progress, account = outcome.progress, outcome.account
    small = progress.micro_batch_size
    happened = {
        "resumed": account["resumed"],
        "retried": account["retried"],
        "micro_batch_size": small,
        "accumulation": small and math.ceil(outcome.fitted.recipe.batch_size / small),
        "devices": outcome.accelerator.num_processes if outcome.accelerator.num_processes > 1 else None,
    }
    return {
        "steps": progress.steps,
        "best_step": progress.best_step,
        "history": progress.history,
        **outcome.fast.facts(),
        **{name: value for name, value in happened.items() if value},
    }


def _cost(outcome: Outcome) -> dict[str, Any]:
    progress, phases = outcome.progress, outcome.account["phases"]
    evaluate = phases.get("validate", 0.0) + phases.get("test", 0.0)
    return {
        "train_seconds": progress.seconds,
        "evaluate_seconds": evaluate,
        "total_seconds": outcome.account["seconds"],
        "phases": phases,
        "processor_seconds": outcome.account["processor_seconds"],
        "peak_memory_bytes": peak_memory(outcome.accelerator),
        "train_tokens": progress.tokens,
        "padding_share": 1 - progress.tokens / max(1, progress.computed),
        "trainable_parameters": outcome.trainable,
        **efficiency(outcome.accelerator, outcome.model, outcome.features, progress, evaluate),
    }
