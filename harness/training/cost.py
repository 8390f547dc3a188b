"""What a training did for the time that it took: tokens, floating-point operations, and how much of the device it used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.heads.base import Feature
from harness.training.flops import depth, training_flops
from harness.training.peak import matmul_peak
from harness.training.state import Progress


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
