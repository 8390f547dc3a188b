"""The forward passes of a model that writes, with faster operators on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from harness.heads.decoding.attention import exchanged
from harness.heads.decoding.covers import Begun, arguments, new_cache, start_token
from harness.heads.decoding.rows import CacheRows
from harness.linear import replaced, replacements

# Faster operators for a model that writes on a CPU: the same sums, at most in another order.


@contextmanager
def quick(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention of few tokens and products with weights are computed by faster operators, without gradients."""
    with exchanged(model), replaced(_changes(model)):
        yield


def _changes(model: nn.Module) -> Iterator[tuple[nn.Module, str, Callable[..., Any]]]:
    """Modules, and what takes the place of which of their methods."""
    yield from replacements(model)
    for module in model.modules():
        if type(module) is nn.Dropout and not module.training and "forward" not in vars(module):
            yield module, "forward", _same
        if hasattr(module, "compute_bias") and "compute_bias" not in vars(module):
            yield module, "compute_bias", _once(module.compute_bias)


def _same(states: Tensor) -> Tensor:
    return states


def _once(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Biases of relative positions (T5 and its kin): for one token they are the same in every batch."""
    known = lru_cache(maxsize=1024)(compute)
    return lambda tokens, *args, **kwargs: (known if tokens == 1 else compute)(tokens, *args, **kwargs)


# The forward passes of a model that writes: the first over what it is given, then one for each token.


class DecoderSteps:
    """A decoder alone: it reads a prompt, padded at the left, and goes on."""

    joins = True  # a text may begin while others are under way: each has positions of its own

    def __init__(self, model: PreTrainedModel):
        self.model = model
        self.always: dict[str, Any] = {"use_cache": True, "return_dict": True}
        if "logits_to_keep" in arguments(model):
            self.always["logits_to_keep"] = 1

    def begin(self, ids: Tensor, mask: Tensor, lengths: list[int]) -> Begun:
        """Read the prompts.

        Args:
            ids: (texts, columns).
            mask: 0 for padding, of the same shape.
            lengths: tokens in each text.
        """
        cache = new_cache(crossed=False)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        seen = mask if min(lengths) < mask.shape[1] else None
        out = self.model(
            input_ids=ids, attention_mask=seen, position_ids=positions, past_key_values=cache, **self.always
        )
        return Begun(out.logits[:, -1], cache, mask, lengths)

    def step(self, tokens: Tensor, rows: CacheRows) -> Tensor:
        """Scores (rows, vocabulary) of the tokens that follow `tokens` (rows)."""
        out = self.model(
            input_ids=tokens[:, None], attention_mask=rows.seen(), position_ids=rows.positions,
            past_key_values=rows.cache, **self.always,
        )  # fmt: skip
        return out.logits[:, -1]


class EncoderDecoderSteps:
    """An encoder reads the source, padded at the right; a decoder writes from a start token on.

    Args:
        model: it.
        part: tokens that the encoder reads at a time; None: all.
    """

    def __init__(self, model: PreTrainedModel, part: int | None = None):
        self.model, self.part = model, part
        self.start = start_token(model.generation_config)
        # Where positions are absolute, the library's decoders count them by the cache's columns, alike for all rows.
        self.joins = hasattr(model.config, "relative_attention_num_buckets")
        self.always: dict[str, Any] = {"use_cache": True, "return_dict": True}

    def begin(self, ids: Tensor, mask: Tensor, lengths: list[int]) -> Begun:
        """Read the sources; arguments as for `DecoderSteps`."""
        mask = mask.bool()  # as masks are looked at: others would be converted at each step
        states = self._encode(ids, mask)
        cache = new_cache(crossed=True)
        tokens = ids.new_full((len(ids), 1), self.start)
        out = self._forward(tokens, None, mask, states, cache)
        return Begun(out.logits[:, -1], cache, torch.ones_like(tokens), [1] * len(ids), lengths, mask, states)

    def _encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The encoder's states, (texts, columns, width), a few texts at a time."""
        size = max(1, self.part // ids.shape[1]) if self.part else len(ids)
        encoder = self.model.get_encoder()
        parts = zip(ids.split(size), mask.split(size), strict=True)
        return torch.cat([encoder(input_ids=some, attention_mask=seen, return_dict=True)[0] for some, seen in parts])

    def step(self, tokens: Tensor, rows: CacheRows) -> Tensor:
        """As for `DecoderSteps`."""
        return self._forward(tokens[:, None], rows.seen(), rows.source_mask, rows.states, rows.cache).logits[:, -1]

    def _forward(self, tokens: Tensor, seen: Tensor | None, source_mask: Tensor, states: Tensor, cache: Any) -> Any:
        return self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states), attention_mask=source_mask,
            decoder_input_ids=tokens, decoder_attention_mask=seen, past_key_values=cache, **self.always,
        )  # fmt: skip
