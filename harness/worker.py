"""One cell from data to record, in a process of its own."""

from __future__ import annotations

import gc
import resource
import sys
import time
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from harness import registry
from harness.cache.encoded import Encoder
from harness.cell import Cell
from harness.check.report import warnings
from harness.family import Row, TaskFamily
from harness.fast.prepare import prepare
from harness.heads.make import make_head
from harness.metrics.slices import by_slice
from harness.rows import load
from harness.store import Record, Store, timestamp
from harness.training.cost import efficiency
from harness.training.device import environment, make_accelerator
from harness.training.evaluate import predict
from harness.training.loop import Emit, train


class Stopwatch:
    """Seconds by phase; announces each phase as it begins."""

    def __init__(self, emit: Emit):
        self.emit, self.seconds = emit, {}
        self.phase, self.started = "", time.perf_counter()

    def begin(self, phase: str) -> None:
        """End the current phase and begin another; the same name adds up."""
        self.end()
        self.phase = phase
        self.emit({"event": "phase", "phase": phase})

    def end(self) -> None:
        """End the current phase."""
        now = time.perf_counter()
        if self.phase:
            self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.started
        self.phase, self.started = "", now


def run_cell(cell: Cell, device: str, store: Store, emit: Emit) -> Record:
    """Train and evaluate a cell, write its predictions and record, and return the record.

    Args:
        cell: what to do.
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder.
        emit: is told of phases, steps and validations.

    Raises:
        Exception: whatever went wrong; no record is written then.
    """
    begun, watch = time.time(), Stopwatch(emit)
    family, task, recipe = registry.family(cell.task.family), cell.task, cell.recipe
    set_seed(cell.seed)
    accelerator = make_accelerator(device, recipe.precision, cell.model.avoid)

    watch.begin("data")
    data = load(task, family)
    splits = data.splits
    watch.begin("check")
    doubts = warnings(data, task, family)
    emit({"event": "warnings", "warnings": doubts})
    watch.begin("model")
    head = make_head(cell, family, family.labels(splits, task))
    model = head.build()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)

    watch.begin("encode")
    truncated, features, encoder = {}, {}, Encoder(head)
    for split, rows in splits.items():
        features[split] = encoder.encode([family.example(row, task) for row in rows], training=split == "train")
        truncated[split], head.truncated = head.truncated, 0
    watch.begin("model")
    fast = prepare(model.to(accelerator.device), head, list(features.values()), features["train"])
    model = accelerator.prepare(model)

    def answers(split: str) -> list[Any]:
        rows = splits[split]
        outputs = predict(
            accelerator, model, head, features[split], len(rows), recipe.eval_batch_size,
            progress=lambda done, total: emit({"event": "evaluate", "split": split, "done": done, "total": total}),
            fast=fast,
        )  # fmt: skip
        return [family.prediction(output, row, task) for output, row in zip(outputs, rows, strict=True)]

    def score(split: str, predictions: list[Any]) -> dict[str, Any]:
        return family.score(predictions, [family.reference(row, task) for row in splits[split]], task)

    def validate() -> tuple[float, dict[str, Any]]:
        watch.begin("validate")
        metrics = score("validation", answers("validation"))
        watch.begin("train")
        return metrics[family.primary_metric] * family.scale, metrics

    gc.enable()  # see `harness.engines.child`
    watch.begin("train")
    outcome = train(accelerator, model, head, fast, features["train"], validate, recipe, cell.seed, emit)
    watch.begin("test")
    predictions = answers("test")
    watch.begin("score")
    metrics = score("test", predictions)
    trivial = score("test", family.trivial(splits["train"], splits["test"], task))
    slices = phenomena(family, cell, splits["test"], predictions)
    watch.end()

    primary = family.primary_metric
    facts = cell.facts()
    record = {
        **facts,
        "status": "ok",
        "model": {**facts["model"], "parameters": parameters},
        "task": {
            **facts["task"],
            "split_rule": data.rule,
            "rows": {split: len(rows) for split, rows in splits.items()},
            "rows_without_limit": data.whole,
            "truncated": truncated,
            "warnings": doubts,
        },
        "metrics": {"validation": outcome.validation, "test": metrics, "trivial": trivial, "phenomena": slices},
        "primary_metric": primary,
        "score": metrics[primary] * family.scale,
        "trivial_score": trivial[primary] * family.scale,
        "constant": len(predictions) > 1 and all(prediction == predictions[0] for prediction in predictions),
        "training": {
            "steps": outcome.steps,
            "best_step": outcome.best_step,
            "history": outcome.history,
            **fast.facts(),
        },
        "cost": {
            "train_seconds": outcome.seconds,
            "evaluate_seconds": watch.seconds["validate"] + watch.seconds["test"],
            "total_seconds": time.time() - begun,
            "phases": watch.seconds,
            "processor_seconds": time.process_time(),
            "peak_memory_bytes": peak_memory(accelerator),
            "train_tokens": outcome.tokens,
            "padding_share": 1 - outcome.tokens / max(1, outcome.computed),
            "trainable_parameters": trainable,
            **efficiency(accelerator, model, features, outcome, watch.seconds["validate"] + watch.seconds["test"]),
        },
        "environment": environment(accelerator),
        "started": timestamp(begun),
        "finished": timestamp(time.time()),
        "error": None,
    }
    lines = (
        {"id": row["id"], "prediction": prediction, "reference": family.reference(row, task)}
        | ({"phenomenon": row["phenomenon"]} if "phenomenon" in row else {})
        for row, prediction in zip(splits["test"], predictions, strict=True)
    )
    store.write(record, lines)
    return record


def phenomena(family: TaskFamily, cell: Cell, rows: list[Row], predictions: list[Any]) -> dict[str, Any]:
    """Phenomenon → its rows and score (0-100), where the test rows are tagged."""
    if not all("phenomenon" in row for row in rows):
        return {}

    def compute(predictions: list[Any], references: list[Any]) -> dict[str, Any]:
        return {"score": family.score(predictions, references, cell.task)[family.primary_metric] * family.scale}

    references = [family.reference(row, cell.task) for row in rows]
    return by_slice(compute, predictions, references, [row["phenomenon"] for row in rows])


def peak_memory(accelerator: Accelerator) -> int:
    """Bytes: of the GPU's allocator, or the process's largest resident size."""
    if accelerator.device.type == "cuda":
        return torch.cuda.max_memory_allocated(accelerator.device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
