"""AdamW, gradient clipping and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.recipe import Recipe


def make_optimiser(matrices: Sequence[nn.Parameter], vectors: Sequence[nn.Parameter], recipe: Recipe) -> AdamW:
    """Create AdamW (Loshchilov & Hutter 2019) with weight decay for matrices only.

    Biases and the scales of norms have one dimension. Telling them by their dimension instead of their name works for every
    architecture.
    """
    groups = [
        {"params": list(matrices), "weight_decay": recipe.weight_decay},
        {"params": list(vectors), "weight_decay": 0.0},
    ]
    parameters = (*matrices, *vectors)
    fused = all(weight.is_floating_point() and weight.device.type in ("cpu", "cuda") for weight in parameters)
    return AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=fused)


def clipped_step(optimiser: AdamW, max_norm: float) -> None:
    """Take a step with the gradients scaled down to a total norm of `max_norm` (Pascanu et al. 2013).

    This is `clip_grad_norm_` followed by a step, but a fused optimiser scales the gradients as it reads them, which saves a
    pass over all of them.
    """
    parameters = [weight for group in optimiser.param_groups for weight in group["params"] if weight.grad is not None]
    norm = get_total_norm([weight.grad for weight in parameters])
    if optimiser.defaults["fused"]:
        # These attributes are what `torch.amp.GradScaler` passes to a fused optimiser: the divisor of all gradients, and whether
        # one is infinite, in which case it takes no step. The training loop finds infinite values in the loss instead.
        optimiser.grad_scale = ((norm + 1e-6) / max_norm).clamp(min=1.0).float()
        optimiser.found_inf = optimiser.grad_scale.new_zeros(optimiser.grad_scale.shape)
    else:
        clip_grads_with_norm_(parameters, max_norm, norm)
    optimiser.step()


def make_schedule(optimiser: AdamW, steps: int, warmup_ratio: float) -> LambdaLR:
    """Warm the learning rate up linearly from 0 over `warmup_ratio` of the steps, then decay it linearly to 0."""
    warmup = round(steps * warmup_ratio)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimiser, factor)
