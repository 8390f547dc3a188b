"""The median rule: which validations a trial has to reach to go on (Golovin et al. 2017, section 3.2.1).

It is the rule of Optuna's `MedianPruner`, turned round: that asks whether a trial is to end now, and a worker, which may run
anywhere and again, needs to know beforehand. A test holds the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from statistics import median

STARTUP = 5  # trials that ran to their end, before which none is ended
WARMUP = 1  # validations of a trial after which it is never ended


def thresholds(finished: Sequence[Sequence[float]]) -> tuple[float | None, ...]:
    """For each validation the median of what other trials had there; None: whatever it gives, the trial goes on.

    Args:
        finished: the validations (0-100) of each trial that ran to its end.
    """
    if len(finished) < STARTUP:
        return ()
    found: list[float | None] = []
    for number, scores in enumerate(zip_longest(*finished, fillvalue=math.nan)):
        known = [score for score in scores if not math.isnan(score)]
        found.append(median(known) if known and number >= WARMUP else None)
    return tuple(found)
