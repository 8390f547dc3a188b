"""Between padded and packed tokens. Every token is in one place on either side, so gradients are moved, never added up.

Packed tokens may have places behind the last one that belong to no row; they are zeros in either direction.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Spread(torch.autograd.Function):
    """[tokens, …] → [places, …]. Places of padding repeat the first token, and whoever reads them must not use them: no
    gradient comes back from there."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        """`index`: [places] number of the token in each place; `inverse`: [tokens] place of each token."""
        ctx.save_for_backward(inverse)
        ctx.held = len(tokens)
        return tokens.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return _gather(gradient, inverse, ctx.held), None, None


class Collect(torch.autograd.Function):
    """[places, …] → [held, …]; the gradient of padding is zero."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, inverse: Tensor, held: int) -> Tensor:
        """`inverse`: [tokens] place of each token; `held`: how many places there are for tokens."""
        ctx.save_for_backward(inverse)
        ctx.places = places.shape[0]
        return _gather(places, inverse, held)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        padded = gradient.new_zeros(ctx.places, *gradient.shape[1:])
        return padded.index_copy_(0, inverse, gradient[: len(inverse)]), None, None


def _gather(states: Tensor, index: Tensor, held: int) -> Tensor:
    """`states` at `index`, and zeros from there up to `held`."""
    if held == len(index):
        return states.index_select(0, index)
    made = states.new_empty(held, *states.shape[1:])
    torch.index_select(states, 0, index, out=made[: len(index)])
    made[len(index) :].zero_()
    return made
