"""Caches of keys and values with one text per row; rows can be refilled with new texts or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import EncoderDecoderCache
from transformers.cache_utils import Cache, DynamicLayer

SPARE = 8  # free columns for new tokens: fewer mean more copies, more mean reading columns for nothing


@dataclass
class Prefill:
    """The result of reading the prompts or sources of some texts.

    Attributes:
        logits: scores of the first token to generate, [texts, vocabulary].
        cache: keys and values of the tokens read so far.
        mask: 1 where the decoder's columns hold a token, 0 for padding on the left, [texts, columns].
        lengths: tokens in the decoder's columns, for each text.
        source_lengths: tokens in the encoder's columns, for each text; empty without an encoder.
        source_mask: mask of the encoder's columns, padded on the right; None without an encoder.
        states: hidden states of the encoder, [texts, source columns, width]; None without an encoder.
    """

    logits: Tensor
    cache: Cache
    mask: Tensor
    lengths: list[int]
    source_lengths: Sequence[int] = ()
    source_mask: Tensor | None = None
    states: Tensor | None = None

    def column_bytes(self) -> tuple[int, int]:
        """Bytes of keys and values per text and column over all layers, for the decoder's and the encoder's columns."""
        own, crossed = cache_layers(self.cache)
        return _bytes(own) // self.mask.numel(), _bytes(crossed) // self.source_mask.numel() if crossed else 0


def cache_layers(cache: Cache) -> tuple[list[DynamicLayer], list[DynamicLayer]]:
    """The layers of self-attention and of cross-attention."""
    if isinstance(cache, EncoderDecoderCache):
        return cache.self_attention_cache.layers, cache.cross_attention_cache.layers
    return cache.layers, []


def _bytes(layers: Sequence[DynamicLayer]) -> int:
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)


def slice_columns(tensor: Tensor, begin: int, end: int) -> Tensor:
    """Columns of [rows, heads, columns, size] as a view that remembers its base tensor, see `sliced_from`."""
    part = tensor[..., begin:end, :]
    base, first = sliced_from(tensor)
    part.sliced_from = base, first + begin
    return part


def sliced_from(columns: Tensor) -> tuple[Tensor, int]:
    """The contiguous tensor that `slice_columns` cut these columns from, and the index of their first column in it.

    A product over the whole tensor, which has no gaps between rows, is faster; scores of the other columns are ignored.
    """
    return getattr(columns, "sliced_from", (columns, 0))


class RowCacheLayer(DynamicLayer):
    """Keys and values of a layer with spare columns on the right: a step writes one column and copies nothing else."""

    def __init__(self, keys: Tensor, values: Tensor):
        super().__init__()
        self.lazy_initialization(keys, values)
        self.begin, self.end = 0, keys.shape[-2]
        self._buffers = (pad(keys, (0, 0, 0, SPARE)), pad(values, (0, 0, 0, SPARE)))

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        end = self.end + key_states.shape[-2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., self.end : end, :] = new
        self.end = end
        self.keys, self.values = (slice_columns(buffer, self.begin, end) for buffer in self._buffers)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.end - self.begin

    def replace(self, rows: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put new texts into these rows, aligned with the last column in use."""
        begin = self.end - keys.shape[-2]
        for buffer, new in zip(self._buffers, (keys, values), strict=True):
            buffer[rows, :, begin : self.end] = new

    def select(self, rows: Tensor) -> None:
        """Drop all other rows."""
        self._buffers = tuple(buffer.index_select(0, rows) for buffer in self._buffers)

    def compact(self) -> None:
        """Drop the columns before `begin` and add spare columns again."""
        used = (buffer[..., self.begin : self.end, :] for buffer in self._buffers)
        self._buffers = tuple(pad(buffer, (0, 0, 0, SPARE)) for buffer in used)
        self.begin, self.end = 0, self.end - self.begin


class RowCache:
    """The texts in work, one per row. The rows of finished texts are computed on until they are refilled or dropped.

    Attributes:
        cache: keys and values, as the model takes them.
        source_mask: mask of the encoder's columns, [rows, source columns]; None without an encoder.
        states: a stand-in of the right shape for the encoder's output, whose keys and values are cached.
        positions: position of the next token, [rows, 1].
    """

    def __init__(self, prefill: Prefill, limit: int):
        self.limit = limit
        columns = prefill.mask.shape[1]
        own, self.cross_layers = cache_layers(prefill.cache)
        self.layers = [RowCacheLayer(layer.keys, layer.values) for layer in own]
        self.cache = Cache(layers=self.layers)
        self.source_mask, self.states = prefill.source_mask, prefill.states
        if self.cross_layers:
            self.cache = EncoderDecoderCache(self.cache, prefill.cache.cross_attention_cache)
        self.mask = pad(prefill.mask, (0, SPARE), value=1)
        self.starts = [columns - length for length in prefill.lengths]
        self.source_lengths = list(prefill.source_lengths)
        self.positions = prefill.mask.sum(1, keepdim=True)
        self.last_positions = self.positions + limit - 1  # finished rows stop here: a position table has an end

    @property
    def end(self) -> int:
        """Columns in use."""
        return self.layers[0].end

    def attention_mask(self) -> Tensor | None:
        """Mask of the columns that the next token attends to, its own included; None for all columns in use."""
        begin = self.layers[0].begin
        padded = any(start > begin for start in self.starts)
        return self.mask[:, begin : self.end + 1] if padded else None

    def advance(self) -> None:
        """Move on to the next token after a step."""
        self.positions = torch.minimum(self.positions + 1, self.last_positions)
        if self.end == self.mask.shape[1]:
            self._compact()

    def trim(self, active: Sequence[int]) -> None:
        """Leave out columns, of texts and of sources, that no active row uses."""
        begin = min((self.starts[row] for row in active), default=0)
        for layer in self.layers:
            layer.begin = begin
        if self.source_lengths:
            self._trim_sources(max((self.source_lengths[row] for row in active), default=1))

    def replace(self, rows: Sequence[int], prefill: Prefill) -> None:
        """Put new texts into the rows of finished ones. No new text may be longer than the columns in use."""
        index = torch.tensor(rows, device=self.mask.device)
        own, crossed = cache_layers(prefill.cache)
        for layer, new in zip(self.layers, own, strict=True):
            layer.replace(index, new.keys, new.values)
        for row, length in zip(rows, prefill.lengths, strict=True):
            self.starts[row] = self.end - length
        self.mask[index, : self.end] = pad(prefill.mask, (self.end - prefill.mask.shape[1], 0))
        self.positions[index] = prefill.mask.sum(1, keepdim=True)
        self.last_positions[index] = self.positions[index] + self.limit - 1
        if prefill.source_mask is not None:
            for row, length in zip(rows, prefill.source_lengths, strict=True):
                self.source_lengths[row] = length
            free = self.source_mask.shape[1] - prefill.source_mask.shape[1]
            # A new tensor, not an update in place: the additive form of a mask is cached on it.
            self.source_mask = self.source_mask.index_put((index,), pad(prefill.source_mask, (0, free)))
            for layer, new in zip(self.cross_layers, crossed, strict=True):
                layer.keys[index] = pad(new.keys, (0, 0, 0, free))
                layer.values[index] = pad(new.values, (0, 0, 0, free))

    def select(self, rows: Sequence[int]) -> None:
        """Drop all other rows."""
        index = torch.tensor(rows, device=self.mask.device)
        self.starts = [self.starts[row] for row in rows]
        self.mask, self.positions, self.last_positions = self.mask[index], self.positions[index], self.last_positions[index]
        for layer in self.layers:
            layer.select(index)
        if self.source_mask is not None:
            self.source_lengths = [self.source_lengths[row] for row in rows]
            self.source_mask, self.states = self.source_mask[index], self.states[: len(rows)]
            for layer in self.cross_layers:
                layer.batch_select_indices(index)

    def _trim_sources(self, columns: int) -> None:
        if columns < self.source_mask.shape[1]:
            self.source_mask, self.states = self.source_mask[:, :columns], self.states[:, :columns]
            for layer in self.cross_layers:
                layer.keys, layer.values = (slice_columns(tensor, 0, columns) for tensor in (layer.keys, layer.values))

    def _compact(self) -> None:
        begin, end = self.layers[0].begin, self.end
        self.starts = [start - begin for start in self.starts]
        self.mask = pad(self.mask[:, begin:end], (0, SPARE), value=1)
        for layer in self.layers:
            layer.compact()
