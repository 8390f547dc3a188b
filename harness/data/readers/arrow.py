"""Read Parquet and Arrow tables (IPC files and streams, Feather) with pyarrow.

If Hugging Face's `datasets` wrote the table, its schema says which numbers are classes. They are replaced by the names of the
classes, as in data sets of the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.data.compressed import check_size
from harness.data.file_layer import as_paths, read_bytes
from harness.data.place import PlacedRow
from harness.data.printed import first_duplicate
from harness.errors import BenchError
from harness.safe_text import short

IPC_FILE, FEATHER_1 = b"ARROW1", b"FEA1"
BATCH_SIZE = 1000  # rows
LISTS = ("Sequence", "List", "LargeList")


def read_parquet(files: Any, *, report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a table. Class labels are names, None for hidden ones (-1); lists stay lists."""
    return _rows(files, "Parquet", _parquet)


def read_arrow(files: Any, *, report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Read as `read_parquet` does, for Arrow's own formats: IPC files (also called Feather 2) and streams."""
    return _rows(files, "Arrow", _ipc)


def _parquet(source: Any) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a file and its batches of rows."""
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(source)
    return file.schema_arrow, file.iter_batches(BATCH_SIZE)


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


def _rows(files: Any, kind: str, open_table: Callable[[Any], tuple[Any, Iterator[Any]]]) -> list[dict[str, Any]]:
    import pyarrow

    rows = []
    for path in as_paths(files):
        data = read_bytes(path)
        try:
            schema, batches = open_table(pyarrow.BufferReader(data))
            if (duplicate := first_duplicate(schema.names)) is not None:
                raise BenchError(f"{path}: column {short(duplicate)!r} occurs twice; rename one and write the file again")
            table = pyarrow.Table.from_batches(_limited(batches, len(data), path), schema)
            table.validate(full=True)  # a damaged file may have negative lengths
            content = table.to_pylist()
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            message = " ".join(str(error).split())
            raise BenchError(f"{path}: no readable {kind} file ({message}); fetch it again, or check `format`") from None
        features = _features(table.schema.metadata)
        for number, row in enumerate(content, start=1):
            try:
                rows.append(PlacedRow(convert_row(row, features), path, f"row {number}"))
            except ValueError as error:
                raise BenchError(f"{path}: row {number}: {error}") from None
    return rows


def _limited(batches: Iterator[Any], size: int, path: Path) -> Iterator[Any]:
    """Yield the batches of a file of `size` bytes and check their total size: repeated values take no space in the file."""
    unpacked = 0
    for batch in batches:
        unpacked += batch.nbytes
        check_size(unpacked, size, path)
        yield batch


def _features(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Any]:
    """Return the features that `datasets` stored with the table; none if another program wrote it."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def convert_row(row: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with names of classes instead of numbers, and a column for each language of a translation.

    Args:
        row: Raw values.
        features: Column → its feature, as `datasets.Features.to_dict` returns it.

    Raises:
        ValueError: A language has the same name as another column.
    """
    new: dict[str, Any] = {}
    for name, value in row.items():
        feature = features.get(name)
        if isinstance(feature, dict) and feature.get("_type") == "Translation" and isinstance(value, dict):
            if duplicates := (new.keys() | row.keys()) & value.keys():
                raise ValueError(
                    f"the language {sorted(duplicates)[0]!r} of {name!r} is the name of a column as well; rename that"
                )
            new.update(value)
        else:
            new[name] = _convert(value, feature)
    return new


def _convert(value: Any, feature: Any) -> Any:
    """Replace class numbers by names. Features are nested: `{"_type": "List", "feature": ...}`, structs, `[feature]`."""
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
