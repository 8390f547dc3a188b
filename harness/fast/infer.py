"""Softmax attention over one group of rows where no gradient is asked for: a few rows at a time.

Scores of a whole group do not fit into a processor's cache, and memory for them is asked of the system anew in each layer.
PyTorch's own kernel also goes piece by piece, but its products are small: in bf16 it takes two to three times as long.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.fast.layout import Group

SCORES = 1 << 20  # at a time


def infer(
    query: Tensor, key: Tensor, value: Tensor,
    mine: Group, theirs: Group, bias: Tensor | None, dropout: float, scaling: float,
) -> Tensor:  # fmt: skip
    """What `harness.fast.core.Core` computes, with the same arguments; `dropout` is 0."""
    heads = query.shape[1]
    q, k, v = mine.spread(query), theirs.spread(key).transpose(1, 2), theirs.spread(value)
    at_once = min(mine.rows, max(1, SCORES // (heads * mine.width * theirs.width)))
    scores = q.new_empty(at_once * heads, mine.width, theirs.width)
    weights, made = torch.empty_like(scores), v.new_empty(len(q), mine.width, v.shape[-1])
    for first in range(0, mine.rows, at_once):
        rows = min(at_once, mine.rows - first)
        part = slice(first * heads, (first + rows) * heads)
        some, shares = scores[: rows * heads], weights[: rows * heads]
        torch.baddbmm(some, q[part], k[part], beta=0, alpha=scaling, out=some)
        if bias is not None:
            by_row = some.view(rows, heads, mine.width, theirs.width)
            by_row += bias[first : first + rows] if bias.ndim == 4 and len(bias) > 1 else bias
        torch.softmax(some, -1, out=shares)
        torch.bmm(shares, v[part], out=made[part])
    return mine.collect(made, heads)
