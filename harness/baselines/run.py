"""Run the cell of a baseline. No model and no tokeniser is loaded."""

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
from harness.predictions import answer_counts, is_constant, part_scores, prediction_lines, task_facts
from harness.store import Record, Store, timestamp
from harness.task_data import load_data
from harness.train_rows import draw_train_rows
from harness.training.cost import Stopwatch, process_peak
from harness.training.device import environment

if TYPE_CHECKING:
    from harness.training.loop import Emit


def run_baseline(cell: Cell, store: Store, emit: Emit) -> Record:
    """Fit and evaluate a baseline, write its predictions and record, and return the record.

    It runs on the CPU, whatever the device of the slot. The record has the same keys as that of a trained model.

    Args:
        cell: a cell whose model is a `Baseline.checkpoint`.
        store: the results folder; the caller holds the claim of the cell.
        emit: is called with an event at the start of each phase.

    Raises:
        BenchError: the number of predictions differs from that of the rows, or data cannot be read.
        Exception: any other error; no record is written then.
    """
    started, clock, processor = time.time(), time.perf_counter(), time.process_time()
    watch, family, task = Stopwatch(emit), registry.family(cell.task.family), cell.task
    watch.begin("data")
    data = draw_train_rows(load_data(task, family), family, cell.train_rows, cell.seed)
    splits = data.splits
    watch.begin("check")
    data_warnings = warnings(data, task, family)
    emit({"event": "warnings", "warnings": data_warnings})

    def predict(predictor: Predictor, split: str) -> list[Any]:
        predictions = predictor.predict(splits[split])
        if len(predictions) != len(splits[split]):
            raise BenchError(
                f"baseline {cell.model.name!r} gives {len(predictions)} predictions for the {len(splits[split])} rows of"
                f" {split}; `predict` must give one for each row"
            )
        return predictions

    def score(split: str, predictions: list[Any]) -> dict[str, Any]:
        return family.score(predictions, [family.reference(row, task) for row in splits[split]], task)

    # One thread: the threads of several cells would mostly wait for each other, and sums would depend on their number.
    with threadpool_limits(1):
        watch.begin("train")
        predictor = registry.baselines()[cell.model.name].fit(splits["train"], splits["validation"], task, cell.seed)
        watch.begin("validate")
        validation = score("validation", predict(predictor, "validation"))
        watch.begin("test")
        predictions = predict(predictor, "test")
    watch.begin("score")
    test = score("test", predictions)
    trivial = score("test", family.trivial(splits["train"], splits["test"], task))
    watch.end()
    facts_of_machine = {**environment(torch.device("cpu"), ""), "threads": 1}
    del facts_of_machine["precision"]  # baselines have none
    phases, metric, facts = watch.so_far(), family.metric(task), cell.facts()
    record = {
        **facts,
        "status": "ok",
        "model": {**facts["model"], "parameters": predictor.parameters},
        "task": task_facts(cell, data, dict.fromkeys(splits, 0), data_warnings),
        "metrics": {
            "validation": validation, "test": test, "trivial": trivial,
            **part_scores(cell, family, splits["test"], predictions),
        },
        "primary_metric": metric.name,
        "score": metric.score(test),
        "trivial_score": metric.score(trivial),
        "constant": is_constant(predictions),
        "answers": answer_counts(cell, family, splits["test"], predictions),
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
        "environment": facts_of_machine,
        "started": timestamp(started),
        "finished": timestamp(time.time()),
        "error": None,
    }  # fmt: skip
    store.write(record, prediction_lines(cell, family, splits["test"], predictions))
    return record
