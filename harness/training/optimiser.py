"""AdamW and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.recipe import Recipe


def make_optimiser(matrices: Sequence[nn.Parameter], vectors: Sequence[nn.Parameter], recipe: Recipe) -> AdamW:
    """AdamW (Loshchilov & Hutter 2019) with weight decay on matrices only.

    Biases and the scales of norms have one dimension; telling them by their dimension instead of by name holds for every
    architecture.
    """
    groups = [
        {"params": list(matrices), "weight_decay": recipe.weight_decay},
        {"params": list(vectors), "weight_decay": 0.0},
    ]
    fused = _fused([*matrices, *vectors])
    return AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=fused)


def _fused(parameters: Sequence[nn.Parameter]) -> bool:
    return all(parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda") for parameter in parameters)


def clipped_step(optimiser: AdamW, max_norm: float) -> None:
    """A step with the gradients made smaller where their norm, of all together, is above `max_norm` (Pascanu et al. 2013).

    It is `clip_grad_norm_` and a step, but a fused optimiser makes them smaller as it reads them, which saves a pass over all.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"] if weight.grad is not None]
    norm = get_total_norm([weight.grad for weight in weights])
    if optimiser.defaults["fused"]:
        # What PyTorch's own scaler of losses (`torch.amp.GradScaler`) hands to a fused optimiser: the divisor of all gradients,
        # and that they are finite, or else it would take no step; whoever trains finds it in the loss if they are not.
        optimiser.grad_scale = ((norm + 1e-6) / max_norm).clamp(min=1.0).float()
        optimiser.found_inf = torch.zeros_like(optimiser.grad_scale)
    else:
        clip_grads_with_norm_(weights, max_norm, norm)
    optimiser.step()


def make_schedule(optimiser: AdamW, steps: int, warmup_ratio: float) -> LambdaLR:
    """Linear warm-up from 0 over `warmup_ratio` of the steps, then linear decay to 0."""
    warmup = round(steps * warmup_ratio)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimiser, factor)
