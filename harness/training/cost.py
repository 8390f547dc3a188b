"""What a training cost: seconds by phase, tokens, floating-point operations and memory."""

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
    from harness.training.checkpoint import Progress
    from harness.training.loop import Emit


class Stopwatch:
    """Measures seconds by phase, and emits an event at the start of each phase."""

    def __init__(self, emit: Emit):
        self.emit = emit
        self.seconds: dict[str, float] = {}
        self.phase, self.started = "", time.perf_counter()

    def begin(self, phase: str) -> None:
        """End the current phase and begin another. The times of phases with the same name are added up."""
        self.end()
        self.phase = phase
        self.emit({"event": "phase", "phase": phase})

    def end(self) -> None:
        """End the current phase."""
        self.seconds = self.so_far()
        self.phase, self.started = "", time.perf_counter()

    def so_far(self) -> dict[str, float]:
        """Return the seconds of each phase, including the current one."""
        if not self.phase:
            return dict(self.seconds)
        elapsed = time.perf_counter() - self.started
        return self.seconds | {self.phase: self.seconds.get(self.phase, 0.0) + elapsed}


class NotEnoughMemory(Exception):
    """A single row does not fit into the device's memory."""


def out_of_memory(what: str, max_length: int) -> NotEnoughMemory:
    """Return the error for `what` (training, prediction), which ran out of memory with one row at a time."""
    return NotEnoughMemory(
        f"out of memory: {what} does not fit with one row at a time; try --set recipe.max_length=N below {max_length},"
        " fewer cells at once (--jobs 1), a device with more memory, or a smaller model"
    )


def free_unused() -> None:
    """Return the GPU memory that torch caches to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak_memory(accelerator: Accelerator) -> int:
    """Return the peak memory in bytes: of the GPU's allocator, or of the process on a CPU."""
    if accelerator.device.type == "cuda":
        return torch.cuda.max_memory_allocated(accelerator.device)
    return process_peak()


def process_peak() -> int:
    """Return the largest resident size of this process in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def efficiency(
    accelerator: Accelerator,
    model: nn.Module,
    features: Mapping[str, Sequence[Feature]],
    progress: Progress,
    evaluate_seconds: float,
) -> dict[str, Any]:
    """Return the keys of a record's `cost` that say how well the training used its device.

    `tokens_per_second` and `evaluate_tokens_per_second` count the tokens that are read, without padding. `flops` are those of
    the training (`harness.training.flops`), `peak_flops_per_second` is the speed of a plain matrix product on this device with
    these threads in this precision, and `utilisation` is the training's share of it. `depth` is the number of attention layers.

    Args:
        accelerator: of the training.
        model: prepared by the accelerator.
        features: split → the features that the model has read.
        progress: of the training.
        evaluate_seconds: time of all validations and of the test.
    """
    inner = accelerator.unwrap_model(model)
    tokens = {split: sum(feature.length for feature in rows) for split, rows in features.items()}
    evaluated = tokens["validation"] * len(progress.history) + tokens.get("test", 0)  # a trial has no test
    # In proportion to the tokens, because a training may end in the middle of an epoch.
    flops = round(_epoch_flops(inner, features["train"]) * progress.tokens / max(1, tokens["train"]))
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


def _epoch_flops(model: nn.Module, features: Sequence[Feature]) -> int:
    labels = [feature.inputs.get("labels") for feature in features]
    target = [len(row) for row in labels] if labels and isinstance(labels[0], list) else None
    return training_flops(model, [feature.length for feature in features], target)


def _rate(amount: float, seconds: float) -> float:
    return amount / seconds if seconds > 0 else 0.0
