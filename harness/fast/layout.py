"""Where the real tokens of a padded batch lie, which rows share a matrix in attention, and moving between padded and packed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.fast.grain import FINE, Grain, up

# Where the real tokens of a padded batch lie, and which rows share a matrix in attention.


# What one more group costs in attention, as elements of a row's square of tokens: some thirty small operations a layer.
GROUP = 20_000
# Scores of more elements than these, times the heads, leave the nearer caches, and the system is asked for their memory anew.
FITS = 180_000


@dataclass(frozen=True)
class Group:
    """Neighbouring rows whose attention is computed together, padded to the longest of them.

    Attributes:
        begin: number of its first token in the packed tokens.
        end: number after its last one.
        rows: how many.
        width: tokens of its longest row, or a few more.
        index: [rows * width] number of a token within the group; 0 for padding.
        inverse: [end - begin] place of each token in the padded group.
        real: [rows, width] false for padding, or None where there is none.
    """

    begin: int
    end: int
    rows: int
    width: int
    index: Tensor
    inverse: Tensor
    real: Tensor | None
    _by_head: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, lengths: Tensor, begin: int, device: torch.device, width: int) -> Group:
        """The group of rows with these lengths, none above `width`, whose first token has the number `begin`."""
        rows = len(lengths)
        count = int(lengths.sum())
        places = torch.arange(width)
        real = places[None] < lengths[:, None]
        index = torch.where(real, (lengths.cumsum(0) - lengths)[:, None] + places[None], 0).flatten()
        inverse = real.flatten().nonzero().flatten()
        return cls(
            begin, begin + count, rows, width,
            index.to(device), inverse.to(device), None if count == rows * width else real.to(device),
        )  # fmt: skip

    def spread(self, tokens: Tensor, zeros: bool = False) -> Tensor:
        """[tokens of the group, heads, size] → [rows * heads, width, size].

        Padding repeats the first token, or with `zeros` holds nothing but them.
        """
        heads, size = tokens.shape[1:]
        index, inverse = self._heads(heads)
        flat = tokens.reshape(-1, size)
        if zeros and self.real is not None:
            padded = flat.new_zeros(len(index), size).index_copy_(0, inverse, flat)
        else:
            padded = flat.index_select(0, index)
        return padded.view(self.rows * heads, self.width, size)

    def collect(self, padded: Tensor, heads: int) -> Tensor:
        """The way back."""
        size = padded.shape[-1]
        return padded.view(-1, size).index_select(0, self._heads(heads)[1]).view(-1, heads, size)

    def _heads(self, heads: int) -> tuple[Tensor, Tensor]:
        """`index` and `inverse` where each head has rows of its own, made once for all layers."""
        if heads not in self._by_head:
            each = torch.arange(heads, device=self.index.device)
            index = self.index.view(self.rows, 1, self.width) * heads + each[None, :, None]
            row, place = self.inverse // self.width, self.inverse % self.width
            inverse = (row[:, None] * heads + each[None]) * self.width + place[:, None]
            self._by_head[heads] = index.flatten(), inverse.flatten()
        return self._by_head[heads]


class Layout:
    """The tokens of one side of a batch, row after row without padding.

    Args:
        lengths: [rows] tokens of each row, 1 or more; the order of the rows decides how well they group.
        width: tokens of the padded batch.
        device: of the batch.
        grain: of sizes.

    Attributes:
        tokens: of all rows.
        held: places for them; the last ones, which belong to no row, hold zeros at first, and are not read.
    """

    def __init__(self, lengths: Sequence[int], width: int, device: torch.device, grain: Grain = FINE):
        self.lengths, self.width, self.device, self.grain = torch.tensor(lengths), width, device, grain
        self.rows, self.tokens = len(lengths), sum(lengths)
        self.held = up(self.tokens, grain.tokens)
        real = torch.arange(width)[None] < self.lengths[:, None]
        # [tokens] place of each token in the flattened padded batch, and [rows * width] the way back; padding reads token 0.
        self.index = real.flatten().nonzero().flatten().to(device)
        self.inverse = (real.flatten().cumsum(0) - 1).clamp(min=0).to(device)
        self._groups: dict[tuple[Any, ...], list[Group]] = {}

    @cached_property
    def cuts(self) -> tuple[tuple[int, int], ...]:
        """The rows [first, last) of each group; on a GPU, where calls cost more than padding, one group."""
        if self.device.type != "cpu":
            return ((0, self.rows),)
        return tuple(group_rows(self.lengths.tolist(), self.grain))

    def groups(self, cuts: tuple[tuple[int, int], ...] | None = None, read: bool = False) -> list[Group]:
        """The rows cut into groups, in order.

        Args:
            cuts: of another side of the same rows where both must fit together.
            read: for the tokens that attention reads, not for those that ask: as wide as a row of scores.
        """
        cuts = self.cuts if cuts is None else cuts
        if (cuts, read) not in self._groups:
            found, begin = [], 0
            for first, last in cuts:
                lengths = self.lengths[first:last]
                width = self.grain.read(int(lengths.max())) if read else up(int(lengths.max()), self.grain.width)
                found.append(Group.of(lengths, begin, self.device, width))
                begin = found[-1].end
            self._groups[cuts, read] = found
        return self._groups[cuts, read]

    @property
    def firsts(self) -> Tensor:
        """[rows] number of each row's first token."""
        return (self.lengths.cumsum(0) - self.lengths).to(self.device)

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return int(self.lengths.max())

    @property
    def widest(self) -> tuple[int, int]:
        """No group of tokens that ask is wider, and none of tokens that are read."""
        return up(self.longest, self.grain.width), self.grain.read(self.longest)


def group_rows(lengths: Sequence[int], grain: Grain = FINE) -> list[tuple[int, int]]:
    """Neighbouring rows in groups [first, last), so that padding inside groups and their number cost least together.

    What does not fit into a cache counts twice.
    """

    def cost(rows: int, width: int) -> int:
        scores = rows * width * grain.read(width)
        return scores + max(0, scores - FITS) + GROUP

    return partition(lengths, cost)


def partition(lengths: Sequence[int], cost: Callable[[int, int], float], places: int = 64) -> list[tuple[int, int]]:
    """Neighbours in parts [first, last), so that the sum of `cost(rows, longest length)` over the parts is least.

    Of many rows only `places` are tried as borders.
    """
    step = max(1, len(lengths) // places)
    borders = [*range(0, len(lengths), step), len(lengths)]
    longest = [max(lengths[first:last]) for first, last in itertools.pairwise(borders)]
    best: list[tuple[float, int]] = [
        (0.0, 0)
    ]  # least cost of the rows before each border, and where their last part begins
    for end in range(1, len(borders)):
        width, choices = 0, []
        for begin in range(end - 1, -1, -1):
            width = max(width, longest[begin])
            choices.append((best[begin][0] + cost(borders[end] - borders[begin], width), begin))
        best.append(min(choices))
    parts, end = [], len(borders) - 1
    while end:
        begin = best[end][1]
        parts.append((borders[begin], borders[end]))
        end = begin
    return parts[::-1]


# Between padded and packed tokens. Every token is in one place on either side, so gradients are moved, never added up. Packed
# tokens may have places behind the last one that belong to no row; they are zeros in either direction.


class Scatter(torch.autograd.Function):
    """[tokens, …] → [places, …]. Places of padding repeat the first token, and whoever reads them must not use them: no
    gradient comes back from there."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        """`index`: [places] number of the token in each place; `inverse`: [tokens] place of each token."""
        ctx.save_for_backward(inverse)
        ctx.held = len(tokens)
        return tokens.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return _gather(gradient, inverse, ctx.held), None, None


class Collect(torch.autograd.Function):
    """[places, …] → [held, …]; the gradient of padding is zero."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, inverse: Tensor, held: int) -> Tensor:
        """`inverse`: [tokens] place of each token; `held`: how many places there are for tokens."""
        ctx.save_for_backward(inverse)
        ctx.places = places.shape[0]
        return _gather(places, inverse, held)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        padded = gradient.new_zeros(ctx.places, *gradient.shape[1:])
        return padded.index_copy_(0, inverse, gradient[: len(inverse)]), None, None


def _gather(states: Tensor, index: Tensor, held: int) -> Tensor:
    """`states` at `index`, and zeros from there up to `held`."""
    if held == len(index):
        return states.index_select(0, index)
    made = states.new_empty(held, *states.shape[1:])
    torch.index_select(states, 0, index, out=made[: len(index)])
    made[len(index) :].zero_()
    return made
