"""Dropout (Srivastava et al. 2014) whose random numbers are cheap on a CPU.

PyTorch draws one 53-bit number for each element. A byte decides as well: the probability is one of the two multiples of 1/256
beside the wanted one, drawn for each tensor so that it is the wanted one on average, and the scale is that of the probability
in use, so the expectation is exact. The bytes are those of SFC64, which takes two thirds of the time of PyTorch's Mersenne
Twister, and which NumPy keeps stable from version to version.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LEVELS = 1 << 8


def keep(shape: Sequence[int], p: float, dtype: torch.dtype) -> tuple[Tensor, float]:
    """A CPU tensor of `shape`, 0 with probability `p` and 1 otherwise; and by what the rest grows.

    PyTorch's default generator seeds it, so a seed decides it, and who keeps that generator's state has it again.
    """
    dropped = math.floor(LEVELS * p + float(torch.rand((), dtype=torch.float64)))
    if dropped >= LEVELS:
        return torch.zeros(shape, dtype=dtype), 1.0
    count = math.prod(shape)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    words = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-count // 8)))
    numbers = words.view(torch.int8)[:count].view(tuple(shape))
    kept = torch.ge(numbers, dropped - LEVELS // 2, out=torch.empty(shape, dtype=dtype))
    return kept, LEVELS / (LEVELS - dropped)


class _Drop(torch.autograd.Function):
    """Multiplies by a mask and by a number in one pass over the states, in both directions."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, p: float) -> Tensor:
        kept, ctx.grow = keep(states.shape, p, states.dtype)
        ctx.save_for_backward(kept)
        return torch.addcmul(states.new_zeros(()), states, kept, value=ctx.grow)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return torch.addcmul(gradient.new_zeros(()), gradient, kept, value=ctx.grow), None


def dropout(states: Tensor, p: float) -> Tensor:
    """`states` with dropout of probability `p`; on other devices than a CPU by PyTorch's own kernel."""
    if not p:
        return states
    if states.device.type != "cpu":
        return nn.functional.dropout(states, p)
    return _Drop.apply(states, p)


class Dropout(nn.Dropout):
    """`nn.Dropout` with the numbers of `keep`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p) if self.training else input


def uninstall(model: nn.Module) -> None:
    """Take back what `install` did."""
    for module in model.modules():
        if type(module) is Dropout:
            module.__class__ = nn.Dropout


def install(model: nn.Module) -> None:
    """Give every plain `nn.Dropout` in `model` the cheap random numbers; kinds of their own keep theirs."""
    for module in model.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = Dropout
