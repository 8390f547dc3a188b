"""IBM Model 1 (Brown et al. 1993, section 4.1): translations of words, learned from pairs of sentences."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = 0  # the empty word, which is part of every source and aligned with target words that have no source
ROUNDS = 5  # iterations of expectation maximisation, as usual for this model (Och & Ney 2003, section 5)


def translations(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], rounds: int = ROUNDS
) -> dict[int, tuple[int, float]]:
    """Source word → its likeliest translation and its probability, t(target | source).

    The probabilities start equal, and expectation maximisation finds the only maximum of the model. Of equally likely
    words the one with the smallest number is chosen.

    Args:
        sources: sentences as lists of word numbers, from 1 on; 0 is `NOTHING`.
        targets: their translations as lists of word numbers, from 0 on.
        rounds: number of iterations.
    """
    import numpy as np

    empty = np.zeros(0, dtype=np.int64)
    froms, tos, slots, slot = [empty], [empty], [empty], 0  # all pairs of a source word and a target word
    for source, target in zip(sources, targets, strict=True):
        with_empty = np.array([NOTHING, *source], dtype=np.int64)
        froms.append(np.tile(with_empty, len(target)))
        tos.append(np.repeat(np.array(target, dtype=np.int64), len(with_empty)))
        slots.append(np.repeat(np.arange(slot, slot + len(target)), len(with_empty)))
        slot += len(target)
    origin, aim, of = map(np.concatenate, (froms, tos, slots))
    if not len(origin):
        return {}
    width = int(aim.max()) + 1
    pairs, pair = np.unique(origin * width + aim, return_inverse=True)
    left, right = pairs // width, pairs % width
    probability = np.ones(len(pairs))  # made equal for each target position by the first division
    for _ in range(rounds):
        likelihood = probability[pair]
        shares = likelihood / np.bincount(of, likelihood)[of]
        counts = np.bincount(pair, shares)
        probability = counts / np.bincount(left, counts)[left]
    order = np.lexsort((right, -np.round(probability, 12), left))
    heads = order[np.unique(left[order], return_index=True)[1]]
    return {int(left[at]): (int(right[at]), float(probability[at])) for at in heads if left[at] != NOTHING}
