"""One cell from data to predictions, in one precision."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from accelerate.utils import set_seed

from harness import registry
from harness.adapt import adapt
from harness.cache.encoded import CachedEncoder
from harness.cell import Trial
from harness.check.report import warnings
from harness.fast.prepare import prepare
from harness.fast.tokenizer_check import SAMPLE_ROWS, check_text
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors
from harness.heads.make import fitted_head
from harness.methods import METHODS
from harness.task_data import load_data
from harness.train_rows import draw_train_rows
from harness.training.cell_run import CellRun
from harness.training.checkpoint import Progress
from harness.training.checkpointer import Checkpointer
from harness.training.cost import out_of_memory
from harness.training.device import make_accelerator
from harness.training.evaluate import predict
from harness.training.half_precision import agrees_with_fp32, check_one_row
from harness.training.loop import train
from harness.training.outcome import Outcome
from harness.training.together import Team
from harness.training.weights import Weights


class Attempt:
    """Trains and evaluates a cell in one precision.

    Args:
        cell_run: the cell, which resumes from its checkpoint if it has one.
        precision: `fp32`, `bf16` or `fp16`.
    """

    def __init__(self, cell_run: CellRun, precision: str):
        self.cell_run, self.precision = cell_run, precision
        self.cell, self.stopwatch, self.emit = cell_run.cell, cell_run.stopwatch, cell_run.context.emit
        self.family = registry.family(self.cell.task.family)
        set_seed(self.cell.seed)
        self.accelerator = make_accelerator(cell_run.context.device, precision)
        self.team = Team(self.accelerator)
        self.validation_predictions: list[Any] = []

    def run(self) -> Outcome:
        """Train and evaluate the cell. A trial of a search is not tested.

        Raises:
            FloatingPointError: half precision gave infinite or NaN numbers, or cannot compute the model.
            Interrupted: the cell was asked to stop; its state is saved.
        """
        cell, task, family, stopwatch = self.cell, self.cell.task, self.family, self.stopwatch
        stopwatch.begin("data")
        data = load_data(task, family)
        labels = family.labels(data.splits, task)  # of all rows: the head is the same however few of them are drawn
        data = draw_train_rows(data, family, cell.train_rows, cell.seed)
        self.splits = data.splits
        stopwatch.begin("check")
        data_warnings = warnings(data, task, family)
        self.emit({"event": "warnings", "warnings": data_warnings})
        stopwatch.begin("model")
        fitted = fitted_head(cell, family, labels, self.splits)
        self.head, self.recipe = fitted.head, fitted.recipe
        self.emit({"event": "recipe", "recipe": fitted.facts(cell.why, self.precision)})
        model = self.head.build()
        adapt(model, METHODS[cell.method], self.head.pretrained, self.recipe)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        stopwatch.begin("encode")
        unread_text = check_text(self.head, [family.example(row, task) for row in self.splits["train"][:SAMPLE_ROWS]])
        self.features, truncated = self._encode(self.head)
        stopwatch.begin("model")
        try:
            model.to(self.accelerator.device)
            self.fast = prepare(model, self.head, list(self.features.values()), self.features["train"])
        except OUT_OF_MEMORY:
            raise out_of_memory("training", self.head.max_length) from None
        self.fast.notes += [note for note in (self.head.pretrained.left_out, unread_text) if note]
        self.emit({"event": "notes", "notes": self.fast.notes})
        # Not wrapped for several processes: `Step` adds up their gradients, weighted by the terms of each process.
        self.model = self.accelerator.prepare_model(model, evaluation_mode=True)
        progress = self._train()
        predictions, metrics, trivial = self.validation_predictions, {}, {}
        if not cell.is_trial:
            stopwatch.begin("test")
            predictions = self._predict("test")
            stopwatch.begin("score")
            metrics = self._score("test", predictions)
            trivial = self._score("test", family.trivial(self.splits["train"], self.splits["test"], task))
        stopwatch.end()
        return Outcome(
            accelerator=self.accelerator, model=self.model, fitted=fitted, parameters=parameters, trainable=trainable, fast=self.fast,
            data=data, warnings=data_warnings, features=self.features, truncated=truncated, progress=progress,
            predictions=predictions, metrics=metrics, trivial=trivial, account=self.cell_run.account(self.precision),
        )  # fmt: skip

    def agrees_with_fp32(self) -> bool:
        """After `run`: return whether half precision computed the model as fp32 would, on every process.

        The model is in fp32 afterwards.
        """
        agrees = agrees_with_fp32(
            self.accelerator, self.model, self.weights, self.head, self.fast, self.features["train"]
        )  # fmt: skip
        return self.team.sum(agrees)[0] == self.team.size

    def _encode(self, head: Head) -> tuple[dict[str, Sequence[Feature]], dict[str, int]]:
        """Return the features of each split, and how many rows of each split were truncated."""
        features, truncated, encoder = {}, {}, CachedEncoder(head)
        for split, rows in self.splits.items():
            if self.cell.is_trial and split == "test":
                continue
            examples = [self.family.example(row, self.cell.task) for row in rows]
            features[split] = encoder.encode(examples, training=split == "train")
            truncated[split], head.truncated = head.truncated, 0
        return features, truncated

    def _train(self) -> Progress:
        cell, cell_run, context, team = self.cell, self.cell_run, self.cell_run.context, self.team
        if team.rank:
            set_seed(cell.seed + team.rank * 1_000_003)  # equal weights, but other rows need other dropout
        weights = Weights(self.model, half=self.precision == "bf16" and self.accelerator.device.type == "cpu")
        self.weights = weights
        if cell_run.saved and (reason := cell_run.saved.mismatch(weights, team.size)):
            cell_run.discard_checkpoint(reason)
        if self.precision != "fp32":
            check_one_row(self.accelerator, self.model, weights, self.head, self.fast, self.features["train"])
        self.checkpointer = Checkpointer(
            cell_run.path, cell_run.saved, context.every, context.interruption, team,
            lambda: cell_run.account(self.precision), self.emit,
        )  # fmt: skip
        gc.enable()  # the engine has switched it off, see `harness.engines.worker_process`
        self.stopwatch.begin("train")
        return train(
            self.accelerator, weights, self.head, self.fast, self.features["train"], self._validate, self.recipe,
            cell.seed, self.emit, self.checkpointer, cell.search.thresholds if isinstance(cell.search, Trial) else (), cell.budget,
        )  # fmt: skip

    def _validate(self) -> tuple[float, dict[str, Any]]:
        """Return the task's primary metric in 0-100, and all metrics."""
        self.stopwatch.begin("validate")
        self.validation_predictions = self._predict("validation")
        metrics = self._score("validation", self.validation_predictions)
        self.stopwatch.begin("train")
        return self.family.metric(self.cell.task).score(metrics), metrics

    def _predict(self, split: str) -> list[Any]:
        def report_progress(done: int, total: int) -> None:
            self.emit({"event": "evaluate", "split": split, "done": done, "total": total})
            if self.team.size == 1:  # several processes have unlike numbers of batches, so they cannot decide together
                self.checkpointer.poll()

        rows = self.splits[split]
        # What cannot be computed in half precision is tried in fp32 (`harness.training.worker`). In fp32 the error is the cell's.
        half = library_errors("a prediction in half precision") if self.precision != "fp32" else nullcontext()
        try:
            with half:
                outputs = predict(
                    self.accelerator, self.model, self.head, self.features[split], len(rows), self.recipe.eval_batch_size,
                    progress=report_progress, fast=self.fast,
                )  # fmt: skip
        except LibraryError as error:
            raise FloatingPointError(f"a prediction cannot be computed ({error})") from error
        return [self.family.prediction(output, row, self.cell.task) for output, row in zip(outputs, rows, strict=True)]

    def _score(self, split: str, predictions: list[Any]) -> dict[str, Any]:
        references = [self.family.reference(row, self.cell.task) for row in self.splits[split]]
        return self.family.score(predictions, references, self.cell.task)
