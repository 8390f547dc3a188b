"""Seeds and rows of one task drawn anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.metrics.additive import Array
from harness.stats.paired import SEED


def redrawn(drawn: Mapping[int, Array]) -> Array:
    """A model's mean score over drawn seeds, on drawn rows: [resamples].

    Of n seeds, n - 1 are drawn with replacement: so many make the variance of the mean the right one, and n would make it
    too small by a third for three seeds (McCarthy & Snowden 1985; Rao & Wu 1988). Models with the same seeds get the same
    draw, for they are paired: equal seeds have equal splits and order of data.

    Args:
        drawn: seed → scores on resamples of the rows, the same for all models.
    """
    seeds = sorted(drawn)
    scores = np.array([drawn[seed] for seed in seeds])
    if len(seeds) == 1:
        return scores[0]
    number = scores.shape[1]
    chosen = np.random.default_rng([SEED, *map(abs, seeds)]).integers(0, len(seeds), size=(len(seeds) - 1, number))
    return scores[chosen, np.arange(number)].mean(axis=0)
