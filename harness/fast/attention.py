"""Attention over packed tokens: each row attends to itself alone, whatever lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from harness.fast.core import Core
from harness.fast.infer import infer
from harness.fast.layout import Collect, Group, Layout, Scatter

NAME = "packed"
# What a model may hand to its attention without changing what is computed here. `dropout`, `scaling`, `is_causal` and
# `position_bias` are arguments of their own.
HARMLESS = {
    "use_cache",
    "cache_position",
    "position_ids",
    "position_embeddings",
    "past_key_values",
    "output_attentions",
}


class NotPackable(Exception):
    """The model asks its attention for something that is not computed here."""


@dataclass
class Packed:
    """The layouts of the batch that is being computed.

    Attributes:
        encoder: of `input_ids`; the only one of models with one stack.
        decoder: of the decoder's input, in models that have both.
        side: of the stack whose layers run at the moment.
        narrowed: whether the running layer has gone on with the first token of each row.
    """

    encoder: Layout
    decoder: Layout
    side: str = "encoder"
    narrowed: bool = False
    _made: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def own(self) -> Layout:
        """The layout of the stack whose layers run."""
        return self.decoder if self.side == "decoder" else self.encoder

    def once(self, given: Any, layout: Layout, make: Callable[[Any, Layout], Any]) -> Any:
        """`make(given, layout)`, made once for all layers that are given the same object."""
        if id(given) not in self._made:
            self._made[id(given)] = given, make(given, layout)  # kept beside it, so that its id stays its own
        return self._made[id(given)][1]


ACTIVE: ContextVar[Packed | None] = ContextVar("packed", default=None)


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
    """An attention function as transformers' `AttentionInterface` wants it.

    Where no batch is packed it is `sdpa`.

    Args:
        module: the attention layer.
        query: [1, heads, tokens, size].
        key: [1, key heads, key tokens, size].
        value: like `key`.
        attention_mask: unused while packed: the layout knows the rows.
        dropout: probability on the attention weights.
        scaling: of the scores; None: size ** -0.5.
        is_causal: None: as the module says.
        position_bias: [1, heads, width, width] added to the scores of every row (T5), or anything that broadcasts to it.

    Returns:
        [1, tokens, heads, size], and no weights.

    Raises:
        NotPackable: an argument that would change the result, such as a sliding window.
    """
    packed = ACTIVE.get()
    if packed is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask,
            dropout=dropout, scaling=scaling, is_causal=is_causal, position_bias=position_bias, **kwargs,
        )  # fmt: skip
    window = kwargs.pop("sliding_window", None)
    if window and packed.own.longest >= window:  # a window counts the tokens that are seen back, or to each side
        raise NotPackable(f"{type(module).__name__} reads a window of {window} tokens, and rows are longer")
    asked = {name for name, given in kwargs.items() if given is not None and given is not False} - HARMLESS
    if asked:
        raise NotPackable(f"{type(module).__name__} asks its attention for {', '.join(sorted(asked))}")
    causal = bool(getattr(module, "is_causal", False) if is_causal is None else is_causal)
    own = packed.own
    read = packed.encoder if packed.side == "decoder" and not causal else own
    if query.shape[0] != 1 or query.shape[2] != own.held or key.shape[2] != read.held:
        raise NotPackable(f"{type(module).__name__} attends to {key.shape[2]} tokens of {read.held}")
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    query, key, value = (states.squeeze(0).transpose(0, 1) for states in (query, key, value))  # [tokens, heads, size]
    mine, theirs = own.groups(), read.groups(own.cuts, read=True)
    queries, keys, values = _parts(query, mine), _parts(key, theirs), _parts(value, theirs)
    parts = zip(queries, keys, values, mine, theirs, strict=True)
    outputs, compute = [], _kernel(query, key, value, dropout)
    for *states, ours, read_here in parts:
        bias = _bias(ours, read_here, causal, position_bias, query)
        outputs.append(compute(*states, ours, read_here, bias, dropout, scaling))
    if own.held > own.tokens:
        outputs.append(query.new_zeros(own.held - own.tokens, *query.shape[1:-1], outputs[0].shape[-1]))
    return (torch.cat(outputs) if len(outputs) > 1 else outputs[0])[None], None


def _kernel(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Callable[..., Tensor]:
    """The quickest way where the tokens are. In fp32, PyTorch's own is only slower where it drops something."""
    if query.device.type != "cpu" or not query.dtype == key.dtype == value.dtype:
        return _sdpa  # of unlike precisions, autocast makes one for PyTorch's own operators alone
    if torch.is_grad_enabled():
        return Core.apply if dropout or query.dtype == torch.bfloat16 else _sdpa
    return _sdpa if dropout else infer


def _parts(states: Tensor, groups: Sequence[Group]) -> tuple[Tensor, ...]:
    """The tokens of each group."""
    sizes = [group.end - group.begin for group in groups]
    return states.split([*sizes, len(states) - sum(sizes)])[: len(groups)]


def _bias(mine: Group, theirs: Group, causal: bool, position_bias: Tensor | None, like: Tensor) -> Tensor | None:
    """What is added to a group's scores, broadcast to [rows, heads, width, their width]: -inf where nothing may be read."""
    bias = None
    if position_bias is not None and position_bias.numel() > 1:
        bias = position_bias[:, :, : mine.width, : theirs.width].to(like.dtype)
    if causal:
        # Padding lies behind the real tokens, so what comes later is all that must be hidden.
        later = torch.ones(mine.width, theirs.width, dtype=torch.bool, device=like.device).triu(1)
        hidden = torch.zeros(later.shape, dtype=like.dtype, device=like.device).masked_fill_(later, -torch.inf)
        return hidden if bias is None else bias + hidden
    if theirs.real is not None:
        hidden = torch.zeros(theirs.real.shape, dtype=like.dtype, device=like.device)
        hidden = hidden.masked_fill_(~theirs.real, -torch.inf)[:, None, None]
        return hidden if bias is None else bias + hidden
    return bias


def _sdpa(
    query: Tensor, key: Tensor, value: Tensor,
    mine: Group, theirs: Group, bias: Tensor | None, dropout: float, scaling: float,
) -> Tensor:  # fmt: skip
    """The same as `Core` by PyTorch's own kernels."""
    q, k, v = _padded(query, mine), _padded(key, theirs), _padded(value, theirs)
    made = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout, scale=scaling)
    made = made.transpose(1, 2).flatten(0, 1)
    return made if mine.real is None else Collect.apply(made, mine.inverse, len(mine.inverse))


def _padded(states: Tensor, group: Group) -> Tensor:
    """[tokens of the group, heads, size] → [rows, heads, width, size]."""
    if group.real is not None:
        states = Scatter.apply(states, group.index, group.inverse)
    return states.view(group.rows, group.width, *states.shape[1:]).transpose(1, 2)


def mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """No mask while a batch is packed; otherwise that of `sdpa`."""
    return None if ACTIVE.get() is not None else sdpa_mask(*args, **kwargs)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, mask)
