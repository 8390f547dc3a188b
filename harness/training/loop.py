"""The training loop: plain PyTorch on Accelerate, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.fast.prepare import BatchComputer, overhead_of_a_piece
from harness.heads.base import Feature, Head
from harness.recipe import Recipe
from harness.recipe_rules import planned_steps
from harness.training.batches import remaining_batches
from harness.training.checkpoint import Progress, State
from harness.training.checkpointer import Checkpointer
from harness.training.optimiser import clipped_step, make_optimiser, make_schedule
from harness.training.step import Step
from harness.training.together import Team
from harness.training.weights import Weights

Emit = Callable[[dict[str, Any]], None]


def train(
    accelerator: Accelerator,
    weights: Weights,
    head: Head,
    fast: BatchComputer,
    features: Sequence[Feature],
    validate: Callable[[], tuple[float, dict[str, Any]]],
    recipe: Recipe,
    seed: int,
    emit: Emit,
    checkpointer: Checkpointer | None = None,
    thresholds: Sequence[float | None] = (),
    budget: float = 1.0,
) -> Progress:
    """Fine-tune a model in place. Afterwards it has the weights of the best validation.

    Args:
        accelerator: decides device and precision.
        weights: of the model, which is already prepared by the accelerator.
        head: collates batches and counts the terms of their loss.
        fast: how batches are computed.
        features: with labels.
        validate: returns the primary metric in 0-100 and all metrics.
        recipe: hyper-parameters.
        seed: decides the order of the data.
        emit: receives an event for every tenth step and every validation.
        checkpointer: saves the training, and restores an earlier one.
        thresholds, budget: of a trial, see `harness.cell.Trial`.

    Returns:
        Steps, losses and validations of the training.

    Raises:
        FloatingPointError: the loss became infinite or NaN.
        NotEnoughMemory: a single row does not fit.
        Interrupted: the cell was asked to stop.
    """
    total, validations = planned_steps(len(features), recipe, budget)
    due = {round(total * (turn + 1) / validations) for turn in range(validations)} - {0}  # 0 with fewer steps than validations
    optimiser = make_optimiser(weights.matrices, weights.vectors, recipe)
    state = State(weights, optimiser, make_schedule(optimiser, total, recipe.warmup_ratio))
    if checkpointer:
        checkpointer.begin(state)
    progress = state.progress
    if progress.refused:
        fast.stop_packing(progress.refused)
    overhead = overhead_of_a_piece(weights.model)
    step = Step(accelerator, Team(accelerator), weights, head, fast, features, recipe, overhead)
    batches = remaining_batches(len(features), recipe.batch_size, seed, progress.steps)
    while not progress.ended:
        # A checkpoint made during a validation has its step, but not its result.
        if progress.steps in due and (not progress.history or progress.history[-1]["step"] < progress.steps):
            _validate(state, validate, total, emit)
            progress.pruned = progress.steps < total and _is_below(progress, thresholds)
        if progress.steps == total or progress.pruned or (recipe.patience and progress.waited >= recipe.patience):
            if state.best is not None:
                weights.put(state.best)
            state.best, progress.ended = None, True
        else:
            started = time.perf_counter()
            state.losses.append(step.run(next(batches), progress))
            clipped_step(optimiser, recipe.max_grad_norm)
            state.schedule.step()
            weights.publish()
            progress.steps += 1
            if progress.steps % 10 == 0 or progress.steps == total:
                loss = _finite(state.losses[-1])
                emit({"event": "step", "step": progress.steps, "steps": total, "loss": loss})
            progress.seconds += time.perf_counter() - started
        if checkpointer:
            checkpointer.poll()
    return progress


def _validate(state: State, validate: Callable[[], tuple[float, dict[str, Any]]], total: int, emit: Emit) -> None:
    """Validate the model, and keep a copy of its weights if it is the best so far."""
    progress = state.progress
    mean_loss = _finite(torch.stack(state.losses).mean())
    score, metrics = validate()
    state.losses.clear()
    progress.history.append({"step": progress.steps, "loss": mean_loss, "score": score})
    emit({"event": "validation", "step": progress.steps, "score": score, "loss": mean_loss})
    progress.waited += 1
    if progress.best_score is None or score > progress.best_score:
        progress.best_score, progress.waited = score, 0
        progress.validation, progress.best_step = metrics, progress.steps
        # After the last step, the model itself holds them.
        state.best = state.weights.copy() if progress.steps < total else None


def _is_below(progress: Progress, thresholds: Sequence[float | None]) -> bool:
    """Return whether the best validation so far is below the threshold of the last one."""
    done = len(progress.history)
    threshold = thresholds[done - 1] if done <= len(thresholds) else None
    return threshold is not None and progress.best_score is not None and progress.best_score < threshold


def _finite(loss: Tensor) -> float:
    value = float(loss)
    if not math.isfinite(value):
        raise FloatingPointError(f"the training loss became {value}")
    return value
