"""Answers as pieces of a context: where their text stands, and the ways in which flat files write them down."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

NEAR = 20  # characters by which an offset may be wrong where the answer's text occurs more than once
SPAN = re.compile(r"\D*(\d+)\D+(\d+)\D*")


def places(context: str, text: str) -> list[int]:
    """Every offset at which the text stands."""
    found, start = [], context.find(text)
    while start >= 0:
        found.append(start)
        start = context.find(text, start + 1)
    return found


def find(context: str, text: str, near: int) -> int | None:
    """Where the text stands: its only occurrence, or the only one that is near by."""
    found = places(context, text)
    if len(found) > 1:
        found = [place for place in found if abs(place - near) <= NEAR]
    return found[0] if len(found) == 1 else None


def whole(value: Any) -> int:
    """A whole number; `"287.0"`, as data frames write a column with gaps, is one.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is no whole number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no whole number") from None
    if number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise ValueError(f"{value!r} is no whole number")
    return int(number)


def span(value: Any) -> tuple[int, int]:
    """Start and end from `"(287, 338)"`, `"287-338"`, `[287, 338]`.

    Raises:
        ValueError: there are not two numbers.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return whole(value[0]), whole(value[1])
    match = SPAN.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is no span such as (287, 338)")
    return int(match[1]), int(match[2])


def pairs(value: Any) -> list[tuple[str, Any]]:
    """(text, start or None) of every answer in `{"text": [...], "answer_start": [...]}` or a list of `{"text", "answer_start"}`.

    A text that holds one is understood as JSON and as what Python prints, numpy's arrays included: data frames write SQuAD's
    column to CSV in that way.

    Raises:
        ValueError: it is neither.
    """
    value = _parsed(value) if isinstance(value, str) else value
    if value is None:
        return []
    if isinstance(value, Mapping):
        texts, starts = _list(value.get("text")), _list(value.get("answer_start"))
        if starts and len(starts) != len(texts):
            raise ValueError(f"{len(texts)} answers but {len(starts)} starts")
        return list(zip(map(str, texts), starts or [None] * len(texts), strict=True))
    if isinstance(value, Sequence) and all(isinstance(item, Mapping) and "text" in item for item in value):
        return [(str(item["text"]), item.get("answer_start")) for item in value]
    raise ValueError(f"{str(value)[:60]!r} is neither {{text, answer_start}} nor a list of these")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


class _Arrays(ast.NodeTransformer):
    """`array([515], dtype=int32)` is the list that it prints."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return self.visit(node.args[0]) if name == "array" and node.args else node


def _parsed(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(_Arrays().visit(ast.parse(text.strip(), mode="eval")))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"{text[:60]!r} is neither JSON nor a dict of Python") from None
