"""A task from a YAML file: a new data set of a known family in about ten lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from harness import registry
from harness.data.readers import READERS
from harness.data.source import FileSource, HubSource, Source
from harness.data.splits import ALIASES, SPLITS
from harness.errors import BenchError, unknown
from harness.rows import KEPT
from harness.task import Task

KEYS = ("name", "family", "version", "description", "data", "columns", "labels", "drop_labels", "options", "limit")


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; loaded safely, so it can name no code."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}; give the path of a YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise BenchError(f"{path}: must be a mapping of keys to values, not {type(content).__name__}")
    return content


def reject_unknown(content: Mapping[str, Any], valid: Iterable[str], path: Path) -> None:
    """A `BenchError` for the first key that is not valid, with the nearest one that is."""
    valid = list(valid)
    for key in content:
        if key not in valid:
            raise unknown("key", key, valid, where=str(path))


def read_task(content: Mapping[str, Any], path: Path) -> Task:
    """The task that a task file's content describes; see docs/tasks.md for the keys.

    Args:
        content: the parsed mapping.
        path: the file it stands in; relative data paths are meant from its folder.

    Raises:
        BenchError: a key that is missing, unknown or of the wrong kind.
    """
    reject_unknown(content, KEYS, path)
    for key in ("family", "data"):
        if key not in content:
            raise BenchError(f"{path}: the key {key!r} is missing; a task needs family and data")
    try:
        family = registry.family(str(content["family"]))
    except BenchError as error:
        raise BenchError(f"{path}: {error}") from None
    columns, options = (_mapping(content.get(key), key, path) for key in ("columns", "options"))
    valid = (*family.columns, *family.optional_columns, *KEPT)
    for name, column in columns.items():
        if name not in valid:
            raise unknown(f"column of family {family.name}", name, valid, where=f"{path}, columns")
        if column is None and name in KEPT:
            continue  # the data's column of that name is not used
        if isinstance(column, bool) or not isinstance(column, str | int | list | dict):
            raise BenchError(f"{path}: columns: {name} is {column!r}; it must be a name, an index, or a list of these")
    try:
        version = int(content.get("version", 1))
        limit = content.get("limit") and int(content["limit"])
    except (TypeError, ValueError):
        raise BenchError(f"{path}: version and limit must be whole numbers") from None
    return Task(
        name=str(content.get("name") or path.stem),
        family=family.name,
        source=_source(content["data"], path),
        version=version,
        columns=columns,
        labels=_labels(content.get("labels"), path),
        drop_labels=_drop_labels(content.get("drop_labels"), path),
        options=options,
        limit=limit,
        description=str(content.get("description", "")),
    )


def _mapping(value: Any, key: str, path: Path) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise BenchError(f"{path}: {key} is {value!r}; it must be a mapping of names to values")
    return value or {}


def _labels(labels: Any, path: Path) -> dict[str, str] | tuple[str, ...] | None:
    """Raw label → name, or the names; None where there are none."""
    if not labels:
        return None
    if not isinstance(labels, dict | list):
        raise BenchError(f"{path}: labels is {labels!r}; it must be a mapping of raw label to name, or a list of names")
    written = [*labels, *labels.values()] if isinstance(labels, dict) else labels
    if any(isinstance(one, bool) for one in written):
        raise BenchError(
            f"{path}: labels: YAML reads yes, no, on, off, true and false as truth values; quote them ('no')"
        )
    if isinstance(labels, dict):
        return {str(raw): str(name) for raw, name in labels.items()}
    return tuple(str(name) for name in labels)


def _drop_labels(labels: Any, path: Path) -> tuple[str, ...]:
    if labels is None:
        return ()
    written = labels if isinstance(labels, list) else [labels]
    if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in written):
        raise BenchError(
            f'{path}: drop_labels is {labels!r}; it must be a list of raw labels, such as ["-1"], those in quotes that YAML would '
            "take for true, false, a fraction or nothing"
        )
    return tuple(str(one).strip() for one in written)


def _source(data: Any, path: Path) -> Source:
    if not isinstance(data, dict):
        raise BenchError(f"{path}: data must be a mapping with format and files, or hub")
    if "hub" in data:
        reject_unknown(data, ("hub", "revision", "config", "splits", "data_files"), path)
        return HubSource(data["hub"], **{key: value for key, value in data.items() if key != "hub"})
    options = {key: value for key, value in data.items() if key not in ("format", "files")}
    files = data.get("files")
    if not files or "format" not in data:
        raise BenchError(f"{path}: data needs format ({', '.join(READERS)}) and files, or hub")
    if not isinstance(files, dict) or (data["format"] == "lines" and not {*SPLITS, *ALIASES, "all"} & set(files)):
        files = {"all": files}  # of format lines it may be {source: ..., target: ...}
    files = {split: _anchored(value, path.parent) for split, value in files.items()}
    try:
        return FileSource(str(data["format"]), files, options)
    except BenchError as error:
        raise BenchError(f"{path}: {error}") from None


def _anchored(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _anchored(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_anchored(item, folder) for item in value]
    return str(folder.absolute() / Path(str(value)).expanduser())  # a worker's current folder may be another
