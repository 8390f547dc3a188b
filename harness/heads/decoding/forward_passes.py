"""The forward passes of greedy decoding, and the models and settings that they cover; `model.generate` serves all others."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, GenerationConfig, GenerationMixin, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.modeling_outputs import BaseModelOutput

from harness.heads.decoding.caches import Prefill, RowCache
from harness.models import internals

SETTINGS = frozenset(
    "max_new_tokens num_beams do_sample use_cache pad_token_id eos_token_id bos_token_id decoder_start_token_id "
    "forced_bos_token_id forced_eos_token_id suppress_tokens transformers_version".split()
)
# A model that overrides one of these does something at each step that is not done here.
STANDARD_METHODS = (
    "generate", "prepare_inputs_for_generation", "_prepare_cache_for_generation", "_prepare_model_inputs", "_sample",
    "_update_model_kwargs_for_generation", "_prepare_decoder_input_ids_for_generation", "_get_logits_processor",
    "_prepare_text_encoder_decoder_kwargs_for_generation",
)  # fmt: skip
REQUIRED_ARGUMENTS = {"attention_mask", "past_key_values", "use_cache"}


def covers(model: Any) -> bool:
    """Whether `decode` gives the tokens that `model.generate(input_ids=…, attention_mask=…)` would."""
    known = not internals.MISSING and isinstance(model, PreTrainedModel)
    return known and _is_greedy(model.generation_config, model) and _is_standard(model)


def _is_greedy(config: GenerationConfig, model: PreTrainedModel) -> bool:
    """Whether generation takes the best token at each step, and only forced and suppressed tokens change which one that is."""
    if any(value is not None for name, value in config.to_dict().items() if name not in SETTINGS):
        return False
    if config.do_sample or (config.num_beams or 1) > 1 or config.use_cache is False or not config.max_new_tokens:
        return False
    if not isinstance(config.forced_eos_token_id, int | None) or not isinstance(config.forced_bos_token_id, int | None):
        return False
    if model.config.is_encoder_decoder:
        return isinstance(_start_token(config), int)
    return config.forced_bos_token_id is None  # without an encoder, it is forced only after prompts of one token


def _is_standard(model: PreTrainedModel) -> bool:
    """Whether the model generates in the library's standard way, with one key and value per token and layer."""
    kind = type(model)
    if any(getattr(kind, name, None) is not getattr(GenerationMixin, name, None) for name in STANDARD_METHODS):
        return False
    crossed = model.config.is_encoder_decoder
    required = REQUIRED_ARGUMENTS | ({"decoder_attention_mask", "encoder_outputs"} if crossed else {"position_ids"})
    if not required <= _arguments(model) or not kind._supports_default_dynamic_cache():
        return False
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def _arguments(model: PreTrainedModel) -> set[str]:
    return set(inspect.signature(type(model).forward).parameters)


def _start_token(config: GenerationConfig) -> int | None:
    return config.bos_token_id if config.decoder_start_token_id is None else config.decoder_start_token_id


class DecoderPasses:
    """Forward passes of a decoder, which continues prompts that are padded on the left."""

    continuous = True  # texts may start while others are in work: each row has its own positions

    def __init__(self, model: PreTrainedModel):
        self.model = model
        self.options: dict[str, Any] = {"use_cache": True, "return_dict": True}
        if "logits_to_keep" in _arguments(model):
            self.options["logits_to_keep"] = 1

    def prefill(self, ids: Tensor, mask: Tensor, lengths: list[int]) -> Prefill:
        """Read the prompts.

        Args:
            ids: [texts, columns].
            mask: 0 for padding, of the same shape.
            lengths: tokens in each text.
        """
        cache = DynamicCache()
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        attention_mask = mask if min(lengths) < mask.shape[1] else None
        out = self.model(
            input_ids=ids, attention_mask=attention_mask, position_ids=positions, past_key_values=cache, **self.options
        )
        return Prefill(out.logits[:, -1], cache, mask, lengths)

    def step(self, tokens: Tensor, rows: RowCache) -> Tensor:
        """Scores [rows, vocabulary] of the tokens that follow `tokens` [rows]."""
        out = self.model(
            input_ids=tokens[:, None], attention_mask=rows.attention_mask(), position_ids=rows.positions,
            past_key_values=rows.cache, **self.options,
        )  # fmt: skip
        return out.logits[:, -1]


class EncoderDecoderPasses:
    """Forward passes of an encoder-decoder: sources are padded on the right, targets begin with a start token.

    Args:
        model: the model.
        chunk: tokens that the encoder reads at a time; None: all.
    """

    def __init__(self, model: PreTrainedModel, chunk: int | None = None):
        self.model, self.chunk = model, chunk
        self.start = _start_token(model.generation_config)
        # Where positions are absolute, the library counts them by the columns of the cache, alike for all rows.
        self.continuous = hasattr(model.config, "relative_attention_num_buckets")
        self.options: dict[str, Any] = {"use_cache": True, "return_dict": True}

    def prefill(self, ids: Tensor, mask: Tensor, lengths: list[int]) -> Prefill:
        """Read the sources; arguments as for `DecoderPasses`."""
        mask = mask.bool()  # the type that attention uses; any other would be converted at each step
        states = self._encode(ids, mask)
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        tokens = ids.new_full((len(ids), 1), self.start)
        out = self._forward(tokens, None, mask, states, cache)
        return Prefill(out.logits[:, -1], cache, torch.ones_like(tokens), [1] * len(ids), lengths, mask, states)

    def _encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hidden states of the encoder, [texts, columns, width], computed for a few texts at a time."""
        size = max(1, self.chunk // ids.shape[1]) if self.chunk else len(ids)
        encoder = self.model.get_encoder()
        chunks = zip(ids.split(size), mask.split(size), strict=True)
        return torch.cat([encoder(input_ids=i, attention_mask=m, return_dict=True)[0] for i, m in chunks])

    def step(self, tokens: Tensor, rows: RowCache) -> Tensor:
        """Scores [rows, vocabulary] of the tokens that follow `tokens` [rows]."""
        out = self._forward(tokens[:, None], rows.attention_mask(), rows.source_mask, rows.states, rows.cache)
        return out.logits[:, -1]

    def _forward(self, tokens: Tensor, mask: Tensor | None, source_mask: Tensor, states: Tensor, cache: Any) -> Any:
        return self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states), attention_mask=source_mask,
            decoder_input_ids=tokens, decoder_attention_mask=mask, past_key_values=cache, **self.options,
        )  # fmt: skip
