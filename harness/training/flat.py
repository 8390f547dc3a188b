"""Weights one behind another in one tensor, so that what is done to all of them in each step is done once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

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
