"""Data in memory as a task: the rows are written once as JSON lines, and from there on they are a data set like any other.

Workers are processes of their own, perhaps on other machines, so they read files. The folder is named after the content:
equal rows are one data set, whenever they are made.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from enum import Enum
from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from harness import registry
from harness.caching import cache_folder
from harness.data.splits import ALIASES, SPLITS, canonical
from harness.errors import BenchError
from harness.files import dump_json
from harness.guess.chosen import columns_of, read_columns
from harness.guess.which_files import name_of
from harness.planning.arguments import need, pairs
from harness.planning.quick import quick_task
from harness.planning.written_task import keys_of_task_file, with_keys, write_once
from harness.task import Task

FOLDER = "rows"  # of the cache; never pruned, because results refer to it
Row = Mapping[str, Any]


def task_of(
    data: Any,
    family: str,
    *,
    name: str = "",
    columns: Mapping[str, Any] | None = None,
    labels: Mapping[Any, str] | Sequence[str] | None = None,
    drop_labels: Any = (),
    options: Mapping[str, Any] | None = None,
    folder: str | PathLike[str] | None = None,
    **more_columns: Any,
) -> Task:
    """A task of a family from rows in memory or from data files.

    Args:
        data: a pandas data frame, a list of dictionaries, a `datasets.Dataset`, a pyarrow or polars table; or a mapping of split (train,
            validation, test) to such rows, for instance a `DatasetDict`; or the path of a file or folder. Without splits the rows are
            split 60/20/20.
        name: of the task; default: the family's name and `-rows`, or the file's name.
        columns: the family's column → the data's name for it, or a list of columns whose texts are joined. What is not named is
            guessed, as for files.
        labels: raw label → name, or the names of the raw labels 0, 1, ….
        drop_labels: raw labels whose rows are left out; None and `""` stand for no label.
        options: of the family, such as `{"metric": "macro_f1"}`.
        folder: where the rows are written; default: the cache (`BENCH_CACHE`).
        more_columns: as `columns`, one keyword each: `text="tweet"`.

    Raises:
        BenchError: no such family, column or split, a value that cannot be written, or rows that cannot be used.
    """
    need("Task.from_data: family", family, str, f"one of {', '.join(sorted(registry.families()))}")
    adapter = registry.family(family)
    need("Task.from_data: columns", columns or {}, Mapping, 'a dictionary of the family\'s column → the data\'s, such as {"text": "tweet"}')
    named = {ours: theirs for ours, theirs in {**(columns or {}), **more_columns}.items() if theirs is not None}
    valid = columns_of(adapter)
    for ours in named:
        if ours not in valid:
            arguments = "; other arguments: name, columns, labels, drop_labels, options, folder"
            raise BenchError(f"Task.from_data: {family} has no column {ours!r}; valid: {', '.join(valid)}{arguments}")
    chosen = read_columns(pairs(named, "+", "Task.from_data: columns"))
    said = keys_of_task_file(name, labels, drop_labels, options)
    in_memory = not isinstance(data, (str, PathLike))
    path = fspath(data) if not in_memory else str(_written(data, str(name) or f"{family}-rows", folder))
    try:
        task = quick_task(adapter, path, chosen)
    except BenchError as error:
        # What a command line would choose with an option is a keyword here.
        words = re.sub(r"--column (\w+)=NAME(; or fill in a task file: .*)?", r'\1="NAME"', str(error))
        raise BenchError(words.replace(f"task {family}:{path}", "Task.from_data") if in_memory else words) from None
    if said and said != {"name": task.name}:
        task = with_keys(task, said, Path(folder) if folder is not None else cache_folder(FOLDER))
    adapter.accept(task)
    return task


def _written(data: Any, name: str, folder: str | PathLike[str] | None) -> Path:
    """The file or folder of the rows, written unless it is there."""
    splits = {split: _rows(rows) for split, rows in (canonical(data) if _has_splits(data) else {"all": data}).items()}
    if len(splits) > 1 and "all" in splits:
        raise BenchError("Task.from_data: all stands beside other splits; it is the rows of a data set without any")
    texts = {split: "".join(_lines(rows, split)) for split, rows in splits.items()}
    for split, text in texts.items():
        if not text:
            raise BenchError(f"Task.from_data: no rows in {'the data' if split == 'all' else split}")
    digest = hashlib.sha256()
    for split, text in sorted(texts.items()):
        digest.update(f"{split}\0{text}\0".encode())
    root = Path(folder) if folder is not None else cache_folder(FOLDER)
    if root is None:
        raise BenchError("Task.from_data: there is no cache folder to write the rows to (BENCH_CACHE); name one with folder=")
    place = root.absolute() / digest.hexdigest()[:16] / name_of(Path(f"{name}.jsonl"))
    for split, text in texts.items():
        path = place.with_name(f"{place.name}.jsonl") if split == "all" else place / f"{split}.jsonl"
        write_once(path, text)
    return place.with_name(f"{place.name}.jsonl") if "all" in texts else place


def _has_splits(data: Any) -> bool:
    """Whether data are a mapping of split to rows; a dictionary of columns is none."""
    if not isinstance(data, Mapping):
        return False
    if not {str(split).lower() for split in data} & {*SPLITS, "all", *ALIASES}:
        raise BenchError("Task.from_data: a dictionary must map train, validation and test to rows; for columns use pandas.DataFrame(…)")
    return True


def _rows(data: Any) -> Iterable[Row]:
    """The rows of whatever holds rows."""
    if hasattr(data, "features") and hasattr(data, "column_names"):  # datasets.Dataset
        return _named(data)
    if hasattr(data, "to_pylist"):  # pyarrow.Table
        return data.to_pylist()
    if hasattr(data, "to_dicts"):  # polars.DataFrame
        return data.to_dicts()
    if hasattr(data, "to_dict") and hasattr(data, "columns"):  # pandas.DataFrame
        if getattr(data.columns, "nlevels", 1) > 1:
            raise BenchError("Task.from_data: the columns have several levels; name each by one text, such as df.columns = df.columns.map('_'.join)")
        names = [str(name) for name in data.columns]
        for name in names:
            if names.count(name) > 1:
                raise BenchError(f"Task.from_data: the column {name!r} occurs twice; rename one of the two")
        if any(name is not None and str(name) not in names for name in data.index.names):  # what a person has named is a column
            data = data.reset_index([level for level, name in enumerate(data.index.names) if name is not None and str(name) not in names])
        return data.to_dict("records")
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
        return data
    raise BenchError(
        f"Task.from_data: {type(data).__name__} is not known; give a data frame, a list of dictionaries, a datasets.Dataset, or a path"
    )


def _named(dataset: Any) -> Iterator[Row]:
    """Rows of a `datasets.Dataset` with the names of its classes in the place of their numbers."""
    from datasets import ClassLabel

    names: dict[str, list[str]] = {}
    for column, feature in dataset.features.items():
        inner = feature if isinstance(feature, ClassLabel) else getattr(feature, "feature", None)
        if isinstance(inner, ClassLabel):
            names[column] = list(inner.names)

    def name(column: str, value: Any) -> Any:
        if isinstance(value, list):
            return [name(column, one) for one in value]
        return names[column][value] if isinstance(value, int) and 0 <= value < len(names[column]) else value

    for row in dataset.with_format(None):  # which would give arrays or frames
        yield {column: name(column, value) if column in names else value for column, value in row.items()}


def _lines(rows: Iterable[Row], split: str) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise BenchError(f"Task.from_data: row {number} of {split} is a {type(row).__name__}; each row must be a dictionary of column → value")
        plain = {}
        for column, value in row.items():
            try:
                plain[str(column)] = _plain(value)
            except ValueError as error:
                raise BenchError(f"Task.from_data: row {number} of {split}, column {str(column)!r}: {error}") from None
        line = dump_json(plain)
        # Half of a surrogate pair has no UTF-8; escaped, it reaches the reader, which reports it.
        yield (line if line.isascii() or _is_whole(line) else json.dumps(plain)) + "\n"


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    """A value as JSON has it. Numbers of numpy become Python's; dates become text; what stands for nothing becomes null.

    Raises:
        ValueError: anything else.
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
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    raise ValueError(f"a {type(value).__name__}; convert it to text, numbers, or lists of these, or drop the column")
