"""The ways in which files write answers down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.printed import printed
from harness.data.scalars import Notes, scalar, whole_number

SPAN = re.compile(r"\D*(\d+)\D+(\d+)\D*")


def span(value: Any) -> tuple[int, int]:
    """Start and end from `"(287, 338)"`, `"287-338"`, `[287, 338]`.

    Raises:
        ValueError: there are not two numbers.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return whole_number(value[0]), whole_number(value[1])
    match = SPAN.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is no span such as (287, 338)")
    return int(match[1]), int(match[2])


def pairs(value: Any, notes: Notes | None = None) -> list[tuple[str, Any]]:
    """(text, start or None) of every answer in `{"text": [...], "answer_start": [...]}` or a list of `{"text", "answer_start"}`.

    A text that holds one is understood as JSON and as what Python prints, numpy's arrays included: data frames write SQuAD's
    column to CSV in that way.

    Args:
        notes: is filled with what was converted, see `harness.data.values`.

    Raises:
        ValueError: it is neither.
    """
    notes = Notes() if notes is None else notes
    if hasattr(value, "tolist"):  # an array of numpy
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Mapping | Sequence):
        written = scalar(value, notes) or ""
        if not written.strip():
            return []
        value = printed(written)
        if value is None:
            raise ValueError(f"{written[:60]!r} is neither JSON nor a dict of Python")
        notes["printed"] += 1
    if isinstance(value, Mapping):
        texts, starts = _list(value.get("text")), _list(value.get("answer_start"))
        if len(starts) != len(texts) and (starts or value.get("answer_start") is not None):
            raise ValueError(f"{len(texts)} answers but {len(starts)} starts")
        return [
            (scalar(text, notes) or "", start) for text, start in zip(texts, starts or [None] * len(texts), strict=True)
        ]
    if isinstance(value, Sequence) and all(isinstance(item, Mapping) and "text" in item for item in value):
        return [(scalar(item["text"], notes) or "", item.get("answer_start")) for item in value]
    raise ValueError(f"{str(value)[:60]!r} is neither {{text, answer_start}} nor a list of these")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if hasattr(value, "tolist"):  # an array of numpy
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
