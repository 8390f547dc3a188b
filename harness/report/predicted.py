"""Predictions as text, and whether they are right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 400  # characters of a prediction or reference


def right(prediction: Any, reference: Any) -> bool:
    """Letter for letter: a reference may list several answers, and an empty list of answers wants an empty one."""
    if isinstance(reference, Mapping) and isinstance(reference.get("answers"), Mapping):
        reference = [answer.strip() for answer in reference["answers"].get("text") or [""]]
    if isinstance(prediction, str) and isinstance(reference, list):
        return prediction.strip() in reference
    return prediction == reference


def shown(value: Any) -> str:
    """A prediction or reference as one text; tags with spaces between, several answers with bars, no white space around."""
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = list(dict.fromkeys(value["answers"].get("text") or [""]))
        told = " | ".join(map(str, value))
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        told = (" | " if any(" " in part for part in value) else " ").join(value)
    else:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    told = told.strip()
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def label(value: Any) -> str | None:
    """The class that a value is; None for what is no single label."""
    if isinstance(value, bool | int | str):
        return str(value)
    return None
