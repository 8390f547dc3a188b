"""The result of a trained cell, and the record that is made of it."""

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
from harness.fast.prepare import BatchComputer
from harness.heads.base import Feature
from harness.heads.make import FittedHead
from harness.predictions import answer_counts, is_constant, part_scores, task_facts
from harness.store import Record, timestamp
from harness.task_data import TaskData
from harness.training.checkpoint import Progress
from harness.training.cost import efficiency, peak_memory
from harness.training.device import environment, precision_of
from harness.trouble import as_facts, trouble


@dataclass
class Outcome:
    """The result of a cell that was trained and evaluated.

    Attributes:
        fitted: the head, and the recipe that it was trained with.
        parameters, trainable: numbers of weights of the model as it was built, before its embedding table was cut down.
        data: rows, and where they come from.
        warnings: about the data.
        truncated: split → number of truncated rows.
        predictions: for the test rows; for a trial, those of its last validation.
        metrics, trivial: on the test split, of the model and of the trivial answer; empty for a trial.
        account: what the cell cost, see `harness.training.cell_run.CellRun.account`.
    """

    accelerator: Accelerator
    model: nn.Module
    fitted: FittedHead
    parameters: int
    trainable: int
    fast: BatchComputer
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
    """Return the record of a finished cell."""
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
    """Return the record of a finished or pruned trial. It has a value on the validation split and no score."""
    record = _record(cell, family, outcome, {}, {})
    progress = outcome.progress
    record["trial"] = {**record["trial"], "value": progress.best_score, "pruned": progress.pruned}
    return record


def _record(
    cell: Cell, family: TaskFamily, outcome: Outcome, tested: Mapping[str, Any], answered: Mapping[str, Any]
) -> Record:
    """Return what all records have; `tested` are metrics of the test split, `answered` are counts of its predictions."""
    account, facts, precision = outcome.account, cell.facts(), precision_of(outcome.accelerator)
    return {
        **facts,
        "fitted": outcome.fitted.facts(cell.why, precision),
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
        "environment": environment(outcome.accelerator.device, precision),
        "started": timestamp(account["started"]),
        "finished": timestamp(time.time()),
        "error": None,
    }  # fmt: skip


def _training(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    """Return how the training went, without keys for what did not happen."""
    progress, account, size = outcome.progress, outcome.account, outcome.progress.micro_batch_size
    happened = {
        "resumed": account["resumed"],
        "retried": account["retried"],
        "micro_batch_size": size,
        "accumulation": size and math.ceil(outcome.fitted.recipe.batch_size / size),
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
