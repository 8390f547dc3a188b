"""Attention over packed tokens: each row attends to itself only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from harness.fast.layout import Group, Layout, PackTokens, PadTokens
from harness.fast.training_attention import TrainingAttention
from harness.models import internals

NAME = "packed"
# Arguments that a model may pass to its attention without changing the result. `dropout`, `scaling`, `is_causal` and
# `position_bias` are parameters of `attend`.
HARMLESS = {"use_cache", "cache_position", "position_ids", "position_embeddings", "past_key_values", "output_attentions"}


class NotPackable(Exception):
    """The model asks its attention for something that cannot be computed here."""


@dataclass
class PackedBatch:
    """The batch that is being computed.

    Attributes:
        encoder: layout of `input_ids`; the only one of models with one stack.
        decoder: layout of the decoder's input, for encoder-decoders.
        side: the stack whose layers are running.
    """

    encoder: Layout
    decoder: Layout
    side: str = "encoder"
    _results: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def own(self) -> Layout:
        """The layout of the stack whose layers are running."""
        return self.decoder if self.side == "decoder" else self.encoder

    def once(self, value: Any, layout: Layout, function: Callable[[Any, Layout], Any]) -> Any:
        """Return `function(value, layout)`, computed once for all layers that receive the same object."""
        if id(value) not in self._results:
            self._results[id(value)] = value, function(value, layout)  # the value is kept so that its id stays unique
        return self._results[id(value)][1]


ACTIVE: ContextVar[PackedBatch | None] = ContextVar("packed", default=None)


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
    """Compute attention; an attention function for transformers' `AttentionInterface`.

    While no batch is packed, this is transformers' `sdpa`.

    Args:
        module: the attention layer.
        query: [1, heads, tokens, size].
        key: [1, key heads, key tokens, size].
        value: like `key`.
        attention_mask: ignored while packed, because the layout knows the rows.
        dropout: probability for the attention weights.
        scaling: of the scores; None: size ** -0.5.
        is_causal: None: the module's attribute decides.
        position_bias: [1, heads, width, width] or broadcastable to it; added to the scores of every row (T5).
        kwargs: further arguments of the model.

    Returns:
        [1, tokens, heads, size], and None in place of the weights.

    Raises:
        NotPackable: an argument would change the result, such as a sliding window.
    """
    batch = ACTIVE.get()
    if batch is None:
        return internals.sdpa_attention_forward(
            module, query, key, value, attention_mask,
            dropout=dropout, scaling=scaling, is_causal=is_causal, position_bias=position_bias, **kwargs,
        )  # fmt: skip
    window = kwargs.pop("sliding_window", None)
    if window and batch.own.longest >= window:  # the window counts tokens backwards, or to each side
        raise NotPackable(f"{type(module).__name__} reads a window of {window} tokens, and rows are longer")
    unknown = {name for name, argument in kwargs.items() if argument is not None and argument is not False} - HARMLESS
    if unknown:
        raise NotPackable(f"{type(module).__name__} asks its attention for {', '.join(sorted(unknown))}")
    causal = bool(getattr(module, "is_causal", False) if is_causal is None else is_causal)
    own = batch.own
    source = batch.encoder if batch.side == "decoder" and not causal else own
    if query.shape[0] != 1 or query.shape[2] != own.size or key.shape[2] != source.size:
        raise NotPackable(f"{type(module).__name__} attends to {key.shape[2]} tokens of {source.size}")
    shared = getattr(module, "num_key_value_groups", 1)  # query heads that share a key head
    if shared > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    query, key, value = (states.squeeze(0).transpose(0, 1) for states in (query, key, value))  # [tokens, heads, size]
    query_groups, key_groups = own.groups(), source.groups(own.cuts, keys=True)
    queries, keys, values = _split(query, query_groups), _split(key, key_groups), _split(value, key_groups)
    outputs, kernel = [], _kernel(query, key, value, dropout)
    for *states, query_group, key_group in zip(queries, keys, values, query_groups, key_groups, strict=True):
        bias = _bias(query_group, key_group, causal, position_bias, query)
        outputs.append(kernel(*states, query_group, key_group, bias, dropout, scaling))
    if own.size > own.tokens:
        outputs.append(query.new_zeros(own.size - own.tokens, *query.shape[1:-1], outputs[0].shape[-1]))
    return (torch.cat(outputs) if len(outputs) > 1 else outputs[0])[None], None


def _kernel(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Callable[..., Tensor]:
    """Choose the faster kernel: PyTorch's own is slower in bf16 and with dropout, but only in training."""
    # Autocast gives PyTorch's own operators one precision, but not others.
    if query.device.type != "cpu" or not query.dtype == key.dtype == value.dtype or not torch.is_grad_enabled():
        return _sdpa
    return TrainingAttention.apply if dropout or query.dtype == torch.bfloat16 else _sdpa


def _split(states: Tensor, groups: Sequence[Group]) -> tuple[Tensor, ...]:
    """Return the tokens of each group."""
    sizes = [group.end - group.begin for group in groups]
    return states.split([*sizes, len(states) - sum(sizes)])[: len(groups)]


def _bias(query_group: Group, key_group: Group, causal: bool, position_bias: Tensor | None, like: Tensor) -> Tensor | None:
    """Return what is added to a group's scores, broadcastable to [rows, heads, width, key width]; -inf hides a token."""
    bias = None
    if position_bias is not None and position_bias.numel() > 1:
        bias = position_bias[:, :, : query_group.width, : key_group.width].to(like.dtype)
    if causal:
        # Padding lies behind the real tokens, so hiding the later tokens hides it too.
        later = torch.ones(query_group.width, key_group.width, dtype=torch.bool, device=like.device).triu(1)
        hidden = torch.zeros(later.shape, dtype=like.dtype, device=like.device).masked_fill_(later, -torch.inf)
    elif key_group.real is not None:
        hidden = torch.zeros(key_group.real.shape, dtype=like.dtype, device=like.device)
        hidden = hidden.masked_fill_(~key_group.real, -torch.inf)[:, None, None]
    else:
        return bias
    return hidden if bias is None else bias + hidden


def _sdpa(
    query: Tensor, key: Tensor, value: Tensor,
    query_group: Group, key_group: Group, bias: Tensor | None, dropout: float, scaling: float,
) -> Tensor:  # fmt: skip
    """Compute what `TrainingAttention` does with PyTorch's own kernel."""
    q, k, v = _padded(query, query_group), _padded(key, key_group), _padded(value, key_group)
    output = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout, scale=scaling)
    output = output.transpose(1, 2).flatten(0, 1)
    if query_group.real is None:
        return output
    return PackTokens.apply(output, query_group.inverse, len(query_group.inverse))


def _padded(states: Tensor, group: Group) -> Tensor:
    """[tokens of the group, heads, size] → [rows, heads, width, size]."""
    if group.real is not None:
        states = PadTokens.apply(states, group.index, group.inverse)
    return states.view(group.rows, group.width, *states.shape[1:]).transpose(1, 2)


def mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """Return no mask while a batch is packed, else that of `sdpa`."""
    return None if ACTIVE.get() is not None else internals.sdpa_mask(*args, **kwargs)


internals.register_attention(NAME, attend, mask)
