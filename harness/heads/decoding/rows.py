"""What a model remembers of the texts that it is writing, one text a row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import EncoderDecoderCache
from transformers.cache_utils import Cache, DynamicLayer

from harness.heads.decoding.attention import whole
from harness.heads.decoding.covers import Begun, layers

ROOM = 8  # columns for tokens to come; fewer is more copying, more is more reading for nothing


class CacheColumns(DynamicLayer):
    """Keys and values of a layer, with free columns at the right: a step writes one column and copies nothing else."""

    def __init__(self, keys: Tensor, values: Tensor):
        super().__init__()
        self.lazy_initialization(keys, values)
        self.begin, self.end = 0, keys.shape[-2]
        self._store = (pad(keys, (0, 0, 0, ROOM)), pad(values, (0, 0, 0, ROOM)))

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        end = self.end + key_states.shape[-2]
        for store, new in zip(self._store, (key_states, value_states), strict=True):
            store[..., self.end : end, :] = new
        self.end = end
        self.keys, self.values = (cut(store, self.begin, end) for store in self._store)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.end - self.begin

    def put(self, rows: Tensor, keys: Tensor, values: Tensor) -> None:
        """Other texts in these rows; their last column is the last one that is in use."""
        begin = self.end - keys.shape[-2]
        for store, new in zip(self._store, (keys, values), strict=True):
            store[rows, :, begin : self.end] = new

    def keep(self, rows: Tensor) -> None:
        """Only these rows."""
        self._store = tuple(store.index_select(0, rows) for store in self._store)

    def pack(self) -> None:
        """Without the columns that nobody reads any more, and with room again."""
        kept = (store[..., self.begin : self.end, :] for store in self._store)
        self._store = tuple(pad(store, (0, 0, 0, ROOM)) for store in kept)
        self.begin, self.end = 0, self.end - self.begin


class CacheRows:
    """The texts in work. Rows of texts that are finished go on being computed until they are replaced or left out.

    Attributes:
        cache: as the model takes it.
        source_mask: of the encoder's columns, (rows, source columns); None without an encoder.
        states: stands for the encoder's output, which is in the cache; it has its shape.
        positions: of the next token, (rows, 1).
    """

    def __init__(self, begun: Begun, limit: int):
        self.limit = limit
        cache, columns = begun.cache, begun.mask.shape[1]
        own, self.crossed = layers(cache)
        self.layers = [CacheColumns(layer.keys, layer.values) for layer in own]
        self.cache = Cache(layers=self.layers)
        self.source_mask, self.states = begun.source_mask, begun.states
        if self.crossed:
            self.cache = EncoderDecoderCache(self.cache, cache.cross_attention_cache)
        self.mask = pad(begun.mask, (0, ROOM), value=1)
        self.starts = [columns - length for length in begun.lengths]
        self.sources = list(begun.sources)
        self.positions = begun.mask.sum(1, keepdim=True)
        self.last = self.positions + limit - 1  # finished rows go no further: a table of positions has an end

    @property
    def end(self) -> int:
        """Columns in use."""
        return self.layers[0].end

    def seen(self) -> Tensor | None:
        """Which columns the next token may look at, its own among them; None: all that are in use."""
        begin = self.layers[0].begin
        padded = any(start > begin for start in self.starts)
        return self.mask[:, begin : self.end + 1] if padded else None

    def advance(self) -> None:
        """After a step."""
        self.positions = torch.minimum(self.positions + 1, self.last)
        if self.end == self.mask.shape[1]:
            self._pack()

    def forget(self, living: Sequence[int]) -> None:
        """Columns that only finished rows have, of the text or of its source, are left out from now on."""
        begin = min((self.starts[row] for row in living), default=0)
        for layer in self.layers:
            layer.begin = begin
        if self.sources:
            self._narrow_sources(max((self.sources[row] for row in living), default=1))

    def put(self, rows: Sequence[int], begun: Begun) -> None:
        """Other texts in these rows, which are finished. None of them is longer than what the texts in work have read."""
        where = torch.tensor(rows, device=self.mask.device)
        own, crossed = layers(begun.cache)
        for layer, new in zip(self.layers, own, strict=True):
            layer.put(where, new.keys, new.values)
        for row, length in zip(rows, begun.lengths, strict=True):
            self.starts[row] = self.end - length
        self.mask[where, : self.end] = pad(begun.mask, (self.end - begun.mask.shape[1], 0))
        self.positions[where] = begun.mask.sum(1, keepdim=True)
        self.last[where] = self.positions[where] + self.limit - 1
        if begun.source_mask is not None:
            for row, length in zip(rows, begun.sources, strict=True):
                self.sources[row] = length
            free = self.source_mask.shape[1] - begun.source_mask.shape[1]
            # Not in its place: what was made of a mask is kept with it.
            self.source_mask = self.source_mask.index_put((where,), pad(begun.source_mask, (0, free)))
            for layer, new in zip(self.crossed, crossed, strict=True):
                layer.keys[where] = pad(new.keys, (0, 0, 0, free))
                layer.values[where] = pad(new.values, (0, 0, 0, free))

    def keep(self, rows: Sequence[int]) -> None:
        """Only these rows."""
        where = torch.tensor(rows, device=self.mask.device)
        self.starts = [self.starts[row] for row in rows]
        self.mask, self.positions, self.last = self.mask[where], self.positions[where], self.last[where]
        for layer in self.layers:
            layer.keep(where)
        if self.source_mask is not None:
            self.sources = [self.sources[row] for row in rows]
            self.source_mask, self.states = self.source_mask[where], self.states[: len(rows)]
            for layer in self.crossed:
                layer.batch_select_indices(where)

    def _narrow_sources(self, columns: int) -> None:
        if columns < self.source_mask.shape[1]:
            self.source_mask, self.states = self.source_mask[:, :columns], self.states[:, :columns]
            for layer in self.crossed:
                layer.keys, layer.values = (cut(tensor, 0, columns) for tensor in (layer.keys, layer.values))

    def _pack(self) -> None:
        begin, end = self.layers[0].begin, self.end
        self.starts = [start - begin for start in self.starts]
        self.mask = pad(self.mask[:, begin:end], (0, ROOM), value=1)
        for layer in self.layers:
            layer.pack()


def cut(tensor: Tensor, begin: int, end: int) -> Tensor:
    """These columns of (rows, heads, columns, size). What they are cut out of is noted on them, for `attention.whole`."""
    part = tensor[..., begin:end, :]
    store, first = whole(tensor)
    part.whole = store, first + begin
    return part
