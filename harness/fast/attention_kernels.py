"""Softmax attention over one group of rows: with gradients and dropout for training, and without for evaluation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.fast.dropout import random_mask
from harness.fast.layout import Group

SCORES_AT_ONCE = 1 << 20


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


def evaluation_attention(
    query: Tensor, key: Tensor, value: Tensor,
    query_group: Group, key_group: Group, bias: Tensor | None, dropout: float, scaling: float,
) -> Tensor:  # fmt: skip
    """Compute what `TrainingAttention` does without gradients, a few rows at a time; `dropout` is 0.

    The scores of a whole group do not fit into the caches, and their memory is requested from the system anew in each layer.
    PyTorch's own kernel also works piece by piece, but its products are small: in bf16 it takes two to three times as long.
    """
    heads = query.shape[1]
    q, k, v = query_group.pad(query), key_group.pad(key).transpose(1, 2), key_group.pad(value)
    at_once = min(query_group.rows, max(1, SCORES_AT_ONCE // (heads * query_group.width * key_group.width)))
    all_scores = q.new_empty(at_once * heads, query_group.width, key_group.width)
    all_weights, output = torch.empty_like(all_scores), v.new_empty(len(q), query_group.width, v.shape[-1])
    for first in range(0, query_group.rows, at_once):
        rows = min(at_once, query_group.rows - first)
        part = slice(first * heads, (first + rows) * heads)
        scores, weights = all_scores[: rows * heads], all_weights[: rows * heads]
        torch.baddbmm(scores, q[part], k[part], beta=0, alpha=scaling, out=scores)
        if bias is not None:
            by_row = scores.view(rows, heads, query_group.width, key_group.width)
            by_row += bias[first : first + rows] if bias.ndim == 4 and len(bias) > 1 else bias
        torch.softmax(scores, -1, out=weights)
        torch.bmm(weights, v[part], out=output[part])
    return query_group.unpad(output, heads)
