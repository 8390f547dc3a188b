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
from harness.task import Task

KEYS = ("name", "family", "version", "description", "data", "columns", "labels", "options", "limit")


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
    family = registry.family(str(content["family"]))
    columns = content.get("columns") or {}
    labels = content.get("labels")
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
        labels={str(key): str(name) for key, name in labels.items()} if isinstance(labels, dict) else _names(labels),
        options=content.get("options") or {},
        limit=limit,
        description=str(content.get("description", "")),
    )


def _names(labels: Any) -> tuple[str, ...] | None:
    return tuple(str(name) for name in labels) if labels else None


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
