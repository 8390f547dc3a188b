"""Softmax attention with dropout over one group of rows, with a backward pass of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.fast.dropout import random_mask
from harness.fast.layout import Group


class TrainingAttention(torch.autograd.Function):
    """Attention (Vaswani et al. 2017) with dropout, forward and backward in few operations.

    One gather pads the tokens and puts the heads first. Autograd would record three times as many operations for the same
    result, most of them copies.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor,
        query_group: Group, key_group: Group, bias: Tensor | None, dropout: float, scaling: float,
    ) -> Tensor:  # fmt: skip
        """Compute the attention of a group's rows, each to itself or to the same row of the other side.

        Args:
            ctx: autograd's context.
            query: [tokens of the group, heads, size]; `key` and `value` likewise, with the tokens of `key_group`.
            query_group, key_group: where the tokens lie.
            bias: added to the scores, broadcastable to [rows, heads, width, key width].
            dropout: probability for the attention weights.
            scaling: of the scores.

        Returns:
            [tokens of the group, heads, size].
        """
        heads = query.shape[1]
        ctx.groups, ctx.scaling, ctx.heads = (query_group, key_group), scaling, heads
        q, k, v = query_group.pad(query), key_group.pad(key), key_group.pad(value)
        scores = torch.baddbmm(_unused(q), q, k.transpose(1, 2), beta=0, alpha=scaling)
        if bias is not None:
            scores.view(query_group.rows, heads, query_group.width, key_group.width).add_(bias)
            ctx.bias_shape = bias.shape
        weights = scores.softmax(-1)
        mask, ctx.scale = random_mask(weights.shape, dropout, weights.dtype) if dropout else (None, 1.0)
        ctx.save_for_backward(q, k, v, weights, mask)
        output = torch.baddbmm(_unused(v), _masked(weights, mask), v, beta=0, alpha=ctx.scale)
        return query_group.unpad(output, heads)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, weights, mask = ctx.saved_tensors
        query_group, key_group = ctx.groups
        g = query_group.pad(gradient, zeros=True)
        v_gradient = torch.baddbmm(_unused(g), _masked(weights, mask).transpose(1, 2), g, beta=0, alpha=ctx.scale)
        weights_gradient = torch.baddbmm(_unused(g), g, v.transpose(1, 2), beta=0, alpha=ctx.scale)
        if mask is not None:
            weights_gradient.mul_(mask)
        scores_gradient = torch._softmax_backward_data(weights_gradient, weights, -1, weights.dtype)
        q_gradient = torch.baddbmm(_unused(g), scores_gradient, k, beta=0, alpha=ctx.scaling)
        k_gradient = torch.baddbmm(_unused(g), scores_gradient.transpose(1, 2), q, beta=0, alpha=ctx.scaling)
        bias_gradient = None
        if ctx.needs_input_grad[5]:
            by_row = scores_gradient.view(query_group.rows, ctx.heads, query_group.width, key_group.width)
            bias_gradient = by_row.sum_to_size(ctx.bias_shape)
        return (
            query_group.unpad(q_gradient, ctx.heads), key_group.unpad(k_gradient, ctx.heads),
            key_group.unpad(v_gradient, ctx.heads), None, None, bias_gradient, None, None,
        )  # fmt: skip


def _masked(weights: Tensor, mask: Tensor | None) -> Tensor:
    return weights if mask is None else weights * mask


def _unused(like: Tensor) -> Tensor:
    """Return the input of `baddbmm` that `beta=0` ignores."""
    return like.new_empty(1)
