"""The training loop: plain PyTorch on Accelerate, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.fast.prepare import Fast, tokens_worth_of_a_piece
from harness.heads.base import Feature, Head
from harness.recipe import Recipe
from harness.training.batches import pieces, training_batches
from harness.training.optimiser import make_optimiser, make_schedule

Emit = Callable[[dict[str, Any]], None]


@dataclass
class Outcome:
    """What a training leaves behind, beside the trained weights in the model.

    Attributes:
        validation: the metrics of the best validation.
        best_step: the optimiser step after which it was made.
        history: one entry for each validation: step, mean training loss since the last one, score.
        seconds: of training steps alone.
        tokens: read by training steps, padding not counted.
        computed: tokens that the layers computed, padding counted.
    """

    validation: dict[str, Any] = field(default_factory=dict)
    best_step: int = 0
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0
    computed: int = 0


def train(
    accelerator: Accelerator,
    model: nn.Module,
    head: Head,
    fast: Fast,
    features: Sequence[Feature],
    validate: Callable[[], tuple[float, dict[str, Any]]],
    recipe: Recipe,
    seed: int,
    emit: Emit,
) -> Outcome:
    """Fine-tune `model` in place; it ends with the weights of the best validation.

    Args:
        accelerator: decides device and precision.
        model: already prepared by the accelerator.
        head: pads batches and counts the terms of their loss.
        fast: how batches are computed.
        features: with labels.
        validate: gives the primary metric in 0-100 and all metrics.
        recipe: the hyper-parameters.
        seed: decides the order of the data.
        emit: is told of every step.

    Raises:
        FloatingPointError: the loss is no finite number any more.
    """
    optimiser = make_optimiser(model, recipe)
    lengths = [feature.length for feature in features]
    compute_loss = partial(head.loss, model)
    extra = tokens_worth_of_a_piece(model)
    terms = [head.loss_terms(feature) for feature in features]
    an_epoch = math.ceil(len(features) / recipe.batch_size)
    total = min(recipe.max_steps or math.inf, an_epoch * recipe.epochs)
    schedule = make_schedule(optimiser, int(total), recipe.warmup_ratio)
    validations = recipe.evaluations or math.ceil(total / an_epoch)
    due = {round(total * (turn + 1) / validations) for turn in range(validations)}
    outcome, best, best_score, waited = Outcome(), None, -math.inf, 0
    losses: list[torch.Tensor] = []
    started = time.perf_counter()
    for epoch in range(recipe.epochs):
        for numbers in training_batches(len(features), recipe.batch_size, seed, epoch):
            model.train()
            losses.append(torch.zeros((), device=accelerator.device))
            for part in pieces(numbers, lengths, recipe.micro_batch_size, extra if fast.packing is None else None):
                piece = head.collate([features[number] for number in part])
                # The loss of a piece is a mean: weighted by its share of the terms, the pieces add up to the batch's mean.
                share = sum(terms[number] for number in part) / max(1, sum(terms[number] for number in numbers))
                loss = fast.compute(compute_loss, piece, accelerator.device) * share
                accelerator.backward(loss)
                losses[-1] += loss.detach()
                outcome.computed += (
                    piece["input_ids"].numel() if fast.packing is None else sum(lengths[n] for n in part)
                )
            accelerator.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            outcome.steps += 1
            outcome.tokens += sum(lengths[number] for number in numbers)
            if outcome.steps % 10 == 0 or outcome.steps == total:
                emit({"event": "step", "step": outcome.steps, "steps": total, "loss": _finite(losses[-1])})
            if outcome.steps in due:
                outcome.seconds += time.perf_counter() - started
                score, metrics = validate()
                mean_loss = _finite(torch.stack(losses).mean())
                losses.clear()
                outcome.history.append({"step": outcome.steps, "loss": mean_loss, "score": score})
                emit({"event": "validation", "step": outcome.steps, "score": score, "loss": mean_loss})
                waited += 1
                if score > best_score:
                    best_score, waited = score, 0
                    outcome.validation, outcome.best_step = metrics, outcome.steps
                    # The weights in use need no copy unless the training goes on.
                    best = _copy(model) if outcome.steps < total else None
                started = time.perf_counter()
                if recipe.patience and waited >= recipe.patience:
                    break
            if outcome.steps == total:
                break
        else:
            continue
        break
    if best is not None:
        model.load_state_dict(best)
    return outcome


def _finite(loss: torch.Tensor) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise FloatingPointError(f"the training loss became {value}")
    return value


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
