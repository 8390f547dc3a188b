"""Write rows in memory as JSON lines, so that they are a data set like any other.

Workers are processes of their own, perhaps on other machines, so they read files. The folder is named after the content:
equal rows are one data set, whenever they are written.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from enum import Enum
from os import PathLike
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from harness.caching import cache_folder
from harness.data.splits import ALIASES, SPLITS, canonical
from harness.data.values import is_plain
from harness.errors import BenchError
from harness.files import dump_json, write_text
from harness.guess.which_files import task_name

CALL = "Task.from_data"  # what messages begin with
FOLDER = "rows"  # of the cache; never pruned, because results refer to it
Row = Mapping[str, Any]


def write_rows(data: Any, name: str, folder: str | PathLike[str] | None) -> Path:
    """Write rows, or splits of rows, unless they are there; return their file or folder, called `name`.

    Raises:
        BenchError: no rows, a value that cannot be written, or no folder to write to.
    """
    splits = canonical(data) if _has_splits(data) else {"all": data}
    rows = {split: _rows(part) for split, part in splits.items()}
    if len(rows) > 1 and "all" in rows:
        raise BenchError(f"{CALL}: all stands beside other splits; it is the rows of a data set without any")
    texts = {split: "".join(_lines(part, split)) for split, part in rows.items()}
    for split, text in texts.items():
        if not text:
            raise BenchError(f"{CALL}: no rows in {'the data' if split == 'all' else split}")
    digest = hashlib.sha256()
    for split, text in sorted(texts.items()):
        digest.update(f"{split}\0{text}\0".encode())
    root = Path(folder) if folder is not None else cache_folder(FOLDER)
    if root is None:
        raise BenchError(f"{CALL}: there is no cache folder to write the rows to (BENCH_CACHE); name one with folder=")
    path = root.absolute() / digest.hexdigest()[:16] / task_name(Path(f"{name}.jsonl"))
    if "all" in texts:
        path = path.with_name(f"{path.name}.jsonl")
        write_once(path, texts["all"])
    else:
        for split, text in texts.items():
            write_once(path / f"{split}.jsonl", text)
    return path


def write_once(path: Path, text: str) -> None:
    """Write a file whose path depends on its content, unless it exists.

    Raises:
        BenchError: it cannot be written.
    """
    if path.is_file():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise BenchError(f"{CALL}: {path}: {error.strerror}; name a folder that can be written with folder=") from None


def _has_splits(data: Any) -> bool:
    """Whether data are a mapping of split to rows; a dictionary of columns is an error."""
    if not isinstance(data, Mapping):
        return False
    if not {str(split).lower() for split in data} & {*SPLITS, "all", *ALIASES}:
        raise BenchError(f"{CALL}: a dictionary must map train, validation and test to rows; for columns use pandas.DataFrame(…)")
    return True


def _rows(data: Any) -> Iterable[Row]:
    """Return the rows of a data frame, table or data set."""
    if hasattr(data, "features") and hasattr(data, "column_names"):  # datasets.Dataset
        return _dataset_rows(data)
    if hasattr(data, "to_pylist"):  # pyarrow.Table
        return data.to_pylist()
    if hasattr(data, "to_dicts"):  # polars.DataFrame
        return data.to_dicts()
    if hasattr(data, "to_dict") and hasattr(data, "columns"):  # pandas.DataFrame
        return _pandas_rows(data)
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
        return data
    raise BenchError(
        f"{CALL}: {type(data).__name__} is not known; give a data frame, a list of dictionaries, a datasets.Dataset, or a path"
    )


def _pandas_rows(frame: Any) -> list[Row]:
    """Return the rows of a pandas data frame; levels of the index that have a name are columns."""
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise BenchError(
            f"{CALL}: the columns have several levels; name each by one text, such as df.columns = df.columns.map('_'.join)"
        )
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise BenchError(f"{CALL}: the column {name!r} occurs twice; rename one of the two")
    levels = [level for level, name in enumerate(frame.index.names) if name is not None and str(name) not in names]
    return (frame.reset_index(levels) if levels else frame).to_dict("records")


def _dataset_rows(dataset: Any) -> Iterator[Row]:
    """Yield the rows of a `datasets.Dataset`, with names of classes instead of their numbers."""
    from datasets import ClassLabel

    names: dict[str, list[str]] = {}
    for column, feature in dataset.features.items():
        inner = feature if isinstance(feature, ClassLabel) else getattr(feature, "feature", None)
        if isinstance(inner, ClassLabel):
            names[column] = list(inner.names)

    def named(column: str, value: Any) -> Any:
        if isinstance(value, list):
            return [named(column, item) for item in value]
        return names[column][value] if isinstance(value, int) and 0 <= value < len(names[column]) else value

    for row in dataset.with_format(None):  # other formats give arrays or frames
        yield {column: named(column, value) if column in names else value for column, value in row.items()}


def _lines(rows: Iterable[Row], split: str) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        where = f"{CALL}: row {number} of {split}"
        if not isinstance(row, Mapping):
            raise BenchError(f"{where} is a {type(row).__name__}; each row must be a dictionary of column → value")
        plain = {}
        for column, value in row.items():
            try:
                plain[str(column)] = _plain(value)
            except ValueError as error:
                raise BenchError(f"{where}, column {str(column)!r}: {error}") from None
        line = dump_json(plain)
        # Half of a surrogate pair has no UTF-8; escaped, it gets to the reader, which reports it.
        yield (line if is_plain([line]) else json.dumps(plain)) + "\n"


def _plain(value: Any) -> Any:
    """Convert a value to JSON: numpy's numbers to Python's, dates to text, missing values to null.

    Raises:
        ValueError: a value of another type.
    """
    if value is None or isinstance(value, (str, bool)) or type(value) is int:
        return value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__module__.partition(".")[0] == "numpy":
        return _plain(value.tolist())
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"bytes that are not UTF-8 (byte {error.start}); decode the column first") from None
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if isinstance(value, numbers.Number):  # Decimal, Fraction
        return str(value)
    if isinstance(value, (date, time, timedelta, UUID, PurePath)) or type(value).__name__ in ("Period", "Interval"):
        return str(value)
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise ValueError(f"a {type(value).__name__}; convert it to text, numbers, or lists of these, or drop the column")
