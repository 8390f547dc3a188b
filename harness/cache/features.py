"""Features as columns of integers, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np

from harness.cache.table import Column
from harness.heads.base import Feature
from harness.heads.windows import Window

Examples = Sequence[Mapping[str, Any]]


class Unstorable(Exception):
    """Features that hold something else than integers, windows and texts of their examples."""


def to_columns(features: Sequence[Feature], examples: Examples) -> tuple[dict[str, Column], list[list[Any]]]:
    """Columns, and for each value of a feature a line [place, name, kind, detail] that says how to make it again.

    A text is stored as the example's column that it comes from, so the file holds no sentence.

    Raises:
        Unstorable: there is something that would not come back as it is.
    """
    columns = {"example": _one([feature.example for feature in features])}
    layout: list[list[Any]] = []
    for place in ("inputs", "extra"):
        rows = [getattr(feature, place) for feature in features]
        names = list(rows[0]) if rows else []
        if any(list(row) != names for row in rows):
            raise Unstorable("features of different keys")
        for name in names:
            kind, detail, made = _store([row[name] for row in rows], features, examples)
            columns |= {f"{place}.{name}{part}": column for part, column in made.items()}
            layout.append([place, name, kind, detail])
    return columns, layout


def from_columns(columns: Mapping[str, Column], layout: Sequence[Sequence[Any]], examples: Examples) -> list[Feature]:
    """The features again.

    Raises:
        ValueError: the columns do not fit.
    """
    numbers = columns["example"].values.tolist()
    found: dict[str, list[dict[str, Any]]] = {place: [{} for _ in numbers] for place in ("inputs", "extra")}
    for place, name, kind, detail in layout:
        parts = {key.removeprefix(f"{place}.{name}"): column for key, column in columns.items()}
        values = _MAKE[kind](parts, detail, numbers, examples)
        for row, value in zip(found[place], values, strict=True):
            row[name] = value
    return [Feature(*parts) for parts in zip(numbers, found["inputs"], found["extra"], strict=True)]


def _store(values: list[Any], features: Sequence[Feature], examples: Examples) -> tuple[str, Any, dict[str, Column]]:
    """Kind, detail and columns of one value of every feature."""
    kind = type(values[0])
    if any(type(value) is not kind for value in values):
        raise Unstorable("values of different types")
    if kind is int:
        return "number", None, {"": _one(values)}
    if kind is str:
        return "text", _origin(values, features, examples), {}
    if kind is Window:
        arrays = {"/offsets": (np.int32, 2), "/tokens": (np.int64, 1)}
        columns = {"/null": _one([window.null for window in values])}
        for part, (dtype, dimensions) in arrays.items():
            rows = [getattr(window, part[1:]) for window in values]
            if any(row.dtype != dtype or row.ndim != dimensions for row in rows):
                raise Unstorable("a window of another layout")
            columns[part] = Column(np.concatenate([row.ravel() for row in rows]), _starts([row.size for row in rows]))
        return "window", None, columns
    if kind is list:
        first = next((value[0] for value in values if value), 0)
        if type(first) is tuple:
            flat = list(chain.from_iterable(values))
            if {(type(item), len(item)) for item in flat} != {(tuple, len(first))} or not first:
                raise Unstorable("tuples of different lengths")
            sizes = [len(value) * len(first) for value in values]
            return "tuples", len(first), {"": _many(list(chain.from_iterable(flat)), sizes)}
        return "numbers", None, {"": _many(list(chain.from_iterable(values)), [len(value) for value in values])}
    raise Unstorable(f"a {kind.__name__}")


def _origin(values: list[str], features: Sequence[Feature], examples: Examples) -> str:
    """The key under which every feature's example holds the feature's text."""
    for name in examples[features[0].example]:
        pairs = zip(values, features, strict=True)
        if all(examples[feature.example].get(name) == value for value, feature in pairs):
            return str(name)
    raise Unstorable("a text that no example has")


def _integers(values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {int}:  # True is no 1, and 1.0 is none either
        raise Unstorable("values that are no integers")
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise Unstorable("an integer of more than 64 bits") from None


def _one(values: list[Any]) -> Column:
    return Column(_integers(values))


def _many(values: list[Any], sizes: list[int]) -> Column:
    return Column(_integers(values), _starts(sizes))


def _starts(sizes: list[int]) -> np.ndarray:
    return np.array([0, *accumulate(sizes)], dtype=np.int64)


def _tuples(parts: Mapping[str, Column], width: int, numbers: Any, examples: Any) -> list[list[tuple[int, ...]]]:
    return [list(zip(*[iter(row)] * width, strict=True)) for row in parts[""].lists()]


def _windows(parts: Mapping[str, Column], detail: None, numbers: Any, examples: Any) -> list[Window]:
    offsets, tokens = parts["/offsets"].arrays(np.int32, 2), parts["/tokens"].arrays(np.int64)
    return [Window(*made) for made in zip(offsets, tokens, parts["/null"].values.tolist(), strict=True)]


_MAKE: dict[str, Callable[..., list[Any]]] = {
    "number": lambda parts, detail, numbers, examples: parts[""].values.tolist(),
    "numbers": lambda parts, detail, numbers, examples: parts[""].lists(),
    "text": lambda parts, detail, numbers, examples: [examples[number][detail] for number in numbers],
    "tuples": _tuples,
    "window": _windows,
}
