"""Which features are computed together, and in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence


def training_batches(count: int, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of feature numbers, all shuffled: the same for every model that has as many features.

    Batches of like length would need less padding. They are not used, because they cost accuracy in short trainings, even
    with the order of the batches shuffled: see docs/agreement.md.

    Args:
        count: features in the split.
        batch_size: features in a batch; the last batch may be smaller.
        seed: of the cell.
        epoch: counted from 0.
    """
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return [order[begin : begin + batch_size] for begin in range(0, count, batch_size)]


def evaluation_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Batches in the order of length, longest first: what does not fit into memory fails at once."""
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    return [order[begin : begin + batch_size] for begin in range(0, len(order), batch_size)]


def micro_batches(batch: Sequence[int], size: int | None) -> list[list[int]]:
    """A batch cut into pieces of at most `size` features."""
    size = size or len(batch)
    return [list(batch[begin : begin + size]) for begin in range(0, len(batch), size)]
