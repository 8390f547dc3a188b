"""Parquet and Arrow tables (IPC files and streams, Feather), read by pyarrow.

Where Hugging Face's `datasets` wrote the table, its schema says which numbers are classes: they become the classes' names,
as they do for data sets of the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.data.compressed import check_size
from harness.data.file_layer import as_paths, read_bytes
from harness.data.place import PlacedRow
from harness.data.readers.json_rows import once
from harness.errors import BenchError
from harness.safe_text import short

IPC_FILE, FEATHER_1 = b"ARROW1", b"FEA1"
BATCH = 1000  # rows
LISTS = ("Sequence", "List", "LargeList")


def read_parquet(files: Any, *, report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """One row for each of the table's. Class labels are names, None for the -1 of hidden ones; lists stay lists."""
    return _rows(files, "Parquet", _parquet)


def read_arrow(files: Any, *, report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """As `read_parquet`, for Arrow's own formats: IPC files (also called Feather 2) and streams."""
    return _rows(files, "Arrow", _ipc)


def _parquet(source: Any) -> tuple[Any, Iterator[Any]]:
    """The schema of a file, and its batches of rows."""
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(source)
    return file.schema_arrow, file.iter_batches(BATCH)


def _ipc(source: Any) -> tuple[Any, Iterator[Any]]:
    from pyarrow import ipc

    start = source.read(len(IPC_FILE))
    source.seek(0)
    if start.startswith(FEATHER_1):
        raise ValueError("Feather 1, which is no longer read: write it again as Feather 2 or Parquet")
    if start == IPC_FILE:
        file = ipc.open_file(source)
        return file.schema, map(file.get_batch, range(file.num_record_batches))
    stream = ipc.open_stream(source)
    return stream.schema, iter(stream)


def _rows(files: Any, kind: str, parts_of: Callable[[Any], tuple[Any, Iterator[Any]]]) -> list[dict[str, Any]]:
    import pyarrow

    rows = []
    for path in as_paths(files):
        data = read_bytes(path)
        try:
            schema, parts = parts_of(pyarrow.BufferReader(data))
            if (twice := once(schema.names)) is not None:
                raise BenchError(f"{path}: column {short(twice)!r} occurs twice; rename one and write the file again")
            table = pyarrow.Table.from_batches(_bounded(parts, len(data), path), schema)
            table.validate(full=True)  # a damaged file may have lengths below zero
            content = table.to_pylist()
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            message = " ".join(str(error).split())
            raise BenchError(
                f"{path}: no readable {kind} file ({message}); fetch it again, or check `format`"
            ) from None
        features = _features(table.schema.metadata)
        for number, row in enumerate(content, start=1):
            try:
                rows.append(PlacedRow(_named(row, features), path, f"row {number}"))
            except ValueError as error:
                raise BenchError(f"{path}: row {number}: {error}") from None
    return rows


def _bounded(parts: Iterator[Any], size: int, path: Path) -> Iterator[Any]:
    """The batches of a file of `size` bytes, counted as they are unpacked: equal values take up no room in the file."""
    unpacked = 0
    for part in parts:
        unpacked += part.nbytes
        check_size(unpacked, size, path)
        yield part


def _features(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Any]:
    """What `datasets` says about the columns; nothing where another program wrote the table."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _named(row: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = {}
    for name, value in row.items():
        feature = features.get(name)
        if isinstance(feature, dict) and feature.get("_type") == "Translation" and isinstance(value, dict):
            if twice := (new.keys() | row.keys()) & value.keys():
                raise ValueError(
                    f"the language {sorted(twice)[0]!r} of {name!r} is the name of a column as well; rename that"
                )
            new.update(value)
        else:
            new[name] = _convert(value, feature)
    return new


def _convert(value: Any, feature: Any) -> Any:
    """A value with the names of its classes. Features nest: `{"_type": "List", "feature": ...}`, structs, `[feature]`."""
    if value is None or feature is None:
        return value
    if isinstance(feature, list):
        feature = {"_type": "List", "feature": feature[0] if feature else None}
    kind = feature.get("_type")
    if kind == "ClassLabel" and isinstance(value, int):
        names = feature.get("names") or []
        return names[value] if 0 <= value < len(names) else None if value < 0 else value
    if kind in LISTS:
        feature = feature.get("feature")
        if isinstance(value, list):
            return [_convert(item, feature) for item in value]
        # A sequence of structs is stored as a struct of lists.
        feature = {key: {"_type": "List", "feature": inner} for key, inner in (feature or {}).items()}
        kind = None
    if kind is None and isinstance(value, dict):
        return {key: _convert(item, feature.get(key)) for key, item in value.items()}
    return value
