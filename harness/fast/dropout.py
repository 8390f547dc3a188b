"""Dropout (Srivastava et al. 2014) whose random numbers are cheap on a CPU.

PyTorch draws one 53-bit number for each element, on one thread. A quarter of a 64-bit number decides as well: the probability
is a multiple of 2^-16, and the scale is that of the probability in use, so the expectation is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

LEVELS = 1 << 16


def keep(shape: Sequence[int], p: float, dtype: torch.dtype) -> tuple[Tensor, float]:
    """A CPU tensor of `shape`, 0 with probability `p`, to the nearest 1/65536, and 1 otherwise; and by what the rest grows.

    It draws from PyTorch's default generator, so a seed decides it.
    """
    dropped = round(LEVELS * p)
    if dropped >= LEVELS:
        return torch.zeros(shape, dtype=dtype), 1.0
    count = math.prod(shape)
    numbers = torch.empty(-(-count // 4), dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
    numbers = numbers.view(torch.int16)[:count].view(tuple(shape))
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
    """`nn.Dropout` with the numbers of `keep_scale`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p) if self.training else input


def install(model: nn.Module) -> None:
    """Give every plain `nn.Dropout` in `model` the cheap random numbers; kinds of their own keep theirs."""
    for module in model.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = Dropout
