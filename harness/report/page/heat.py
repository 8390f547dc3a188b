"""Steps of the colour scale."""

from __future__ import annotations

import math
from collections.abc import Iterable

STEPS = 9  # colours in css/heat.css


def step(value: float | None, low: float, high: float) -> int | None:
    """0 (lowest) to `STEPS` - 1 (highest); None where there is nothing to tell apart, or no number."""
    if value is None or not math.isfinite(value) or high <= low:
        return None
    return min(STEPS - 1, max(0, round((value - low) / (high - low) * (STEPS - 1))))


def steps(values: Iterable[float | None]) -> list[int | None]:
    """Each value's step between the lowest and the highest of them."""
    values = list(values)
    known = [value for value in values if value is not None and math.isfinite(value)]
    return [step(value, min(known), max(known)) if known else None for value in values]
