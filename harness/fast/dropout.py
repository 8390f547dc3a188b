"""Dropout (Srivastava et al. 2014) whose random numbers are cheap on a CPU.

PyTorch draws one 53-bit number for each element, on one thread. A quarter of a 64-bit number decides as well: the probability
is a multiple of 2^-16, and the scale is that of the probability in use, so the expectation is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

LEVELS = 1 << 16


def keep_scale(shape: Sequence[int], p: float, dtype: torch.dtype) -> Tensor:
    """A CPU tensor of `shape`: 0 with probability `p`, to the nearest 1/65536, and 1 / (1 - p) otherwise.

    It draws from PyTorch's default generator, so a seed decides it.
    """
    dropped = round(LEVELS * p)
    if dropped >= LEVELS:
        return torch.zeros(shape, dtype=dtype)
    count = math.prod(shape)
    numbers = torch.empty(-(-count // 4), dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
    numbers = numbers.view(torch.int16)[:count].view(tuple(shape))
    keep = torch.ge(numbers, dropped - LEVELS // 2, out=torch.empty(shape, dtype=dtype))
    return keep.mul_(LEVELS / (LEVELS - dropped))


def dropout(states: Tensor, p: float) -> Tensor:
    """`states` with dropout of probability `p`; on other devices than a CPU by PyTorch's own kernel."""
    if not p:
        return states
    if states.device.type != "cpu":
        return nn.functional.dropout(states, p)
    return states * keep_scale(states.shape, p, states.dtype)


class Dropout(nn.Dropout):
    """`nn.Dropout` with the numbers of `keep_scale`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p) if self.training else input


def install(model: nn.Module) -> None:
    """Give every plain `nn.Dropout` in `model` the cheap random numbers; kinds of their own keep theirs."""
    for module in model.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = Dropout
