"""Read a task file: a new data set of a known family in about ten lines of YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import registry
from harness.data.readers import READERS, reader
from harness.data.source import FileSource, HubSource, Source
from harness.data.splits import ALIASES, SPLITS, canonical, canonical_split
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.row_preparation import COMMON_COLUMNS
from harness.safe_text import short
from harness.task import Task
from harness.yaml_reader import describe_node, misread_note
from harness.yaml_values import YamlValue, read_yaml

KEYS = ("name", "family", "version", "description", "data", "columns", "labels", "drop_labels", "options", "limit")
HUB_KEYS = ("hub", "revision", "config", "splits", "data_files")


def load_task(path: Path) -> Task:
    """Load the task of a file; see docs/tasks.md for the keys.

    Raises:
        BenchError: a line for each mistake in the file, with its line number.
    """
    return read_task(read_yaml(path), path)


def read_task(content: YamlValue | Mapping[str, Any], path: Path) -> Task:
    """Read a task from the content of a task file.

    Args:
        content: of the file, or of a task in a suite.
        path: of the file; relative data paths start from its folder.

    Raises:
        BenchError: a line for each mistake.
    """
    value = content if isinstance(content, YamlValue) else YamlValue.of(content, path)
    task = check_task(value, path)
    value.faults.check()
    if task is None:
        raise BenchError(f"{path}: no task")  # unreachable: without a task there is a fault
    return task


def check_task(value: YamlValue, path: Path) -> Task | None:
    """Read a task as `read_task` does, but leave mistakes in the value's `faults`; None without a family or data."""
    given = {key: item for key, item in value.keys(KEYS).items() if item.given}
    missing = [key for key in ("family", "data") if key not in given]
    if missing:
        value.fault(f"the key {missing[0]!r} is missing; a task needs family and data")
    name = given["name"].title() if "name" in given else None
    version = given["version"].whole() if "version" in given else 1
    limit = given["limit"].whole(least=1) if "limit" in given else None
    description = given["description"].text() if "description" in given else ""
    source = _source(given["data"], path) if "data" in given else None
    family = _family(given["family"]) if "family" in given else None
    columns = _columns(given["columns"], family) if family and "columns" in given else {}
    labels = _labels(given["labels"]) if "labels" in given else None
    dropped = _drop_labels(given["drop_labels"]) if "drop_labels" in given else ()
    options = _options(given["options"], family) if family and "options" in given else {}
    if family is None or source is None:
        return None
    return Task(
        name=name or path.stem, family=family.name, source=source, version=1 if version is None else version, columns=columns,
        labels=labels, drop_labels=dropped, options=options, limit=limit, description=" ".join((description or "").split()),
    )  # fmt: skip


def _family(value: YamlValue) -> TaskFamily | None:
    name = value.text()
    return None if name is None else value.attempt(registry.family, name)


def _columns(value: YamlValue, family: TaskFamily) -> dict[str, Any]:
    """Read the family's column → the data's: a name, an index, a list of these, or `{list: [...]}`."""
    valid = (*family.columns, *family.optional_columns, *COMMON_COLUMNS)
    columns: dict[str, Any] = {}
    unused: dict[str, None] = {}  # `group: null`: the column is not used, though it exists
    for name, item in value.keys(valid, f"column of family {family.name}").items():
        if item.node.kind == "null" and name in COMMON_COLUMNS:
            unused[name] = None
        elif (column := _column(item)) is not None:
            columns[name] = column
    return {**columns, **unused}


def _column(value: YamlValue) -> Any:
    node = value.node
    if node.kind == "list":
        columns = [_column(item) for item in value.list()]
        if not columns:
            value.fault("is an empty list; name the columns whose texts are to be joined")
        return columns
    if node.kind == "map":
        inner = value.keys(("list",), "key of a column")
        return {"list": [_column(item) for item in inner["list"].list()]} if "list" in inner else None
    if node.kind == "int":
        return value.whole()
    if node.kind == "str":
        return node.text
    value.fault(f"{misread_note(node)}; a column is a name, an index, or a list of these")
    return None


def _labels(value: YamlValue) -> dict[str, str] | tuple[str, ...] | None:
    """Read raw label → name, or the names; None if there are none."""
    if value.node.kind == "map":
        pairs = [(raw, item.text(numbers=True)) for raw, item in value.items()]
        return {raw: name for raw, name in pairs if name is not None} or None
    texts = [item.text(numbers=True) for item in value.list("a mapping of raw label to name, or a list of names")]
    names = [name for name in texts if name is not None]
    if repeated := sorted(name for name in names if names.count(name) > 1):
        value.fault(f"the name {short(repeated[0])!r} occurs twice; to merge classes give a mapping of raw label to name")
    return tuple(names) or None


def _drop_labels(value: YamlValue) -> tuple[str, ...]:
    items = value.list() if value.node.kind == "list" else [value]
    names = [item.text(numbers=True) for item in items]
    return tuple(name.strip() for name in names if name is not None)


def _options(value: YamlValue, family: TaskFamily) -> dict[str, Any]:
    options = {}
    for name, item in value.keys(family.known_options, f"option of family {family.name}").items():
        node, plain = item.node, item.plain()
        if node.kind == "bool" and (node.text.lower() not in ("true", "false") or not family.takes_truth(name)):
            valid = f"; valid: {family.valid_option(name)}" if family.takes_truth(name) else ""
            item.fault(misread_note(node) + valid)
        elif node.kind == "timestamp":
            item.fault(misread_note(node))
        elif node.kind == "null":
            item.fault("is empty; give it a value, or leave it out")
        elif fault := family.option_fault(name, plain):
            item.fault(fault)
        else:
            options[name] = plain
    return options


def _source(data: YamlValue, path: Path) -> Source | None:
    if data.node.kind != "map":
        data.fault(f"is {describe_node(data.node)}; it must be a mapping with format and files, or hub")
        return None
    names = [name for name, _ in data.items()]
    return _hub_source(data) if "hub" in names else _file_source(data, path)


def _hub_source(data: YamlValue) -> Source | None:
    given = {key: item for key, item in data.keys(HUB_KEYS).items() if item.given or key == "hub"}
    texts = {key: given[key].text() for key in ("hub", "revision", "config") if key in given}
    repo = texts.pop("hub")
    arguments: dict[str, Any] = {key: text for key, text in texts.items() if text is not None}
    if "splits" in given:
        splits = {name: item.text() for name, item in given["splits"].items()}
        arguments["splits"] = {name: text for name, text in splits.items() if text is not None}
    if "data_files" in given:
        arguments["data_files"] = _paths(given["data_files"], YamlValue.text)
    return data.attempt(HubSource, repo, **arguments) if repo is not None and not data.faults.messages else None


def _file_source(data: YamlValue, path: Path) -> Source | None:
    given = dict(data.items())
    files, format_value = given.pop("files", None), given.pop("format", None)
    if format_value is None or not format_value.given or files is None or not files.given:
        data.fault(f"needs format ({', '.join(READERS)}) and files, or hub")
        return None
    format = format_value.text()
    if format is None or (format not in READERS and format_value.attempt(reader, format, {}) is None):
        return None
    options = {}
    for name, item in given.items():
        plain = item.plain()
        if item.node.kind in ("bool", "timestamp", "float") and not _takes(format, name, plain):
            item.fault(misread_note(item.node))
        elif item.attempt(reader, format, {name: plain}) is not None:
            options[name] = plain
    paths = _paths(files, lambda item: item.path(path.parent))
    if not isinstance(paths, Mapping) or (format == "lines" and not _has_splits(paths)):
        paths = {"all": paths}  # of format lines it may be {source: ..., target: ...}
    else:
        for name, item in files.items():
            item.attempt(canonical_split, name)
    if data.faults.messages or files.attempt(canonical, paths) is None:
        return None
    return data.attempt(FileSource, format, paths, options)


def _takes(format: str, option: str, value: Any) -> bool:
    """Whether a reader takes this value for an option."""
    try:
        reader(format, {option: value})
    except BenchError as error:
        return not str(error).startswith(f"option {option} of")
    return True


def _has_splits(paths: Mapping[str, Any]) -> bool:
    return bool({*SPLITS, *ALIASES, "all"} & {name.lower() for name in paths})


def _paths(value: YamlValue, read: Callable[[YamlValue], str | None]) -> Any:
    """Read a path, a list of paths, or a mapping of names to them."""
    if value.node.kind == "map":
        paths = {name: _paths(item, read) for name, item in value.items()}
        if not paths:
            value.fault("names no files")
        return paths
    if value.node.kind == "list":
        if not value.node.items:
            value.fault("names no files")
        return [item.text() if item.node.kind == "map" else _paths(item, read) for item in value.list()]
    return read(value)
