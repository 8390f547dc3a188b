"""One cell from data to record, in a process of its own."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

from accelerate.utils import set_seed

from harness import registry
from harness.adapt.apply import adapt
from harness.cache.encoded import Encoder
from harness.cell import Cell
from harness.check.report import warnings
from harness.duration import NEVER, Every
from harness.fast.prepare import prepare
from harness.heads.make import make_head
from harness.methods import METHODS
from harness.outcome import Outcome, make_record, trial_record
from harness.predicted import is_constant, lines
from harness.rows import load
from harness.searched import Trial
from harness.store import Record, Store
from harness.train_rows import drawn
from harness.training.checkpoint import Checkpoint, Unusable
from harness.training.device import make_accelerator, precisions
from harness.training.evaluate import predict
from harness.training.interrupt import Interruption
from harness.training.keeper import Keeper
from harness.training.loop import Emit, train
from harness.training.stopwatch import Stopwatch
from harness.training.team import Team
from harness.training.weights import Weights


def run_cell(
    cell: Cell,
    device: str,
    store: Store,
    emit: Emit,
    every: Every = NEVER,
    interruption: Interruption | None = None,
) -> Record:
    """Train and evaluate a cell, write its predictions and record, and return the record.

    A trial of a search ends after its training, and never predicts or scores a row of the test split.
    A training that was interrupted goes on from its last checkpoint. Where half precision gives a loss that is no number, or
    one and the same prediction for every row, the cell is run once more in fp32.

    Args:
        cell: what to do.
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder; the caller has the cell's claim.
        emit: is told of phases, steps and validations.
        every: how often the state of the training is saved.
        interruption: asks the cell to end early.

    Raises:
        Interrupted: it was asked to; its state is saved.
        Exception: whatever else went wrong; no record is written then.
    """
    run = Run(cell, device, store, emit, every, interruption or Interruption())
    tries = precisions(device, cell.recipe.precision, cell.model.avoid)
    if run.before.get("precision") in tries:
        tries = tries[tries.index(run.before["precision"]) :]
    for precision in tries:
        try:
            outcome = run.attempt(precision)
        except FloatingPointError as error:
            run.forget()
            if precision == tries[-1]:
                raise
            run.retried = f"{error} in {precision}"
            continue
        if precision == tries[-1] or not is_constant(outcome.predictions):
            break
        run.forget()
        run.retried = f"one and the same prediction for every row in {precision}"
    return run.finish(outcome)


class Run:
    """A cell under way.

    Attributes:
        found: the checkpoint that it goes on from, if any.
        retried: why the cell was run again in fp32, or "".
    """

    def __init__(self, cell: Cell, device: str, store: Store, emit: Emit, every: Every, interruption: Interruption):
        self.cell, self.device, self.store, self.emit = cell, device, store, emit
        self.every, self.interruption = every, interruption
        self.family = registry.family(cell.task.family)
        self.begun, self.clock, self.watch = time.time(), time.perf_counter(), Stopwatch(emit)
        self.found = _load(store, cell)
        self.retried: str = self.before.get("retried", "")

    @property
    def before(self) -> dict[str, Any]:
        """What the cell had cost when the checkpoint was made that it goes on from; empty where there is none."""
        return self.found.values["account"] if self.found else {}

    def account(self, precision: str) -> dict[str, Any]:
        """What the cell has cost so far, the time before any break included, and what else a record has to tell of that."""
        phases = self.watch.so_far()
        earlier = self.before.get("phases", {})
        return {
            "precision": precision,
            "retried": self.retried,
            "resumed": self.before.get("resumed", 0) + bool(self.before),
            "started": self.before.get("started", self.begun),
            "phases": {name: phases.get(name, 0.0) + earlier.get(name, 0.0) for name in phases | earlier},
            "seconds": time.perf_counter() - self.clock + self.before.get("seconds", 0.0),
            "processor_seconds": time.process_time() + self.before.get("processor_seconds", 0.0),
        }

    def forget(self) -> None:
        """Let the next attempt begin anew."""
        self.found = None
        self.store.checkpoint(self.cell.id).unlink(missing_ok=True)

    def attempt(self, precision: str) -> Outcome:
        """Train and evaluate in a precision."""
        cell, family, watch = self.cell, self.family, self.watch
        task, recipe = cell.task, cell.recipe
        set_seed(cell.seed)
        accelerator = make_accelerator(self.device, precision)
        team = Team(accelerator)

        watch.begin("data")
        data = load(task, family)
        labels = family.labels(data.splits, task)  # of all rows: the head is the same however few are drawn
        data = drawn(data, family, cell.train_rows, cell.seed)
        splits = data.splits
        watch.begin("check")
        doubts = warnings(data, task, family)
        self.emit({"event": "warnings", "warnings": doubts})
        watch.begin("model")
        head = make_head(cell, family, labels)
        model = head.build()
        adapt(model, METHODS[cell.method], head.pretrained, recipe)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)

        watch.begin("encode")
        truncated, features, encoder = {}, {}, Encoder(head)
        for split, rows in splits.items():
            if cell.is_trial and split == "test":
                continue
            features[split] = encoder.encode([family.example(row, task) for row in rows], training=split == "train")
            truncated[split], head.truncated = head.truncated, 0
        watch.begin("model")
        fast = prepare(model.to(accelerator.device), head, list(features.values()), features["train"])
        # Not wrapped for several processes: `Step` adds their gradients up, weighted by what each has seen.
        model = accelerator.prepare_model(model, evaluation_mode=True)
        if team.rank:
            set_seed(cell.seed + team.rank * 1_000_003)  # the same weights, but other rows need other dropout
        weights = Weights(model, half=precision == "bf16" and accelerator.device.type == "cpu")
        if self.found and (why := self.found.misfit(weights, team.size)):
            _not_used(why)
            self.forget()
        keeper = Keeper(
            self.store.checkpoint(cell.id), self.found, self.every, self.interruption, team,
            lambda: self.account(precision), self.emit,
        )  # fmt: skip

        def told(split: str, done: int, total: int) -> None:
            self.emit({"event": "evaluate", "split": split, "done": done, "total": total})
            if team.size == 1:  # several have batches of unlike number, and could not decide together
                keeper.poll()

        def answers(split: str) -> list[Any]:
            rows = splits[split]
            outputs = predict(
                accelerator, model, head, features[split], len(rows), recipe.eval_batch_size,
                progress=lambda done, total: told(split, done, total), fast=fast,
            )  # fmt: skip
            return [family.prediction(output, row, task) for output, row in zip(outputs, rows, strict=True)]

        def score(split: str, predictions: list[Any]) -> dict[str, Any]:
            return family.score(predictions, [family.reference(row, task) for row in splits[split]], task)

        validated: list[Any] = []

        def validate() -> tuple[float, dict[str, Any]]:
            watch.begin("validate")
            validated[:] = answers("validation")
            metrics = score("validation", validated)
            watch.begin("train")
            return metrics[family.primary_metric] * family.scale, metrics

        gc.enable()  # see `harness.engines.child`
        watch.begin("train")
        progress = train(
            accelerator, weights, head, fast, features["train"], validate, recipe, cell.seed, self.emit, keeper,
            cell.search.thresholds if isinstance(cell.search, Trial) else (),
        )  # fmt: skip
        predictions, metrics, trivial = validated, {}, {}
        if not cell.is_trial:
            watch.begin("test")
            predictions = answers("test")
            watch.begin("score")
            metrics = score("test", predictions)
            trivial = score("test", family.trivial(splits["train"], splits["test"], task))
        watch.end()
        return Outcome(
            accelerator=accelerator, model=model, parameters=parameters, trainable=trainable, fast=fast, data=data, doubts=doubts,
            features=features, truncated=truncated, progress=progress, predictions=predictions, metrics=metrics,
            trivial=trivial, account=self.account(precision),
        )  # fmt: skip

    def finish(self, outcome: Outcome) -> Record:
        """Write predictions and record, and remove what was kept to go on from."""
        make = trial_record if self.cell.is_trial else make_record
        record = make(self.cell, self.family, outcome)
        if outcome.accelerator.is_main_process:
            rows = outcome.data.splits["test"]
            told = () if self.cell.is_trial else lines(self.cell, self.family, rows, outcome.predictions)
            self.store.write(record, told)
            self.forget()
        return record


def _load(store: Store, cell: Cell) -> Checkpoint | None:
    try:
        return Checkpoint.load(store.checkpoint(cell.id))
    except Unusable as reason:
        _not_used(str(reason))
        return None


def _not_used(why: str) -> None:
    print(f"the checkpoint is not used, the training begins anew: {why}", file=sys.stderr)
