"""Softmax attention with dropout over one group of rows, forward and backward in few operations.

Between packed tokens and matrices the states move once: one gather pads them and puts heads before tokens. What autograd
would record for the same is three times as many operations, most of them copies.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.fast.dropout import keep
from harness.fast.layout import Group


class Core(torch.autograd.Function):
    """Attention (Vaswani et al. 2017) of a group's rows, each to itself or to its row on the other side."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor,
        mine: Group, theirs: Group, bias: Tensor | None, dropout: float, scaling: float,
    ) -> Tensor:  # fmt: skip
        """[tokens of the group, heads, size] from three of the like.

        Args:
            ctx: of autograd.
            query: packed; `key` and `value` too, of the tokens of `theirs`.
            mine, theirs: where the tokens lie.
            bias: added to the scores, broadcast to [rows, heads, width, their width].
            dropout: probability on the attention weights.
            scaling: of the scores.
        """
        heads = query.shape[1]
        ctx.groups, ctx.scaling, ctx.heads = (mine, theirs), scaling, heads
        q, k, v = mine.spread(query), theirs.spread(key), theirs.spread(value)
        scores = torch.baddbmm(_nothing(q), q, k.transpose(1, 2), beta=0, alpha=scaling)
        if bias is not None:
            scores.view(mine.rows, heads, mine.width, theirs.width).add_(bias)
            ctx.bias = bias.shape
        weights = scores.softmax(-1)
        kept, ctx.grow = keep(weights.shape, dropout, weights.dtype) if dropout else (None, 1.0)
        ctx.save_for_backward(q, k, v, weights, kept)
        made = torch.baddbmm(_nothing(v), _of(weights, kept), v, beta=0, alpha=ctx.grow)
        return mine.collect(made, heads)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, weights, kept = ctx.saved_tensors
        mine, theirs = ctx.groups
        g = mine.spread(gradient, zeros=True)
        of_value = torch.baddbmm(_nothing(g), _of(weights, kept).transpose(1, 2), g, beta=0, alpha=ctx.grow)
        of_weights = torch.baddbmm(_nothing(g), g, v.transpose(1, 2), beta=0, alpha=ctx.grow)
        of_weights = of_weights if kept is None else of_weights.mul_(kept)
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_query = torch.baddbmm(_nothing(g), of_scores, k, beta=0, alpha=ctx.scaling)
        of_key = torch.baddbmm(_nothing(g), of_scores.transpose(1, 2), q, beta=0, alpha=ctx.scaling)
        of_bias = None
        if ctx.needs_input_grad[5]:
            of_bias = of_scores.view(mine.rows, ctx.heads, mine.width, theirs.width).sum_to_size(ctx.bias)
        return (
            mine.collect(of_query, ctx.heads), theirs.collect(of_key, ctx.heads), theirs.collect(of_value, ctx.heads),
            None, None, of_bias, None, None,
        )  # fmt: skip


def _of(weights: Tensor, kept: Tensor | None) -> Tensor:
    """The weights that are kept."""
    return weights if kept is None else weights * kept


def _nothing(like: Tensor) -> Tensor:
    """What a product is added to, with weight zero."""
    return like.new_empty(1)
