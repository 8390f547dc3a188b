"""One training with `transformers.Trainer`, in one of the ways in which people use it.

The recipe says what is computed; a `Way` says how. On purpose nothing here comes from the harness.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments, Trainer, TrainingArguments

Score = Callable[[list[Any]], float]  # predictions for the validation rows → the primary metric in 0-100


@dataclass
class Way:
    """What the person who calls the Trainer decides, beside the recipe.

    Attributes:
        bf16: mixed precision; otherwise fp32.
        sampling: `random` (the library's default) or `group_by_length`.
        eval_batch_size: 8 is the library's default.
        pad_to: batches are padded to a multiple of so many tokens; None: to their longest row.
        keep_best: save every epoch's weights and go back to the best; otherwise the last ones are tested.
        figures: filled in by `fit`: seconds of evaluation, seconds of training without it, tokens of training without
            padding, steps, and how many validations there were.
    """

    bf16: bool = False
    sampling: str = "random"
    eval_batch_size: int = 8
    pad_to: int | None = None
    keep_best: bool = False
    figures: dict[str, float] = field(default_factory=dict)


class _InOrder:
    """A Trainer that times its evaluations and gives predictions in the order of the rows.

    With `group_by_length` the library evaluates in that order too, which is fast, and leaves it to the person to find out
    which prediction belongs to which row.
    """

    evaluate_seconds, evaluations, order = 0.0, 0, None

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        self.order = list(super()._get_eval_sampler(eval_dataset))
        return self.order

    def evaluation_loop(self, *arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return super().evaluation_loop(*arguments, **named)
        finally:
            self.evaluate_seconds += time.perf_counter() - started
            self.evaluations += 1

    def in_order(self, predictions: Any) -> Any:
        """Arrays whose first axis is that of the rows, or a tuple of such arrays."""
        if isinstance(predictions, tuple):
            return tuple(self.in_order(part) for part in predictions)
        return predictions[np.argsort(self.order)]


class OrderedTrainer(_InOrder, Trainer):
    """`Trainer`."""

    settings: Any = TrainingArguments


class OrderedSeq2SeqTrainer(_InOrder, Seq2SeqTrainer):
    """`Seq2SeqTrainer`, which evaluates by generating: its predictions are token ids."""

    settings = partial(Seq2SeqTrainingArguments, predict_with_generate=True)


def fit(
    network: Any,
    tokenizer: Any,
    collator: Any,
    data: dict[str, Dataset],
    recipe: Any,
    seed: int,
    way: Way,
    score: Callable[[Any], float],
    kind: Any = OrderedTrainer,
) -> Any:
    """Train, validate as often as the recipe says, and give the predictions for the test rows, in their order.

    Args:
        network: the model.
        collator: pads.
        data: encoded rows: train, validation and test.
        recipe: of the harness's fields only numbers are read.
        way: what is left to the person; its `figures` are filled in.
        score: raw predictions for the validation rows → a figure, the higher the better.
        kind: which of the Trainers.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = kind.settings(**arguments_for(recipe, way, seed, len(data["train"]), folder))
        trainer = kind(
            model=network, args=arguments, train_dataset=data["train"], eval_dataset=data["validation"],
            processing_class=tokenizer, data_collator=collator,
        )  # fmt: skip
        return train_and_predict(trainer, data, way, score)


def arguments_for(recipe: Any, way: Way, seed: int, rows: int, folder: str) -> dict[str, Any]:
    """The recipe and the way in the Trainer's own words.

    Args:
        rows: of the training split.
        folder: for checkpoints, which are written only to keep the best one.
    """
    an_epoch = -(-rows // recipe.batch_size)
    steps = min(an_epoch * recipe.epochs, recipe.max_steps or 10**9)
    when: dict[str, Any] = {"eval_strategy": "epoch"}
    if recipe.evaluations:
        when = {"eval_strategy": "steps", "eval_steps": max(1, steps // recipe.evaluations)}
    kept: dict[str, Any] = {"save_strategy": "no"}
    if way.keep_best:
        kept = {
            "save_strategy": when["eval_strategy"], "save_steps": when.get("eval_steps", 500), "save_only_model": True,
            "save_total_limit": 1, "load_best_model_at_end": True, "metric_for_best_model": "score",
        }  # fmt: skip
    return dict(
        output_dir=folder, learning_rate=recipe.learning_rate, per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=way.eval_batch_size, num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1, lr_scheduler_type="linear", warmup_steps=round(steps * recipe.warmup_ratio),
        weight_decay=recipe.weight_decay, max_grad_norm=recipe.max_grad_norm, bf16=way.bf16,
        train_sampling_strategy=way.sampling, use_cpu=True, seed=seed, logging_strategy="no", report_to="none",
        disable_tqdm=True, **when, **kept,
    )  # fmt: skip


def train_and_predict(trainer: Any, data: dict[str, Dataset], way: Way, score: Callable[[Any], float]) -> Any:
    """Run a Trainer; predictions for the test rows, in their order."""
    trainer.remove_callback(PrinterCallback)
    trainer.compute_metrics = lambda prediction: {"score": score(trainer.in_order(prediction.predictions))}
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started - trainer.evaluate_seconds
    validations = trainer.evaluations
    trainer.compute_metrics = None  # it chooses by the validation rows; the test's labels are none of its business
    predictions = trainer.in_order(trainer.predict(data["test"]).predictions)
    way.figures = {
        "train_seconds": seconds,
        "evaluate_seconds": trainer.evaluate_seconds,
        "validations": validations,
        "steps": trainer.state.global_step,
        "train_tokens": tokens_read(data["train"]["input_ids"], trainer.args, trainer.state.global_step),
        "evaluate_tokens": sum(
            sum(map(len, data[split]["input_ids"])) * times
            for split, times in (("validation", validations), ("test", 1))
        ),
    }
    return predictions


def tokens_read(rows: Any, arguments: Any, steps: int) -> float:
    """Tokens of all training steps, padding not counted (a training that ends within an epoch is taken to read its share)."""
    an_epoch = -(-len(rows) // arguments.per_device_train_batch_size)
    return sum(map(len, rows)) * steps / an_epoch
