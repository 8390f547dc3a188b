"""Attention of few tokens to all that was read and written before: two products for all rows and heads.

PyTorch's kernel works on one row and head after the other, and takes longer where rows are short. For single tokens the
products read keys and values once, far more than a processor's nearest caches hold, so these must lie one behind another: see
`whole`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import bidirectional_mask_function, causal_mask_function, sdpa_mask

NAME = "of few tokens"
# The second is that of `harness.fast.attention`, which builds on heads; it is PyTorch's own while nothing is packed.
LIKE_SDPA = {"sdpa", "packed"}
LOWEST = torch.finfo(torch.bfloat16).min  # what is lowest in fp32 is minus infinity there
SCORES = 1 << 20  # at most, of several tokens in a row: more of them leave the caches


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
    """What `sdpa_attention_forward` gives, with its arguments.

    Args:
        query: (rows, heads, tokens, size).
        key, value: (rows, groups of heads, columns, size).
        attention_mask: broadcast to (rows, heads, tokens, columns): true where a key is seen, or what is added to its score.
            None: a single token sees every key.
        position_bias: added to the scores, likewise.
    """
    (rows, heads, tokens, size), (groups, columns) = query.shape, key.shape[1:3]
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    many = tokens > 1 and (rows * heads * tokens * columns > SCORES or (causal and attention_mask is None))
    if many or dropout or any(kwargs.get(name) is not None for name in ("softcap", "cache")):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    keys, begin = whole(key)
    values, _ = whole(value)
    scaling = size**-0.5 if scaling is None else scaling
    q = query.reshape(rows * groups, heads // groups * tokens, size)
    k, v = (tensor.reshape(rows * groups, -1, tensor.shape[-1]) for tensor in (keys, values))
    scores = torch.baddbmm(q.new_empty(1), q, k.transpose(1, 2), beta=0, alpha=scaling)
    wide, lowest = scores.view(rows, heads, tokens, -1), torch.finfo(scores.dtype).min
    by_row = wide[..., begin : begin + columns]
    for added in (position_bias, attention_mask):
        if added is not None and added.dtype == torch.bool:
            by_row.masked_fill_(~added, lowest)
        elif added is not None:
            by_row += added
    for other in (wide[..., :begin], wide[..., begin + columns :]):
        if other.shape[-1]:
            other.fill_(lowest)
    weights = scores.softmax(-1)
    single = weights.shape[1] == 1 and v.is_contiguous() and v.dtype == weights.dtype
    made = _sums(weights, v) if single else torch.bmm(weights, v)
    return made.view(rows, heads, tokens, -1).transpose(1, 2), None


def _sums(weights: Tensor, values: Tensor) -> Tensor:
    """`bmm` of (number, 1, columns) and (number, columns, size): the kernel for sums of embeddings reads ahead."""
    numbers, starts = _numbers(*values.shape[:2])
    return nn.functional.embedding_bag(
        numbers, values.view(-1, values.shape[-1]), starts, mode="sum", per_sample_weights=weights.view(-1)
    )  # fmt: skip


@lru_cache(maxsize=8)
def _numbers(count: int, columns: int) -> tuple[Tensor, Tensor]:
    """Of all columns, and of the first column of each row."""
    numbers = torch.arange(count * columns, dtype=torch.int32)
    return numbers, numbers[::columns].contiguous()


def mask(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int = 0,
    kv_offset: int = 0,
    mask_function: Callable[..., Any] = causal_mask_function,
    attention_mask: Tensor | None = None,
    **kwargs: Any,
) -> Tensor | None:
    """What `sdpa_mask` gives, with its arguments; where only padding is hidden, as what is added to scores, made once."""
    hides = mask_function is not bidirectional_mask_function
    hides &= mask_function is not causal_mask_function or q_length > 1 or q_offset + 1 != kv_length
    matches = attention_mask is None or attention_mask.shape == (batch_size, kv_length)
    if hides or kv_offset or not matches:
        sizes = (batch_size, q_length, kv_length, q_offset, kv_offset)
        return sdpa_mask(*sizes, mask_function, attention_mask, **kwargs)
    if attention_mask is None:
        return None
    # The mask of a source is the same tensor in each step.
    if not hasattr(attention_mask, "added"):
        hidden = ~attention_mask[:, None, None]
        attention_mask.added = torch.zeros(hidden.shape).masked_fill_(hidden, LOWEST)
    return attention_mask.added


def whole(columns: Tensor) -> tuple[Tensor, int]:
    """The tensor that these columns were cut out of, if that is known, and the number of the first.

    A product over all of them, without gaps between the rows, is quicker. Scores of the other columns are left out.
    """
    return getattr(columns, "whole", (columns, 0))


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, mask)
