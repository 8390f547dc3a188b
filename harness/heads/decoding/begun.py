"""What a model made of the texts that it has read, before it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache
from transformers.cache_utils import Cache, DynamicLayer


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
