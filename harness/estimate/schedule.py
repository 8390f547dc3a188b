"""How long a list of cells takes on a number of slots."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


def makespan(seconds: Iterable[float], slots: int) -> float:
    """Seconds until the last cell ends, where the next one in the list always goes to the first slot that is free."""
    free = [0.0] * max(1, slots)
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)
