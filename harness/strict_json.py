"""JSON that every reader accepts: Python by itself also writes NaN and Infinity, which no standard knows."""

from __future__ import annotations

import json
import math
from typing import Any


def dumps(value: Any, **how: Any) -> str:
    """A value as JSON, texts as they are; numbers that are not finite become null. `how` is for `json.dumps`."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **how)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, allow_nan=False, **how)


def finite(value: Any) -> Any:
    """The same value, None for each number in it that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value
