"""Store features as columns of integers in an Arrow file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from harness.heads.base import Feature
from harness.heads.windows import Window

SMALL_TYPES = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
METADATA, CHECKSUM = b"bench", b"crc32"  # keys of the Arrow schema's metadata

Examples = Sequence[Mapping[str, Any]]


class Unstorable(Exception):
    """Features hold something else than integers, windows and texts of their examples."""


@dataclass
class IntColumn:
    """A column of integers or of lists of integers.

    Attributes:
        values: one-dimensional; the values of all rows, one row after the other.
        starts: [rows + 1] where each row's values begin; None if each row has exactly one value.
    """

    values: np.ndarray
    starts: np.ndarray | None = None

    def lists(self) -> list[list[int]]:
        """Return the values of each row."""
        flat, starts = self.values.tolist(), self.starts.tolist()
        return [flat[begin:end] for begin, end in pairwise(starts)]

    def arrays(self, dtype: type, width: int | None = None) -> list[np.ndarray]:
        """Return each row's values as a view of one array: [values], or [values / width, width]."""
        flat, starts = self.values.astype(dtype), self.starts.tolist()
        shape = (-1,) if width is None else (-1, width)
        return [flat[begin:end].reshape(shape) for begin, end in pairwise(starts)]


def write_columns(path: Path, columns: Mapping[str, IntColumn], metadata: Mapping[str, Any]) -> None:
    """Write columns of equal numbers of rows, and metadata as JSON."""
    arrays, small = [], {}
    for name, column in columns.items():
        small[name] = IntColumn(_shrink(column.values), column.starts)
        values = pa.array(small[name].values)
        if column.starts is not None:
            values = pa.LargeListArray.from_arrays(pa.array(column.starts), values)
        arrays.append(values)
    encoded = json.dumps(metadata).encode()
    table = pa.table(arrays, names=list(columns)).replace_schema_metadata(
        {METADATA: encoded, CHECKSUM: str(_checksum(encoded, small)).encode()}
    )
    with pa.OSFile(str(path), "wb") as sink, ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_columns(path: Path) -> tuple[dict[str, IntColumn], dict[str, Any]]:
    """Read and verify a file. The columns are views of the memory-mapped file.

    Raises:
        ValueError: the file is damaged.
        OSError: there is no file.
    """
    try:
        with pa.memory_map(str(path)) as source:
            table = ipc.open_file(source).read_all()
        table.validate(full=True)  # before any access: the offsets of a damaged file may point anywhere
        columns = {name: _column(table[name]) for name in table.column_names}
        schema_metadata = table.schema.metadata or {}
        encoded = schema_metadata[METADATA]
        if str(_checksum(encoded, columns)).encode() != schema_metadata[CHECKSUM]:
            raise ValueError("the checksum differs")
        return columns, json.loads(encoded)
    except (pa.ArrowException, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _column(chunked: pa.ChunkedArray) -> IntColumn:
    array = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
    if not pa.types.is_large_list(array.type):
        return IntColumn(_integer_array(array))
    return IntColumn(_integer_array(array.values), _integer_array(array.offsets))


def _integer_array(array: pa.Array) -> np.ndarray:
    if array.null_count or not pa.types.is_integer(array.type):
        raise ValueError(f"expected integers, got {array.type}")
    return array.to_numpy()


def _shrink(values: np.ndarray) -> np.ndarray:
    """Convert to the smallest integer type that holds all values."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for dtype in SMALL_TYPES:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values


def _checksum(metadata: bytes, columns: Mapping[str, IntColumn]) -> int:
    checksum = zlib.crc32(metadata)
    for name, column in columns.items():
        checksum = zlib.crc32(name.encode(), checksum)
        for part in (column.values, column.starts):
            if part is not None:
                checksum = zlib.crc32(np.ascontiguousarray(part), checksum)
    return checksum


def to_columns(features: Sequence[Feature], examples: Examples) -> tuple[dict[str, IntColumn], list[list[Any]]]:
    """Convert features to columns and a layout: for each value of a feature, [attribute, key, kind, detail].

    A text is stored as the name of the example's column that holds it, so the file contains no sentence.

    Raises:
        Unstorable: something could not be restored exactly.
    """
    columns = {"example": IntColumn(_integers([feature.example for feature in features]))}
    layout: list[list[Any]] = []
    for attribute in ("inputs", "extra"):
        rows = [getattr(feature, attribute) for feature in features]
        keys = list(rows[0]) if rows else []
        if any(list(row) != keys for row in rows):
            raise Unstorable("features of different keys")
        for key in keys:
            kind, detail, parts = _to_parts([row[key] for row in rows], features, examples)
            columns |= {f"{attribute}.{key}{part}": column for part, column in parts.items()}
            layout.append([attribute, key, kind, detail])
    return columns, layout


def from_columns(columns: Mapping[str, IntColumn], layout: Sequence[Sequence[Any]], examples: Examples) -> list[Feature]:
    """Restore features from the result of `to_columns`.

    Raises:
        ValueError: the columns do not fit.
    """
    numbers = columns["example"].values.tolist()
    features = [Feature(number, {}, {}) for number in numbers]
    for attribute, key, kind, detail in layout:
        parts = {name.removeprefix(f"{attribute}.{key}"): column for name, column in columns.items()}
        match kind:
            case "number":
                values = parts[""].values.tolist()
            case "numbers":
                values = parts[""].lists()
            case "tuples":
                values = [list(zip(*[iter(row)] * detail, strict=True)) for row in parts[""].lists()]
            case "text":
                values = [examples[number][detail] for number in numbers]
            case "window":
                offsets, tokens = parts["/offsets"].arrays(np.int32, 2), parts["/tokens"].arrays(np.int64)
                windows = zip(offsets, tokens, parts["/null"].values.tolist(), strict=True)
                values = [Window(*window) for window in windows]
            case _:
                raise ValueError(f"unknown kind {kind!r}")
        for feature, value in zip(features, values, strict=True):
            getattr(feature, attribute)[key] = value
    return features


def _to_parts(
    values: list[Any], features: Sequence[Feature], examples: Examples
) -> tuple[str, Any, dict[str, IntColumn]]:
    """Convert one value of every feature to a kind, a detail and columns, named by their suffixes."""
    value_type = type(values[0])
    if any(type(value) is not value_type for value in values):
        raise Unstorable("values of different types")
    if value_type is int:
        return "number", None, {"": IntColumn(_integers(values))}
    if value_type is str:
        return "text", _text_key(values, features, examples), {}
    if value_type is Window:
        columns = {"/null": IntColumn(_integers([window.null for window in values]))}
        for name, dtype, dimensions in (("offsets", np.int32, 2), ("tokens", np.int64, 1)):
            rows = [getattr(window, name) for window in values]
            if any(row.dtype != dtype or row.ndim != dimensions for row in rows):
                raise Unstorable("a window of another layout")
            columns[f"/{name}"] = IntColumn(np.concatenate([row.ravel() for row in rows]), _starts([row.size for row in rows]))
        return "window", None, columns
    if value_type is list:
        first = next((value[0] for value in values if value), 0)
        items = list(chain.from_iterable(values))
        if type(first) is tuple:
            if {(type(item), len(item)) for item in items} != {(tuple, len(first))} or not first:
                raise Unstorable("tuples of different lengths")
            starts = _starts([len(value) for value in values]) * len(first)
            return "tuples", len(first), {"": IntColumn(_integers(list(chain.from_iterable(items))), starts)}
        return "numbers", None, {"": IntColumn(_integers(items), _starts([len(value) for value in values]))}
    raise Unstorable(f"a {value_type.__name__}")


def _text_key(values: list[str], features: Sequence[Feature], examples: Examples) -> str:
    """Return the key under which every feature's example holds the feature's text."""
    for key in examples[features[0].example]:
        pairs = zip(values, features, strict=True)
        if all(examples[feature.example].get(key) == value for value, feature in pairs):
            return str(key)
    raise Unstorable("a text that no example has")


def _integers(values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {int}:  # True is not 1, and 1.0 is not 1 either
        raise Unstorable("values that are no integers")
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise Unstorable("an integer of more than 64 bits") from None


def _starts(sizes: list[int]) -> np.ndarray:
    """Return [rows + 1] where each row's values begin in the flat list of all values."""
    return np.array([0, *accumulate(sizes)], dtype=np.int64)
