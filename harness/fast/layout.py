"""The layout of a packed batch: where its tokens lie, and which rows share a matrix in attention."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

# Cost of one more group in attention, in elements of its square score matrices: about thirty small operations per layer.
GROUP_COST = 20_000
# Scores with more elements than this, times the heads, leave the nearer caches, and their memory is requested from the system
# anew in each layer.
CACHED_SCORES = 180_000


@dataclass(frozen=True)
class Rounding:
    """Sizes are rounded up to multiples of these numbers, so that batches have few different shapes.

    Attributes:
        tokens: tokens of a batch.
        width: tokens of the longest row of a group.
        vector: numbers that the processor handles at once. A row of scores (one number for each key) is rounded up to a multiple
            of it where more than `width` numbers would be left over, which softmax and sums handle one by one.
        least: minimum length of a row of scores.
    """

    tokens: int = 1
    width: int = 1
    vector: int = 1
    least: int = 1

    def key_width(self, longest: int) -> int:
        """Return the length of a row of scores for a row of `longest` tokens."""
        width = round_up(longest, self.width)
        return max(self.least, width if width % self.vector <= self.width else round_up(width, self.vector))


NO_ROUNDING = Rounding()
# For fp32 on a CPU. 64 bytes are one vector of AVX-512, and several on processors without it; shorter rows are slowest by far.
FP32_ROUNDING = Rounding(tokens=32, least=16)
# For bf16 on a CPU: oneDNN compiles a kernel for each shape, and keeps up to a thousand of them.
BF16_ROUNDING = Rounding(tokens=32, width=4, vector=32, least=32)


def round_up(number: int, multiple: int) -> int:
    """Return the smallest multiple that is not below the number."""
    return -(-number // multiple) * multiple


@dataclass(frozen=True)
class Group:
    """Neighbouring rows whose attention is computed together, padded to the longest of them.

    Attributes:
        begin, end: the group's tokens in the packed batch, `end` excluded.
        rows: number of rows.
        width: tokens of the longest row, rounded up.
        index: [rows * width] token of the group at each position of the padded group; 0 for padding.
        inverse: [end - begin] position of each token in the padded group.
        real: [rows, width] False for padding; None without padding.
    """

    begin: int
    end: int
    rows: int
    width: int
    index: Tensor
    inverse: Tensor
    real: Tensor | None
    _by_heads: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, lengths: Tensor, begin: int, device: torch.device, width: int) -> Group:
        """Build the group of rows with these lengths, none of them above `width`."""
        rows, count = len(lengths), int(lengths.sum())
        positions = torch.arange(width)
        real = positions[None] < lengths[:, None]
        index = torch.where(real, (lengths.cumsum(0) - lengths)[:, None] + positions[None], 0).flatten()
        inverse = real.flatten().nonzero().flatten()
        return cls(
            begin, begin + count, rows, width,
            index.to(device), inverse.to(device), None if count == rows * width else real.to(device),
        )  # fmt: skip

    def pad(self, tokens: Tensor, zeros: bool = False) -> Tensor:
        """[tokens of the group, heads, size] → [rows * heads, width, size].

        Padding repeats the first token, or is zero with `zeros`.
        """
        heads, size = tokens.shape[1:]
        index, inverse = self._indices(heads)
        flat = tokens.reshape(-1, size)
        if zeros and self.real is not None:
            padded = flat.new_zeros(len(index), size).index_copy_(0, inverse, flat)
        else:
            padded = flat.index_select(0, index)
        return padded.view(self.rows * heads, self.width, size)

    def unpad(self, padded: Tensor, heads: int) -> Tensor:
        """[rows * heads, width, size] → [tokens of the group, heads, size]."""
        size = padded.shape[-1]
        return padded.view(-1, size).index_select(0, self._indices(heads)[1]).view(-1, heads, size)

    def _indices(self, heads: int) -> tuple[Tensor, Tensor]:
        """Return `index` and `inverse` for rows of single heads; computed once for all layers."""
        if heads not in self._by_heads:
            each = torch.arange(heads, device=self.index.device)
            index = self.index.view(self.rows, 1, self.width) * heads + each[None, :, None]
            row, position = self.inverse // self.width, self.inverse % self.width
            inverse = (row[:, None] * heads + each[None]) * self.width + position[:, None]
            self._by_heads[heads] = index.flatten(), inverse.flatten()
        return self._by_heads[heads]


class Layout:
    """The tokens of one side of a batch, row after row without padding.

    Args:
        lengths: [rows] tokens of each row, at least 1. Neighbouring rows are grouped, so the order of the rows matters.
        width: tokens of a row of the padded batch.
        device: of the batch.
        rounding: of sizes.

    Attributes:
        tokens: number of tokens of all rows.
        size: `tokens` rounded up; the additional positions belong to no row, start as zeros and are never read.
        index: [tokens] position of each token in the flattened padded batch.
        inverse: [rows * width] token at each position of the padded batch; padding repeats a token.
    """

    def __init__(self, lengths: Sequence[int], width: int, device: torch.device, rounding: Rounding = NO_ROUNDING):
        self.lengths, self.width, self.device, self.rounding = torch.tensor(lengths), width, device, rounding
        self.rows, self.tokens = len(lengths), sum(lengths)
        self.size = round_up(self.tokens, rounding.tokens)
        real = torch.arange(width)[None] < self.lengths[:, None]
        self.index = real.flatten().nonzero().flatten().to(device)
        self.inverse = (real.flatten().cumsum(0) - 1).clamp(min=0).to(device)
        self._groups: dict[tuple[Any, ...], list[Group]] = {}

    @cached_property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """The rows [first, end) of each group; on a GPU, where calls cost more than padding, a single group."""
        if self.device.type != "cpu":
            return ((0, self.rows),)
        return tuple(group_rows(self.lengths.tolist(), self.rounding))

    def groups(self, cuts: tuple[tuple[int, int], ...] | None = None, keys: bool = False) -> list[Group]:
        """Return the groups of rows in order.

        Args:
            cuts: those of another side of the same rows, if both sides must be cut alike.
            keys: for the tokens that attention reads, whose rows have the length of a row of scores.
        """
        cuts = self.cuts if cuts is None else cuts
        if (cuts, keys) not in self._groups:
            groups, begin = [], 0
            for first, end in cuts:
                lengths = self.lengths[first:end]
                longest = int(lengths.max())
                width = self.rounding.key_width(longest) if keys else round_up(longest, self.rounding.width)
                groups.append(Group.of(lengths, begin, self.device, width))
                begin = groups[-1].end
            self._groups[cuts, keys] = groups
        return self._groups[cuts, keys]

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return int(self.lengths.max())

    @property
    def widest(self) -> tuple[int, int]:
        """The largest widths of any group: of its queries and of its keys."""
        return round_up(self.longest, self.rounding.width), self.rounding.key_width(self.longest)


def group_rows(lengths: Sequence[int], rounding: Rounding = NO_ROUNDING) -> list[tuple[int, int]]:
    """Group neighbouring rows so that the padding inside groups and the number of groups together cost least.

    Scores that do not fit into the caches count twice. Returns the rows [first, end) of each group.
    """

    def cost(rows: int, width: int) -> int:
        scores = rows * width * rounding.key_width(width)
        return scores + max(0, scores - CACHED_SCORES) + GROUP_COST

    return partition(lengths, cost)


def partition(lengths: Sequence[int], cost: Callable[[int, int], float], borders: int = 64) -> list[tuple[int, int]]:
    """Cut a sequence into parts [first, end) so that the sum of `cost(rows, longest length)` over the parts is least.

    In a long sequence only about so many `borders` are considered.
    """
    step = max(1, len(lengths) // borders)
    places = [*range(0, len(lengths), step), len(lengths)]
    longest = [max(lengths[first:end]) for first, end in itertools.pairwise(places)]
    # For each place the least cost of all rows before it, and where their last part begins.
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(places)):
        width, choices = 0, []
        for begin in range(end - 1, -1, -1):
            width = max(width, longest[begin])
            choices.append((best[begin][0] + cost(places[end] - places[begin], width), begin))
        best.append(min(choices))
    parts, end = [], len(places) - 1
    while end:
        begin = best[end][1]
        parts.append((places[begin], places[end]))
        end = begin
    return parts[::-1]


class PadTokens(torch.autograd.Function):
    """[tokens, …] → [positions, …]. Padding repeats the first token; it must not be read, and no gradient comes back from it.

    Each token has one position on either side, so gradients are moved and never added up.
    """

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        """`index`: [positions] token at each position; `inverse`: [tokens] position of each token."""
        ctx.save_for_backward(inverse)
        ctx.size = len(tokens)
        return tokens.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return _select(gradient, inverse, ctx.size), None, None


class PackTokens(torch.autograd.Function):
    """[positions, …] → [size, …], with zeros behind the last token. The gradient of padding is zero."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, inverse: Tensor, size: int) -> Tensor:
        """`inverse`: [tokens] position of each token; `size`: length of the result, at least the number of tokens."""
        ctx.save_for_backward(inverse)
        ctx.positions = padded.shape[0]
        return _select(padded, inverse, size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        padded = gradient.new_zeros(ctx.positions, *gradient.shape[1:])
        return padded.index_copy_(0, inverse, gradient[: len(inverse)]), None, None


def _select(states: Tensor, index: Tensor, size: int) -> Tensor:
    """Return `states[index]`, followed by zeros up to `size` rows."""
    if size == len(index):
        return states.index_select(0, index)
    selected = states.new_empty(size, *states.shape[1:])
    torch.index_select(states, 0, index, out=selected[: len(index)])
    selected[len(index) :].zero_()
    return selected
