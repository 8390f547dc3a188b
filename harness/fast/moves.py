"""Between padded and packed tokens. Every token is in one place on either side, so gradients are moved, never added up."""

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
        return tokens.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return gradient.index_select(0, inverse), None, None


class Collect(torch.autograd.Function):
    """[places, …] → [tokens, …]; the gradient of padding is zero."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, inverse: Tensor) -> Tensor:
        """`inverse`: [tokens] place of each token."""
        ctx.save_for_backward(inverse)
        ctx.places = places.shape[0]
        return places.index_select(0, inverse)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (inverse,) = ctx.saved_tensors
        padded = gradient.new_zeros(ctx.places, *gradient.shape[1:])
        return padded.index_copy_(0, inverse, gradient), None
