"""A task of a Python call as a task file, so that the commands on a board name all that makes the task."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data.scalars import Notes, scalar
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.files import write_text
from harness.planning.arguments import need
from harness.planning.taskfile import read_task
from harness.task import Task

CALL = "Task.from_data"  # what messages begin with


def keys_of_task_file(name: Any, labels: Any, dropped: Any, options: Any) -> dict[str, Any]:
    """The arguments of a call as keys of a task file; those that say nothing are left out.

    Raises:
        BenchError: labels or options of a kind that cannot be read.
    """
    said: dict[str, Any] = {"name": str(name)} if name not in ("", None) else {}
    if labels is not None:
        need(f"{CALL}: labels", labels, (Mapping, list, tuple), "a dictionary of raw label → name, or a list of names in their order")
        named = isinstance(labels, Mapping)
        said["labels"] = {_label(raw): str(one) for raw, one in labels.items()} if named else [str(one) for one in labels]
    if dropped := [_label(one) for one in (dropped if isinstance(dropped, (list, tuple, set, frozenset)) else [dropped])]:
        said["drop_labels"] = sorted(dropped)
    if options:
        need(f"{CALL}: options", options, Mapping, 'a dictionary, such as {"metric": "macro_f1"}')
        said["options"] = dict(options)
    return said


def with_keys(task: Task, said: Mapping[str, Any], folder: Path | None) -> Task:
    """The task with some keys of a task file, as that file, which is written into a folder named after its content.

    Args:
        folder: where; None: nowhere, and commands name the data alone.

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
        **said,
        **({"options": {**task.options, **said.get("options", {})}} if task.options or "options" in said else {}),
    }
    made = replace(read_task(content, Path(CALL)), description=task.description, reference=task.reference, chosen=task.chosen)
    if folder is None:
        return made
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    file = folder.absolute() / hashlib.sha256(text.encode()).hexdigest()[:16] / "task.yaml"
    write_once(file, text)
    return replace(made, reference=str(file), chosen={})


def write_once(path: Path, text: str) -> None:
    """Write a file whose place tells its content, unless it is there.

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


def _absolute(files: Any) -> Any:
    """The same paths from wherever they are read."""
    if isinstance(files, Mapping):
        return {name: _absolute(one) for name, one in files.items()}
    if isinstance(files, (list, tuple)):
        return [_absolute(one) for one in files]
    return os.path.abspath(os.path.expanduser(files))


def _label(raw: Any) -> str:
    """A raw label as readers have it; one that is missing is empty."""
    try:
        return (scalar(raw, Notes()) or "").strip()
    except ValueError as error:
        raise BenchError(f"{CALL}: a label is {error}") from None
