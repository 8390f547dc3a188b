"""Which features are computed together, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count as from_number
from typing import Any

from harness.fast.layout import partition
from harness.heads.base import grouped


def training_batches(count: int, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of feature numbers, all shuffled: the same for every model that has as many features.

    Batches of like length would need less padding. They are not used, because they cost accuracy in short trainings, even
    with the order of the batches shuffled: see docs/agreement.md. Padding is avoided inside the batch instead.

    Args:
        count: features in the split.
        batch_size: features in a batch; the last batch may be smaller.
        seed: of the cell.
        epoch: counted from 0.
    """
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return [order[begin : begin + batch_size] for begin in range(0, count, batch_size)]


def remaining_batches(count: int, batch_size: int, seed: int, done: int) -> Iterator[list[int]]:
    """The batches of a training after its first `done`, without end: those that it would have had without a break."""
    first, skipped = divmod(done, -(-count // batch_size))
    for epoch in from_number(first):
        yield from training_batches(count, batch_size, seed, epoch)[skipped if epoch == first else 0 :]


def evaluation_batches(
    lengths: Sequence[int], batch_size: int, tokens: int | None = None, keys: Sequence[Any] | None = None
) -> list[list[int]]:
    """Batches in the order of length, longest first: what does not fit into memory fails at once.

    Args:
        lengths: of all features, in tokens.
        batch_size: the most features in a batch.
        tokens: the most tokens in a batch of more than one feature, padding included.
        keys: only features of equal keys share a batch; None: any do.
    """
    if keys is not None:
        batches = [
            [numbers[one] for one in batch]
            for numbers in grouped(range(len(lengths)), keys)
            for batch in evaluation_batches([lengths[number] for number in numbers], batch_size, tokens)
        ]
        return sorted(batches, key=lambda batch: -lengths[batch[0]])
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    batches, begin = [], 0
    while begin < len(order):
        size = batch_size if tokens is None else min(batch_size, max(1, tokens // lengths[order[begin]]))
        batches.append(order[begin : begin + size])
        begin += size
    return batches


def pieces(
    batch: Sequence[int], lengths: Sequence[int], size: int | None, extra: float | None, keys: Sequence[Any] | None = None
) -> list[list[int]]:
    """A batch cut into pieces that are computed one after another; their gradients add up to the batch's.

    Args:
        batch: feature numbers.
        lengths: of all features.
        size: the most features in a piece, or None.
        extra: what one more piece costs, in tokens; features of like length then share a piece, so that less is padding. None:
            padding costs nothing, and only `size` counts.
        keys: of all features; only those of equal keys share a piece. None: any do.

    Returns:
        Feature numbers, longest first.
    """
    if not batch:
        return []
    if keys is not None:
        parts = [part for group in grouped(batch, keys) for part in pieces(group, lengths, size, extra)]
        return sorted(parts, key=lambda part: -lengths[part[0]])
    ordered = sorted(batch, key=lambda number: -lengths[number])
    parts = [(0, len(ordered))]
    if extra is not None:
        parts = partition([lengths[number] for number in ordered], lambda rows, width: rows * width + extra)
    size = size or len(ordered)
    return [ordered[begin : min(begin + size, last)] for first, last in parts for begin in range(first, last, size)]
