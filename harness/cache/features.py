"""Features as columns of integers in an Arrow file, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from harness.heads.base import Feature
from harness.heads.spans import Window

# Columns of integers as an Arrow file, and back: nothing is believed that has not been checked.


SMALL = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
FACTS, SUM = b"bench", b"crc32"


@dataclass
class IntColumn:
    """One column.

    Attributes:
        values: integers of one dimension, those of all rows one after the other.
        starts: [rows + 1] where each row's values begin; None where each row has one value.
    """

    values: np.ndarray
    starts: np.ndarray | None = None

    def lists(self) -> list[list[int]]:
        """The values of each row."""
        flat, starts = self.values.tolist(), self.starts.tolist()
        return [flat[begin:end] for begin, end in pairwise(starts)]

    def arrays(self, dtype: type, width: int | None = None) -> list[np.ndarray]:
        """The same as views of one array: [values], or [values / width, width]."""
        flat, starts = self.values.astype(dtype), self.starts.tolist()
        shape = (-1,) if width is None else (-1, width)
        return [flat[begin:end].reshape(shape) for begin, end in pairwise(starts)]


def write_columns(path: Path, columns: Mapping[str, IntColumn], facts: Mapping[str, Any]) -> None:
    """Write columns of equally many rows, and `facts` (JSON) with them."""
    arrays, small = [], {}
    for name, column in columns.items():
        small[name] = IntColumn(_smallest(column.values), column.starts)
        values = pa.array(small[name].values)
        arrays.append(
            values if column.starts is None else pa.LargeListArray.from_arrays(pa.array(column.starts), values)
        )
    told = json.dumps(facts).encode()
    table = pa.table(arrays, names=list(columns)).replace_schema_metadata(
        {FACTS: told, SUM: str(_checksum(told, small)).encode()}
    )
    with pa.OSFile(str(path), "wb") as sink, ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_columns(path: Path) -> tuple[dict[str, IntColumn], dict[str, Any]]:
    """Columns and facts; the columns are views of the mapped file.

    Raises:
        ValueError: the file is damaged.
        OSError: there is none.
    """
    try:
        with pa.memory_map(str(path)) as source:
            table = ipc.open_file(source).read_all()
        table.validate(full=True)  # before anything is touched: offsets of a damaged file may point anywhere
        columns = {name: _column(table[name]) for name in table.column_names}
        metadata = table.schema.metadata or {}
        told = metadata[FACTS]
        if str(_checksum(told, columns)).encode() != metadata[SUM]:
            raise ValueError("its checksum is another")
        return columns, json.loads(told)
    except (pa.ArrowException, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _column(chunked: pa.ChunkedArray) -> IntColumn:
    array = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
    if not pa.types.is_large_list(array.type):
        return IntColumn(_numbers(array))
    return IntColumn(_numbers(array.values), _numbers(array.offsets))


def _numbers(array: pa.Array) -> np.ndarray:
    if array.null_count or not pa.types.is_integer(array.type):
        raise ValueError(f"integers were expected, not {array.type}")
    return array.to_numpy()


def _smallest(values: np.ndarray) -> np.ndarray:
    """In the smallest type of integers that holds them all."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for kind in SMALL:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def _checksum(told: bytes, columns: Mapping[str, IntColumn]) -> int:
    total = zlib.crc32(told)
    for name, column in columns.items():
        total = zlib.crc32(name.encode(), total)
        for part in (column.values, column.starts):
            if part is not None:
                total = zlib.crc32(np.ascontiguousarray(part), total)
    return total


# Features as columns of integers, and back.


Examples = Sequence[Mapping[str, Any]]


class Unstorable(Exception):
    """Features that hold something else than integers, windows and texts of their examples."""


def to_columns(features: Sequence[Feature], examples: Examples) -> tuple[dict[str, IntColumn], list[list[Any]]]:
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


def from_columns(columns: Mapping[str, IntColumn], layout: Sequence[Sequence[Any]], examples: Examples) -> list[Feature]:
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


def _store(values: list[Any], features: Sequence[Feature], examples: Examples) -> tuple[str, Any, dict[str, IntColumn]]:
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
            columns[part] = IntColumn(np.concatenate([row.ravel() for row in rows]), _starts([row.size for row in rows]))
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


def _one(values: list[Any]) -> IntColumn:
    return IntColumn(_integers(values))


def _many(values: list[Any], sizes: list[int]) -> IntColumn:
    return IntColumn(_integers(values), _starts(sizes))


def _starts(sizes: list[int]) -> np.ndarray:
    return np.array([0, *accumulate(sizes)], dtype=np.int64)


def _tuples(parts: Mapping[str, IntColumn], width: int, numbers: Any, examples: Any) -> list[list[tuple[int, ...]]]:
    return [list(zip(*[iter(row)] * width, strict=True)) for row in parts[""].lists()]


def _windows(parts: Mapping[str, IntColumn], detail: None, numbers: Any, examples: Any) -> list[Window]:
    offsets, tokens = parts["/offsets"].arrays(np.int32, 2), parts["/tokens"].arrays(np.int64)
    return [Window(*made) for made in zip(offsets, tokens, parts["/null"].values.tolist(), strict=True)]


_MAKE: dict[str, Callable[..., list[Any]]] = {
    "number": lambda parts, detail, numbers, examples: parts[""].values.tolist(),
    "numbers": lambda parts, detail, numbers, examples: parts[""].lists(),
    "text": lambda parts, detail, numbers, examples: [examples[number][detail] for number in numbers],
    "tuples": _tuples,
    "window": _windows,
}
