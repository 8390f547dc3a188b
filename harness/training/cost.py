"""What a training took: time by phases, tokens, operations, memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.training.flops import depth, matmul_peak, training_flops

if TYPE_CHECKING:
    from harness.heads.base import Feature
    from harness.training.loop import Emit
    from harness.training.state import Progress


# Where a cell's time goes.


class Stopwatch:
    """Seconds by phase; announces each phase as it begins."""

    def __init__(self, emit: Emit):
        self.emit = emit
        self.seconds: dict[str, float] = {}
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

    def so_far(self) -> dict[str, float]:
        """Seconds by phase, the current one up to now."""
        now = time.perf_counter()
        current = {self.phase: self.seconds.get(self.phase, 0.0) + now - self.started} if self.phase else {}
        return self.seconds | current


# Running out of memory: what a person can do; and how much was used.


class NotEnoughMemory(Exception):
    """A single row is too much for the device's memory."""


def advise(what: str, max_length: int) -> NotEnoughMemory:
    """The error for `what` (training, prediction) that did not fit with one row at a time."""
    return NotEnoughMemory(
        f"out of memory: {what} does not fit with one row at a time; try --set recipe.max_length=N below {max_length},"
        " fewer cells at once (--jobs 1), a device with more memory, or a smaller model"
    )


def free_unused() -> None:
    """Give what torch keeps for later use back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak_memory(accelerator: Accelerator) -> int:
    """Bytes: of the GPU's allocator, or the process's largest resident size."""
    if accelerator.device.type == "cuda":
        return torch.cuda.max_memory_allocated(accelerator.device)
    return process_peak()


def process_peak() -> int:
    """Bytes: the process's largest resident size."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# What a training did for the time that it took: tokens, floating-point operations, and how much of the device it used.


def efficiency(
    accelerator: Accelerator,
    model: nn.Module,
    features: Mapping[str, Sequence[Feature]],
    progress: Progress,
    evaluate_seconds: float,
) -> dict[str, Any]:
    """Keys of a record's `cost`.

    `tokens_per_second` and `evaluate_tokens_per_second` count tokens that are read, padding left out; `flops` are those of
    the training (see `harness.training.flops`), `peak_flops_per_second` what a plain matrix product reaches on this device
    with these threads in this precision, and `utilisation` is the training's share of it. `depth` counts attention layers.

    Args:
        features: split → what the model has read.
        progress: of the training.
        evaluate_seconds: of all validations and the test.
    """
    inner = accelerator.unwrap_model(model)
    read = {split: sum(feature.length for feature in made) for split, made in features.items()}
    evaluated = read["validation"] * len(progress.history) + read.get("test", 0)  # a trial has no test
    # A training may end in the middle of an epoch.
    flops = round(_epoch(inner, features["train"]) * progress.tokens / max(1, read["train"]))
    precision = "bf16" if accelerator.mixed_precision == "bf16" else "fp32"
    peak = matmul_peak(str(accelerator.device), precision, torch.get_num_threads()) * accelerator.num_processes
    return {
        "tokens_per_second": _rate(progress.tokens, progress.seconds),
        "evaluate_tokens": evaluated,
        "evaluate_tokens_per_second": _rate(evaluated, evaluate_seconds),
        "depth": depth(inner),
        "flops": flops,
        "flops_per_second": _rate(flops, progress.seconds),
        "peak_flops_per_second": peak,
        "utilisation": _rate(flops, progress.seconds) / peak,
    }


def _epoch(model: nn.Module, features: Sequence[Feature]) -> int:
    labels = [feature.inputs.get("labels") for feature in features]
    written = [len(row) for row in labels] if labels and isinstance(labels[0], list) else None
    return training_flops(model, [feature.length for feature in features], written)


def _rate(amount: float, seconds: float) -> float:
    return amount / seconds if seconds > 0 else 0.0
