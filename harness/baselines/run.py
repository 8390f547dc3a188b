"""One cell of a baseline, from data to record. No model and no tokeniser is loaded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from threadpoolctl import threadpool_limits

from harness import registry
from harness.baseline import Predictor
from harness.cell import Cell
from harness.check.report import warnings
from harness.errors import BenchError
from harness.predictions import answers as counts
from harness.predictions import is_constant, lines, phenomena, slices, task_facts
from harness.store import Record, Store, timestamp
from harness.task_data import load_data
from harness.train_rows import draw_train_rows
from harness.training.cost import Stopwatch, process_peak
from harness.training.device import surroundings

if TYPE_CHECKING:
    from harness.training.loop import Emit


def run_baseline(cell: Cell, store: Store, emit: Emit) -> Record:
    """Fit and evaluate a baseline, write its predictions and record, and return the record.

    It runs on the CPU, whatever the slot's device; its record has the keys that a trained model's has.

    Args:
        cell: what to do; its model is a `Baseline.checkpoint`.
        store: the results folder; the caller has the cell's claim.
        emit: is told of phases.

    Raises:
        BenchError: the baseline gives another number of predictions than there are rows, or data cannot be read.
        Exception: whatever else went wrong; no record is written then.
    """
    started, clock, processor = time.time(), time.perf_counter(), time.process_time()
    watch, family, task = Stopwatch(emit), registry.family(cell.task.family), cell.task
    watch.begin("data")
    data = draw_train_rows(load_data(task, family), family, cell.train_rows, cell.seed)
    splits = data.splits
    watch.begin("check")
    data_warnings = warnings(data, task, family)
    emit({"event": "warnings", "warnings": data_warnings})

    def answers(predictor: Predictor, split: str) -> list[Any]:
        predictions = predictor.predict(splits[split])
        if len(predictions) != len(splits[split]):
            raise BenchError(
                f"baseline {cell.model.name!r} gives {len(predictions)} predictions for the {len(splits[split])} rows of"
                f" {split}; `predict` must give one for each row"
            )
        return predictions

    def score(split: str, predictions: list[Any]) -> dict[str, Any]:
        return family.score(predictions, [family.reference(row, task) for row in splits[split]], task)

    # One thread: threads of several cells would wait for each other far longer than they compute, and sums must not depend on them.
    with threadpool_limits(1):
        watch.begin("train")
        predictor = registry.baselines()[cell.model.name].fit(splits["train"], splits["validation"], task, cell.seed)
        watch.begin("validate")
        validation = score("validation", answers(predictor, "validation"))
        watch.begin("test")
        predictions = answers(predictor, "test")
    watch.begin("score")
    test = score("test", predictions)
    trivial = score("test", family.trivial(splits["train"], splits["test"], task))
    watch.end()
    phases, metric, facts = watch.so_far(), family.metric(task), cell.facts()
    record = {
        **facts,
        "status": "ok",
        "model": {**facts["model"], "parameters": predictor.parameters},
        "task": task_facts(cell, data, dict.fromkeys(splits, 0), data_warnings),
        "metrics": {
            "validation": validation, "test": test, "trivial": trivial,
            "phenomena": phenomena(cell, family, splits["test"], predictions),
            "slices": slices(cell, family, splits["test"], predictions),
        },
        "primary_metric": metric.name,
        "score": metric.score(test),
        "trivial_score": metric.score(trivial),
        "constant": is_constant(predictions),
        "answers": counts(cell, family, splits["test"], predictions),
        "training": {
            "steps": 0, "best_step": 0, "history": [],
            **({"choice": dict(predictor.choice)} if predictor.choice else {}),
        },
        "cost": {
            "train_seconds": phases["train"],
            "evaluate_seconds": phases["validate"] + phases["test"],
            "total_seconds": time.perf_counter() - clock,
            "phases": phases,
            "processor_seconds": time.process_time() - processor,
            "peak_memory_bytes": process_peak(),
            "train_tokens": 0,
            "trainable_parameters": predictor.parameters,
        },
        "environment": _environment(),
        "started": timestamp(started),
        "finished": timestamp(time.time()),
        "error": None,
    }  # fmt: skip
    store.write(record, lines(cell, family, splits["test"], predictions))
    return record


def _environment() -> dict[str, Any]:
    """One thread, whatever the slot has, and no precision: nothing is cut to one."""
    facts = {**surroundings(torch.device("cpu"), ""), "threads": 1}
    return {name: value for name, value in facts.items() if name != "precision"}
