"""`Task.from_data`: make a task of rows in memory or of data files, with labels and options as in a task file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from harness import registry
from harness.caching import cache_folder
from harness.data.scalars import Notes, scalar
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.guess.chosen_columns import columns_of, read_columns
from harness.planning.arguments import check_type, pairs
from harness.planning.quick import quick_task
from harness.planning.rows_in_memory import CALL, FOLDER, write_once, write_rows
from harness.planning.taskfile import read_task
from harness.task import Task


def task_from_data(
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
    """Make a task of a family from rows in memory or from data files.

    Args:
        data: a pandas data frame, a list of dictionaries, a `datasets.Dataset`, a pyarrow or polars table; or a mapping of split (train,
            validation, test) to such rows, for instance a `DatasetDict`; or the path of a file or folder. Without splits the rows are
            split 60/20/20.
        name: of the task; default: the family's name and `-rows`, or the file's name.
        columns: the family's column → the data's, or a list of columns whose texts are joined. Columns that are not named are
            guessed, as for files.
        labels: raw label → name, or the names of the raw labels 0, 1, ….
        drop_labels: raw labels whose rows are left out; None and `""` stand for no label.
        options: of the family, such as `{"metric": "macro_f1"}`.
        folder: where the rows are written; default: the cache (`BENCH_CACHE`).
        more_columns: as `columns`, one keyword each: `text="tweet"`.

    Raises:
        BenchError: no such family, column or split, a value that cannot be written, or rows that cannot be used.
    """
    check_type(f"{CALL}: family", family, str, f"one of {', '.join(sorted(registry.families()))}")
    adapter = registry.family(family)
    example = 'a dictionary of the family\'s column → the data\'s, such as {"text": "tweet"}'
    check_type(f"{CALL}: columns", columns or {}, Mapping, example)
    named = {column: source for column, source in {**(columns or {}), **more_columns}.items() if source is not None}
    valid = columns_of(adapter)
    for column in named:
        if column not in valid:
            arguments = "; other arguments: name, columns, labels, drop_labels, options, folder"
            raise BenchError(f"{CALL}: {family} has no column {column!r}; valid: {', '.join(valid)}{arguments}")
    chosen = read_columns(pairs(named, "+", f"{CALL}: columns"))
    keys = _task_file_keys(name, labels, drop_labels, options)
    in_memory = not isinstance(data, (str, PathLike))
    path = str(write_rows(data, str(name) or f"{family}-rows", folder)) if in_memory else fspath(data)
    try:
        task = quick_task(adapter, path, chosen)
    except BenchError as error:
        # Choices that a command line makes with an option are made with a keyword here.
        message = re.sub(r"--column (\w+)=NAME(; or fill in a task file: .*)?", r'\1="NAME"', str(error))
        raise BenchError(message.replace(f"task {family}:{path}", CALL) if in_memory else message) from None
    if keys and keys != {"name": task.name}:
        task = _with_keys(task, keys, Path(folder) if folder is not None else cache_folder(FOLDER))
    adapter.accept(task)
    return task


def _task_file_keys(name: Any, labels: Any, drop_labels: Any, options: Any) -> dict[str, Any]:
    """Return arguments as keys of a task file, without those that are not given.

    Raises:
        BenchError: labels or options of a type that cannot be read.
    """
    keys: dict[str, Any] = {} if name in ("", None) else {"name": str(name)}
    if labels is not None:
        expected = "a dictionary of raw label → name, or a list of names in their order"
        check_type(f"{CALL}: labels", labels, (Mapping, list, tuple), expected)
        if isinstance(labels, Mapping):
            keys["labels"] = {_raw_label(raw): str(label) for raw, label in labels.items()}
        else:
            keys["labels"] = [str(label) for label in labels]
    is_list = isinstance(drop_labels, (list, tuple, set, frozenset))
    if dropped := [_raw_label(raw) for raw in (drop_labels if is_list else [drop_labels])]:
        keys["drop_labels"] = sorted(dropped)
    if options:
        check_type(f"{CALL}: options", options, Mapping, 'a dictionary, such as {"metric": "macro_f1"}')
        keys["options"] = dict(options)
    return keys


def _raw_label(raw: Any) -> str:
    """Return a raw label as readers do; a missing one is empty."""
    try:
        return (scalar(raw, Notes()) or "").strip()
    except ValueError as error:
        raise BenchError(f"{CALL}: a label is {error}") from None


def _with_keys(task: Task, keys: Mapping[str, Any], folder: Path | None) -> Task:
    """Set keys of a task file in a task, and write that file, so that commands can name the whole task.

    Args:
        folder: where to write it, in a folder named after its content; None: nowhere, and commands name the data alone.

    Raises:
        BenchError: a value that a task file could not have, or a folder that cannot be written.
    """
    import yaml

    source = task.source
    if not isinstance(source, FileSource):
        raise TypeError(f"{source!r} is no data of files")
    content = {
        "family": task.family,
        "data": {"format": source.format, **source.options, "files": _absolute(source.files)},
        **({"columns": dict(task.columns)} if task.columns else {}),
        "name": task.name,
        **keys,
        **({"options": {**task.options, **keys.get("options", {})}} if task.options or "options" in keys else {}),
    }
    changed = read_task(content, Path(CALL))
    changed = replace(changed, description=task.description, reference=task.reference, chosen=task.chosen)
    if folder is None:
        return changed
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    file = folder.absolute() / hashlib.sha256(text.encode()).hexdigest()[:16] / "task.yaml"
    write_once(file, text)
    return replace(changed, reference=str(file), chosen={})


def _absolute(files: Any) -> Any:
    """Make all paths absolute."""
    if isinstance(files, Mapping):
        return {name: _absolute(value) for name, value in files.items()}
    if isinstance(files, (list, tuple)):
        return [_absolute(value) for value in files]
    return os.path.abspath(os.path.expanduser(files))
