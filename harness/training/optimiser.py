"""AdamW on flat weights, and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.recipe import Recipe

# Weights one behind another in one tensor, so that what is done to all of them in each step is done once.


ALIGN = 64  # numbers: whole cache lines, in fp32 and in bf16


class Flat:
    """Some of a model's weights, trained as one parameter.

    An optimiser's step over a hundred tensors costs more in calls than in numbers. What a model reads are views: of the
    parameter itself, or of a bf16 copy of it. A weight that a batch does not reach has a gradient of zeros, as with every
    flat parameter (Zhao et al. 2023, "PyTorch FSDP").

    Args:
        weights: fp32, on one device; their data is moved here.
        half: whether the model reads the bf16 copy.

    Attributes:
        parameter: [numbers] fp32, with a gradient at all times; zeros between the weights.
        views: the weights' places in it, shaped like them.
        gradients: their places in the gradient.
    """

    def __init__(self, weights: Sequence[nn.Parameter], half: bool):
        sizes = [-(-weight.numel() // ALIGN) * ALIGN for weight in weights]
        self.parameter = nn.Parameter(torch.zeros(sum(sizes), device=weights[0].device))
        self.parameter.grad = torch.zeros_like(self.parameter)
        self.half = self.parameter.detach().to(torch.bfloat16) if half else None
        self.views, self.gradients = (_views(whole, sizes, weights) for whole in (self._whole, self.parameter.grad))
        for weight, view in zip(weights, self.views, strict=True):
            view.copy_(weight.detach())
        read = self.views if self.half is None else _views(self.half, sizes, weights)
        for weight, view in zip(weights, read, strict=True):
            weight.data = view
        self.publish()

    @property
    def _whole(self) -> Tensor:
        return self.parameter.detach()

    def publish(self) -> None:
        """Give the model the weights as they are now, rounded where it reads bf16."""
        if self.half is not None:
            self.half.copy_(self._whole)


def _views(whole: Tensor, sizes: Sequence[int], like: Sequence[Tensor]) -> list[Tensor]:
    parts = whole.split(list(sizes))
    return [part[: one.numel()].view(one.shape) for part, one in zip(parts, like, strict=True)]


# AdamW and the learning-rate schedule.


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
