"""Attention of one token in each row to all that was read and written before: two products for all rows and heads.

PyTorch's kernel works on one row and head after the other, and takes about half as long again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "of single tokens"
# The second is that of `harness.fast.attention`, which builds on heads; it is PyTorch's own while nothing is packed.
LIKE_SDPA = {"sdpa", "packed"}


@contextmanager
def exchanged(model: nn.Module) -> Iterator[None]:
    """Inside, the model attends by `attend`, if it attends by PyTorch's kernel outside."""
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    kinds = [(config, getattr(config, "_attn_implementation", None)) for config in configs.values()]
    if not {kind for _, kind in kinds} <= LIKE_SDPA:
        kinds = []
    for config, _ in kinds:
        config._attn_implementation = NAME
    try:
        yield
    finally:
        for config, kind in kinds:
            config._attn_implementation = kind


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """What `sdpa_attention_forward` gives, with its arguments; a single token sees every key that no mask hides.

    Args:
        query: (rows, heads, tokens, size).
        key, value: (rows, groups of heads, columns, size).
        attention_mask: broadcast to (rows, heads, tokens, columns): true where a key is seen, or what is added to its score.
        position_bias: added to the scores, likewise.
    """
    asks = (kwargs.get(name) is not None for name in ("softcap", "cache"))
    if query.shape[2] != 1 or dropout or any(asks):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    rows, heads, _, size = query.shape
    groups, columns = key.shape[1:3]
    scaling = size**-0.5 if scaling is None else scaling
    q, k = query.reshape(rows * groups, heads // groups, size), key.reshape(rows * groups, columns, size)
    scores = torch.baddbmm(q.new_empty(1), q, k.transpose(1, 2), beta=0, alpha=scaling)
    by_row = scores.view(rows, heads, 1, columns)
    if position_bias is not None:
        by_row += position_bias
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            by_row.masked_fill_(~attention_mask, torch.finfo(scores.dtype).min)
        else:
            by_row += attention_mask
    made = torch.bmm(scores.softmax(-1), value.reshape(rows * groups, columns, value.shape[-1]))
    return made.view(rows, 1, heads, value.shape[-1]), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
