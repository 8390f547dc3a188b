"""Columns of integers as an Arrow file, and back: nothing is believed that has not been checked."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

SMALL = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
FACTS, SUM = b"bench", b"crc32"


@dataclass
class Column:
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


def write_columns(path: Path, columns: Mapping[str, Column], facts: Mapping[str, Any]) -> None:
    """Write columns of equally many rows, and `facts` (JSON) with them."""
    arrays, small = [], {}
    for name, column in columns.items():
        small[name] = Column(_smallest(column.values), column.starts)
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


def read_columns(path: Path) -> tuple[dict[str, Column], dict[str, Any]]:
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


def _column(chunked: pa.ChunkedArray) -> Column:
    array = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
    if not pa.types.is_large_list(array.type):
        return Column(_numbers(array))
    return Column(_numbers(array.values), _numbers(array.offsets))


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


def _checksum(told: bytes, columns: Mapping[str, Column]) -> int:
    total = zlib.crc32(told)
    for name, column in columns.items():
        total = zlib.crc32(name.encode(), total)
        for part in (column.values, column.starts):
            if part is not None:
                total = zlib.crc32(np.ascontiguousarray(part), total)
    return total
