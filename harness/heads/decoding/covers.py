"""Which models the decoder here serves, and what they made of the texts before they write."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, GenerationConfig, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer, DynamicSlidingWindowLayer

# What a model made of the texts that it has read, before it writes.


@dataclass
class Begun:
    """Texts for which the model has read all there is to read.

    Attributes:
        logits: scores of the first token to be written, (texts, vocabulary).
        cache: keys and values of what was read.
        mask: 1 where the decoder's columns hold a token, 0 for padding at their left, (texts, columns).
        lengths: tokens in the decoder's columns, for each text.
        sources: tokens in the encoder's columns, for each text; empty without an encoder.
        source_mask: the same for the encoder's columns, padded at their right; None without an encoder.
        states: what the encoder made of the source, (texts, source columns, width); None without an encoder.
    """

    logits: Tensor
    cache: Cache
    mask: Tensor
    lengths: list[int]
    sources: Sequence[int] = ()
    source_mask: Tensor | None = None
    states: Tensor | None = None

    def column(self) -> tuple[int, int]:
        """Bytes of keys and values that a text has in all layers for each column, its own and the encoder's."""
        own, crossed = layers(self.cache)
        return _bytes(own) // self.mask.numel(), _bytes(crossed) // self.source_mask.numel() if crossed else 0


def new_cache(crossed: bool) -> Cache:
    """An empty cache, with one more for the encoder's output."""
    return EncoderDecoderCache(DynamicCache(), DynamicCache()) if crossed else DynamicCache()


def layers(cache: Cache) -> tuple[list[DynamicLayer], list[DynamicLayer]]:
    """Layers of what the decoder wrote, and of what it reads of the encoder."""
    if isinstance(cache, EncoderDecoderCache):
        return cache.self_attention_cache.layers, cache.cross_attention_cache.layers
    return cache.layers, []


def _bytes(layers: Sequence[DynamicLayer]) -> int:
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)


# Which models and settings the decoder here serves; all others go to `model.generate`.


SETTINGS = frozenset(
    "max_new_tokens num_beams do_sample use_cache pad_token_id eos_token_id bos_token_id decoder_start_token_id "
    "forced_bos_token_id forced_eos_token_id suppress_tokens transformers_version".split()
)
# A model that has its own version of one of these needs something at a step that is not done here.
STANDARD = (
    "generate", "prepare_inputs_for_generation", "_prepare_cache_for_generation", "_prepare_model_inputs", "_sample",
    "_update_model_kwargs_for_generation", "_prepare_decoder_input_ids_for_generation", "_get_logits_processor",
    "_prepare_text_encoder_decoder_kwargs_for_generation",
)  # fmt: skip
ARGUMENTS = {"attention_mask", "past_key_values", "use_cache"}


def covers(model: Any) -> bool:
    """Whether `decode` gives the tokens that `model.generate(input_ids=…, attention_mask=…)` would."""
    return isinstance(model, PreTrainedModel) and _is_greedy(model.generation_config, model) and _is_standard(model)


def arguments(model: PreTrainedModel) -> set[str]:
    """What the model's forward pass can be told."""
    return set(inspect.signature(type(model).forward).parameters)


def _is_greedy(config: GenerationConfig, model: PreTrainedModel) -> bool:
    """Whether the best token is taken at each step, and nothing but the forced tokens changes which one that is."""
    if any(value is not None for name, value in config.to_dict().items() if name not in SETTINGS):
        return False
    if config.do_sample or (config.num_beams or 1) > 1 or config.use_cache is False or not config.max_new_tokens:
        return False
    if not isinstance(config.forced_eos_token_id, int | None) or not isinstance(config.forced_bos_token_id, int | None):
        return False
    if model.config.is_encoder_decoder:
        return isinstance(start_token(config), int)
    return config.forced_bos_token_id is None  # without an encoder it is forced on prompts of a single token only


def start_token(config: GenerationConfig) -> int | None:
    """What a decoder with an encoder starts from."""
    return config.bos_token_id if config.decoder_start_token_id is None else config.decoder_start_token_id


def _is_standard(model: PreTrainedModel) -> bool:
    """Whether the library generates from it in its ordinary way, with one key and value for each token and layer."""
    kind = type(model)
    if any(getattr(kind, name, None) is not getattr(GenerationMixin, name, None) for name in STANDARD):
        return False
    decoder = model.config.is_encoder_decoder
    needed = ARGUMENTS | ({"decoder_attention_mask", "encoder_outputs"} if decoder else {"position_ids"})
    if not needed <= arguments(model) or not kind._supports_default_dynamic_cache():
        return False
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
