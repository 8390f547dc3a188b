"""IBM Model 1 (Brown et al. 1993, section 4.1): which word of one language becomes which of another, from pairs of sentences alone."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = 0  # the number of the empty word, which stands in every source for words that come from nowhere
ROUNDS = 5  # of expectation and maximisation, as usual for this model (Och & Ney 2003, section 5)


def translations(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], rounds: int = ROUNDS
) -> dict[int, tuple[int, float]]:
    """Source word → its likeliest translation and the probability of it, t(target | source).

    The probabilities are equal at first; expectation maximisation then finds the model's only maximum. Of equally likely words
    that with the smallest number is taken.

    Args:
        sources: sentences as numbers of words, from 1 on; 0 is `NOTHING`.
        targets: their translations, as numbers of words from 0 on.
        rounds: of the algorithm.
    """
    import numpy as np

    empty = np.zeros(0, dtype=np.int64)
    froms, tos, slots, slot = [empty], [empty], [empty], 0  # each word of a source beside each word of its target
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
    chance = np.ones(len(pairs))  # the first division makes them equal for each place in a target
    for _ in range(rounds):
        likely = chance[pair]
        shares = likely / np.bincount(of, likely)[of]
        counts = np.bincount(pair, shares)
        chance = counts / np.bincount(left, counts)[left]
    order = np.lexsort((right, -np.round(chance, 12), left))
    heads = order[np.unique(left[order], return_index=True)[1]]
    return {int(left[at]): (int(right[at]), float(chance[at])) for at in heads if left[at] != NOTHING}
