"""Faster operators for decoding on a CPU: the same sums, at most in another order.

PyTorch's attention kernel processes one row and head after another, which is slow for short rows. Here, attention of few
tokens is two products over all rows and heads. For single tokens these read keys and values once, far more than fits into
a core's caches, so keys and values must be contiguous: see `caches.sliced_from`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.heads.decoding.caches import sliced_from
from harness.models import internals

NAME = "of few tokens"
# "packed" is the name of `harness.fast.attention`, a room above; it is PyTorch's own attention while nothing is packed.
LIKE_SDPA = {"sdpa", "packed"}
LOWEST = torch.finfo(torch.bfloat16).min  # fp32's lowest number is minus infinity in bf16
MAX_SCORES = 1 << 20  # for several tokens at once: more scores do not stay in the caches


@contextmanager
def fast_operators(model: PreTrainedModel) -> Iterator[None]:
    """Inside, the model computes attention of few tokens by faster operators, without gradients."""
    replaced = []
    try:
        with _few_token_attention(model):
            for module, name, function in _replacements(model):
                setattr(module, name, function)
                replaced.append((module, name))
            yield
    finally:
        for module, name in replaced:
            delattr(module, name)


def precision(model: nn.Module) -> torch.dtype | None:
    """Return fp32 or bf16 if all matrices of the model have that type and are on a CPU; else, and under autocast of fp32, None."""
    kinds = {(weight.device.type, weight.dtype) for weight in model.parameters() if weight.ndim > 1}
    if kinds == {("cpu", torch.bfloat16)}:
        return torch.bfloat16
    return torch.float32 if kinds == {("cpu", torch.float32)} and not torch.is_autocast_enabled("cpu") else None


def _replacements(model: nn.Module) -> Iterator[tuple[nn.Module, str, Callable[..., Any]]]:
    """Yield (module, name of a method, its replacement)."""
    for module in model.modules():
        if type(module) is nn.Dropout and not module.training and "forward" not in vars(module):
            yield module, "forward", _identity
        if hasattr(module, "compute_bias") and "compute_bias" not in vars(module):
            yield module, "compute_bias", _cached_for_one_token(module.compute_bias)


def _identity(states: Tensor) -> Tensor:
    return states


def _cached_for_one_token(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Cache T5's relative position biases of a single token, which are the same in every batch."""
    cached = lru_cache(maxsize=1024)(compute)
    return lambda tokens, *args, **kwargs: (cached if tokens == 1 else compute)(tokens, *args, **kwargs)


@contextmanager
def _few_token_attention(model: nn.Module) -> Iterator[None]:
    """Inside, the model attends by `attend`, if all of it attends by PyTorch's kernel outside."""
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    implementations = [(config, getattr(config, "_attn_implementation", None)) for config in configs.values()]
    if not {name for _, name in implementations} <= LIKE_SDPA:
        implementations = []
    for config, _ in implementations:
        config._attn_implementation = NAME
    try:
        yield
    finally:
        for config, name in implementations:
            config._attn_implementation = name


def attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, dropout: float = 0.0,
    scaling: float | None = None, is_causal: bool | None = None, position_bias: Tensor | None = None, **kwargs: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Compute the result of `sdpa_attention_forward`, which takes the same arguments.

    Args:
        query: [rows, heads, tokens, size].
        key, value: [rows, groups of heads, columns, size].
        attention_mask: broadcast to [rows, heads, tokens, columns]: true where a key is visible, or a number to add to its
            score. None: a single token attends to every key.
        position_bias: added to the scores, of the same shape.
    """
    (rows, heads, tokens, size), (groups, columns) = query.shape, key.shape[1:3]
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    many = tokens > 1 and (rows * heads * tokens * columns > MAX_SCORES or (causal and attention_mask is None))
    if many or dropout or any(kwargs.get(name) is not None for name in ("softcap", "cache")):
        return internals.sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    keys, begin = sliced_from(key)
    values, _ = sliced_from(value)
    scaling = size**-0.5 if scaling is None else scaling
    q = query.reshape(rows * groups, heads // groups * tokens, size)
    k, v = (tensor.reshape(rows * groups, -1, tensor.shape[-1]) for tensor in (keys, values))
    scores = torch.baddbmm(q.new_empty(1), q, k.transpose(1, 2), beta=0, alpha=scaling)
    all_columns, lowest = scores.view(rows, heads, tokens, -1), torch.finfo(scores.dtype).min
    own_columns = all_columns[..., begin : begin + columns]
    for bias in (position_bias, attention_mask):
        if bias is not None and bias.dtype == torch.bool:
            own_columns.masked_fill_(~bias, lowest)
        elif bias is not None:
            own_columns += bias
    for unused in (all_columns[..., :begin], all_columns[..., begin + columns :]):
        if unused.shape[-1]:
            unused.fill_(lowest)
    weights = scores.softmax(-1)
    single = weights.shape[1] == 1 and v.is_contiguous() and v.dtype == weights.dtype
    output = _weighted_sums(weights, v) if single else torch.bmm(weights, v)
    return output.view(rows, heads, tokens, -1).transpose(1, 2), None


def _weighted_sums(weights: Tensor, values: Tensor) -> Tensor:
    """`bmm` of [n, 1, columns] and [n, columns, size] by the kernel for embedding bags, which prefetches."""
    indices, offsets = _bag_indices(*values.shape[:2])
    return nn.functional.embedding_bag(
        indices, values.view(-1, values.shape[-1]), offsets, mode="sum", per_sample_weights=weights.view(-1)
    )  # fmt: skip


@lru_cache(maxsize=8)
def _bag_indices(count: int, columns: int) -> tuple[Tensor, Tensor]:
    indices = torch.arange(count * columns, dtype=torch.int32)
    return indices, indices[::columns].contiguous()


def mask(
    batch_size: int, q_length: int, kv_length: int, q_offset: int = 0, kv_offset: int = 0,
    mask_function: Callable[..., Any] | None = None, attention_mask: Tensor | None = None, **kwargs: Any,
) -> Tensor | None:  # fmt: skip
    """Compute the result of `sdpa_mask`, which takes the same arguments.

    Where only padding is hidden, return numbers to add to the scores, computed once for each mask.
    """
    mask_function = mask_function or internals.causal_mask_function
    hides_tokens = mask_function is not internals.bidirectional_mask_function
    hides_tokens &= mask_function is not internals.causal_mask_function or q_length > 1 or q_offset + 1 != kv_length
    same_shape = attention_mask is None or attention_mask.shape == (batch_size, kv_length)
    if hides_tokens or kv_offset or not same_shape:
        sizes = (batch_size, q_length, kv_length, q_offset, kv_offset)
        return internals.sdpa_mask(*sizes, mask_function, attention_mask, **kwargs)
    if attention_mask is None:
        return None
    # The mask of a source is the same tensor at each step.
    if not hasattr(attention_mask, "additive"):
        hidden = ~attention_mask[:, None, None]
        attention_mask.additive = torch.zeros(hidden.shape).masked_fill_(hidden, LOWEST)
    return attention_mask.additive


internals.register_attention(NAME, attend, mask)
