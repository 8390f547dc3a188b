"""Which features are computed together, and in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence

POOL = 16  # batches whose features are sorted by length together


def training_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of feature numbers: neighbours in length, in random order.

    All features are shuffled, cut into pools of `POOL` batches, sorted by length inside each pool, and the batches are
    shuffled again: rows of a batch have nearly equal length and so little padding, while the training never runs from long
    to short. The order depends on the seed, the epoch and the lengths alone, so models with the same tokens see the same.

    Args:
        lengths: tokens of each feature.
        batch_size: features in a batch; the last batch of the shortest pool may be smaller.
        seed: of the cell.
        epoch: counted from 0.
    """
    generator = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    generator.shuffle(order)
    batches = []
    for begin in range(0, len(order), batch_size * POOL):
        pool = sorted(order[begin : begin + batch_size * POOL], key=lambda number: lengths[number])
        batches += [pool[start : start + batch_size] for start in range(0, len(pool), batch_size)]
    generator.shuffle(batches)
    return batches


def evaluation_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Batches in the order of length, longest first: what does not fit into memory fails at once."""
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    return [order[begin : begin + batch_size] for begin in range(0, len(order), batch_size)]


def micro_batches(batch: Sequence[int], size: int | None) -> list[list[int]]:
    """A batch cut into pieces of at most `size` features."""
    size = size or len(batch)
    return [list(batch[begin : begin + size]) for begin in range(0, len(batch), size)]
