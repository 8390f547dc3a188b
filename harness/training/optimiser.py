"""AdamW and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.recipe import Recipe


def make_optimiser(trained: Sequence[nn.Parameter], recipe: Recipe) -> AdamW:
    """AdamW (Loshchilov & Hutter 2019) with weight decay on matrices only.

    Biases and the scales of norms have one dimension; telling them by their dimension instead of by name holds for every
    architecture.
    """
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=_fused(trained))


def _fused(parameters: Sequence[nn.Parameter]) -> bool:
    return all(parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda") for parameter in parameters)


def make_schedule(optimiser: AdamW, steps: int, warmup_ratio: float) -> LambdaLR:
    """Linear warm-up from 0 over `warmup_ratio` of the steps, then linear decay to 0."""
    warmup = round(steps * warmup_ratio)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimiser, factor)
