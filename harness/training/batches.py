"""Which features are computed together, and in which order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from harness.fast.layout import partition
from harness.heads.base import grouped


def training_batches(count: int, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Shuffle the features of one epoch into batches. The result is the same for every model with as many features.

    Batches of similar length would need less padding, but they cost accuracy in short trainings, even with the batches in
    random order (docs/agreement.md). Padding is avoided inside the batch instead (`harness.fast`).

    Args:
        count: number of features in the split.
        batch_size: features per batch; the last batch may be smaller.
        seed: the cell's seed.
        epoch: counted from 0.

    Returns:
        For each batch the indices of its features.
    """
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return [order[start : start + batch_size] for start in range(0, count, batch_size)]


def remaining_batches(count: int, batch_size: int, seed: int, done: int) -> Iterator[list[int]]:
    """Yield the batches that follow the first `done` ones, epoch after epoch, without end."""
    first, skipped = divmod(done, -(-count // batch_size))
    for epoch in itertools.count(first):
        yield from training_batches(count, batch_size, seed, epoch)[skipped if epoch == first else 0 :]


def evaluation_batches(
    lengths: Sequence[int], batch_size: int, tokens: int | None = None, keys: Sequence[Any] | None = None
) -> list[list[int]]:
    """Sort the features by length and cut them into batches, longest first, so that an out-of-memory error comes at once.

    Args:
        lengths: [features] tokens of each feature.
        batch_size: maximum number of features in a batch.
        tokens: maximum number of tokens in a batch of more than one feature, padding included.
        keys: [features] only features with equal keys share a batch; None: any may.

    Returns:
        For each batch the indices of its features.
    """
    if keys is not None:
        batches = [
            [indices[position] for position in batch]
            for indices in grouped(range(len(lengths)), keys)
            for batch in evaluation_batches([lengths[index] for index in indices], batch_size, tokens)
        ]
        return sorted(batches, key=lambda batch: -lengths[batch[0]])
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches, start = [], 0
    while start < len(order):
        size = batch_size if tokens is None else min(batch_size, max(1, tokens // lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def pieces(
    batch: Sequence[int], lengths: Sequence[int], size: int | None, overhead: float | None, keys: Sequence[Any] | None = None
) -> list[list[int]]:
    """Cut a batch into pieces that are computed one after another and whose gradients are added up.

    Args:
        batch: indices of its features.
        lengths: [features] tokens of each feature of the split.
        size: maximum number of features in a piece; None: no limit.
        overhead: cost of one more piece, in tokens. Features of similar length then share a piece where less padding makes up
            for that cost. None: padding costs nothing, and only `size` counts.
        keys: [features] only features with equal keys share a piece; None: any may.

    Returns:
        For each piece the indices of its features, longest first.
    """
    if not batch:
        return []
    if keys is not None:
        parts = [part for group in grouped(batch, keys) for part in pieces(group, lengths, size, overhead)]
        return sorted(parts, key=lambda part: -lengths[part[0]])
    ordered = sorted(batch, key=lambda index: -lengths[index])
    parts = [(0, len(ordered))]
    if overhead is not None:
        parts = partition([lengths[index] for index in ordered], lambda rows, width: rows * width + overhead)
    size = size or len(ordered)
    return [ordered[start : min(start + size, end)] for first, end in parts for start in range(first, end, size)]
