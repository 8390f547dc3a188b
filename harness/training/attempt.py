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
from harness.fast.rows_tried import READ, check_text
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors
from harness.heads.make import fitted_head
from harness.methods import METHODS
from harness.task_data import load_data
from harness.train_rows import draw_train_rows
from harness.training.cell_run import CellRun
from harness.training.cost import advise
from harness.training.device import make_accelerator
from harness.training.evaluate import predict
from harness.training.faithful import is_faithful, try_half
from harness.training.keeper import Keeper
from harness.training.loop import train
from harness.training.outcome import Outcome
from harness.training.together import Team
from harness.training.weights import Weights


class Attempt:
    """Trains and evaluates a cell in a precision.

    Args:
        under: the cell, which is trained from its checkpoint on where it has one.
        precision: `fp32`, `bf16` or `fp16`.
    """

    def __init__(self, under: CellRun, precision: str):
        self.under, self.precision = under, precision
        self.cell, self.watch, self.emit = under.cell, under.watch, under.place.emit
        self.family = registry.family(self.cell.task.family)
        set_seed(self.cell.seed)
        self.accelerator = make_accelerator(under.place.device, precision)
        self.team = Team(self.accelerator)
        self.validated: list[Any] = []

    def run(self) -> Outcome:
        """Train and evaluate; a trial of a search is not tested.

        Raises:
            FloatingPointError: the loss is no finite number any more.
            Interrupted: the cell was report_progress to end; its state is saved.
        """
        cell, task, family, watch = self.cell, self.cell.task, self.family, self.watch
        watch.begin("data")
        data = load_data(task, family)
        labels = family.labels(data.splits, task)  # of all rows: the head is the same however few are drawn
        data = draw_train_rows(data, family, cell.train_rows, cell.seed)
        self.splits = data.splits
        watch.begin("check")
        data_warnings = warnings(data, task, family)
        self.emit({"event": "warnings", "warnings": data_warnings})
        watch.begin("model")
        fitted = fitted_head(cell, family, labels, self.splits)
        self.head, self.recipe = fitted.head, fitted.recipe
        self.emit({"event": "recipe", "recipe": fitted.facts(cell.why, self.precision)})
        model = self.head.build()
        adapt(model, METHODS[cell.method], self.head.pretrained, self.recipe)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        watch.begin("encode")
        unread = check_text(self.head, [family.example(row, task) for row in self.splits["train"][:READ]])
        self.features, truncated = self._encode(self.head)
        watch.begin("model")
        try:
            model.to(self.accelerator.device)
            self.fast = prepare(model, self.head, list(self.features.values()), self.features["train"])
        except OUT_OF_MEMORY:
            raise advise("training", self.head.max_length) from None
        self.fast.notes += [note for note in (fitted.head.pretrained.left_out, unread) if note]
        self.emit({"event": "notes", "notes": self.fast.notes})
        # Not wrapped for several processes: `Step` adds their gradients up, weighted by what each has seen.
        self.model = self.accelerator.prepare_model(model, evaluation_mode=True)
        progress = self._train()
        predictions, metrics, trivial = self.validated, {}, {}
        if not cell.is_trial:
            watch.begin("test")
            predictions = self._answers("test")
            watch.begin("score")
            metrics = self._score("test", predictions)
            trivial = self._score("test", family.trivial(self.splits["train"], self.splits["test"], task))
        watch.end()
        return Outcome(
            accelerator=self.accelerator, model=self.model, fitted=fitted, parameters=parameters, trainable=trainable, fast=self.fast,
            data=data, warnings=data_warnings, features=self.features, truncated=truncated, progress=progress,
            predictions=predictions, metrics=metrics, trivial=trivial, account=self.under.account(self.precision),
        )  # fmt: skip

    def is_faithful(self) -> bool:
        """After `run`: whether half precision computed the model as fp32 would, on every process. The model ends in fp32."""
        ours = is_faithful(
            self.accelerator, self.model, self.weights, self.head, self.fast, self.features["train"]
        )  # fmt: skip
        return self.team.sum(ours)[0] == self.team.size

    def _encode(self, head: Head) -> tuple[dict[str, Sequence[Feature]], dict[str, int]]:
        """Split → features, and how many of its rows were cut."""
        features, truncated, encoder = {}, {}, CachedEncoder(head)
        for split, rows in self.splits.items():
            if self.cell.is_trial and split == "test":
                continue
            examples = [self.family.example(row, self.cell.task) for row in rows]
            features[split] = encoder.encode(examples, training=split == "train")
            truncated[split], head.truncated = head.truncated, 0
        return features, truncated

    def _train(self) -> Any:
        cell, under, team = self.cell, self.under, self.team
        if team.rank:
            set_seed(cell.seed + team.rank * 1_000_003)  # the same weights, but other rows need other dropout
        weights = Weights(self.model, half=self.precision == "bf16" and self.accelerator.device.type == "cpu")
        self.weights = weights
        if under.found and (why := under.found.misfit(weights, team.size)):
            under.unusable(why)
        if self.precision != "fp32":
            try_half(self.accelerator, self.model, weights, self.head, self.fast, self.features["train"])
        place = under.place
        self.keeper = Keeper(
            under.path, under.found, place.every, place.interruption, team,
            lambda: under.account(self.precision), self.emit,
        )  # fmt: skip
        gc.enable()  # see `harness.engines.worker_process`
        self.watch.begin("train")
        return train(
            self.accelerator, weights, self.head, self.fast, self.features["train"], self._validate, self.recipe,
            cell.seed, self.emit, self.keeper, cell.search.thresholds if isinstance(cell.search, Trial) else (), cell.budget,
        )  # fmt: skip

    def _validate(self) -> tuple[float, dict[str, Any]]:
        """The task's metric in 0-100, and all metrics."""
        self.watch.begin("validate")
        self.validated = self._answers("validation")
        metrics = self._score("validation", self.validated)
        self.watch.begin("train")
        return self.family.metric(self.cell.task).score(metrics), metrics

    def _answers(self, split: str) -> list[Any]:
        def report_progress(done: int, total: int) -> None:
            self.emit({"event": "evaluate", "split": split, "done": done, "total": total})
            if self.team.size == 1:  # several have batches of unlike number, and could not decide together
                self.keeper.poll()

        rows = self.splits[split]
        # What a library cannot compute in half precision is tried in fp32 (`harness.training.worker`); in fp32 the error is the cell's.
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
