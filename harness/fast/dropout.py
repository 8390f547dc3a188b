"""Dropout (Srivastava et al. 2014) with random numbers that are cheap on a CPU.

PyTorch draws a number of 53 bits for each element. A byte is enough: the probability is one of the two multiples of 1/256 next to
the requested one, drawn for each tensor so that its mean is the requested one. The results are scaled by the probability in use,
so their expectation is exact. The bytes come from SFC64, which takes two thirds of the time of PyTorch's Mersenne Twister and
which NumPy keeps stable from version to version.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LEVELS = 1 << 8


def random_mask(shape: Sequence[int], p: float, dtype: torch.dtype) -> tuple[Tensor, float]:
    """Draw a CPU tensor that is 0 with probability `p` and 1 otherwise.

    PyTorch's default generator seeds it, so the state of that generator determines the mask.

    Returns:
        The mask, and the factor by which the remaining numbers have to be scaled.
    """
    dropped = math.floor(LEVELS * p + float(torch.rand((), dtype=torch.float64)))
    if dropped >= LEVELS:
        return torch.zeros(shape, dtype=dtype), 1.0
    count = math.prod(shape)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    words = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-count // 8)))
    numbers = words.view(torch.int8)[:count].view(tuple(shape))
    mask = torch.ge(numbers, dropped - LEVELS // 2, out=torch.empty(shape, dtype=dtype))
    return mask, LEVELS / (LEVELS - dropped)


class _MaskAndScale(torch.autograd.Function):
    """Multiplies by a mask and a number in one pass, forward and backward."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, p: float) -> Tensor:
        mask, ctx.scale = random_mask(states.shape, p, states.dtype)
        ctx.save_for_backward(mask)
        return torch.addcmul(states.new_zeros(()), states, mask, value=ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return torch.addcmul(gradient.new_zeros(()), gradient, mask, value=ctx.scale), None


def dropout(states: Tensor, p: float) -> Tensor:
    """Return `states` with dropout of probability `p`. On other devices than a CPU, PyTorch's own kernel computes it."""
    if not p:
        return states
    if states.device.type != "cpu":
        return nn.functional.dropout(states, p)
    return _MaskAndScale.apply(states, p)


class Dropout(nn.Dropout):
    """`nn.Dropout` with the random numbers of `random_mask`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p) if self.training else input


def install(model: nn.Module) -> None:
    """Replace every plain `nn.Dropout` of the model; subclasses keep their own code."""
    for module in model.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = Dropout


def uninstall(model: nn.Module) -> None:
    """Undo `install`."""
    for module in model.modules():
        if type(module) is Dropout:
            module.__class__ = nn.Dropout
