"""A task from a YAML file: a new data set of a known family in about ten lines."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The task of a task file; see docs/tasks.md for the keys.

    Raises:
        BenchError: a line for each mistake in the file, with the number of its line.
    """
    return read_task(read_yaml(path), path)


def read_task(content: YamlValue | Mapping[str, Any], path: Path) -> Task:
    """The task that a task file's content describes.

    Args:
        content: of the file, or of a place in a suite.
        path: the file it stands in; relative data paths are meant from its folder.

    Raises:
        BenchError: a line for each mistake.
    """
    value = content if isinstance(content, YamlValue) else YamlValue.of(content, path)
    task = check_task(value, path)
    value.faults.check()
    if task is None:
        raise BenchError(f"{path}: no task")  # never: what gives no task is a fault
    return task


def check_task(value: YamlValue, path: Path) -> Task | None:
    """The same, where mistakes are left to the caller: they are in the value's `faults`, and without a family there is no task."""
    given = {key: one for key, one in value.keys(KEYS).items() if one.given}
    missing = [key for key in ("family", "data") if key not in given]
    if missing:
        value.fault(f"the key {missing[0]!r} is missing; a task needs family and data")
    name = given["name"].title() if "name" in given else None
    version = given["version"].whole() if "version" in given else 1
    limit = given["limit"].whole(least=1) if "limit" in given else None
    description = given["description"].text() if "description" in given else ""
    source = _source(given["data"], path) if "data" in given else None
    family = _family(given["family"]) if "family" in given else None
    columns = _columns(given["columns"], family) if "columns" in given else {}
    labels = _labels(given["labels"]) if "labels" in given else None
    dropped = _dropped(given["drop_labels"]) if "drop_labels" in given else ()
    options = _options(given["options"], family) if "options" in given else {}
    if family is None or source is None:
        return None
    return Task(
        name=name or path.stem,
        family=family.name,
        source=source,
        version=1 if version is None else version,
        columns=columns,
        labels=labels,
        drop_labels=dropped,
        options=options,
        limit=limit,
        description=" ".join((description or "").split()),
    )


def _family(value: YamlValue) -> TaskFamily | None:
    name = value.text()
    return None if name is None else value.attempt(registry.family, name)


def _columns(value: YamlValue, family: TaskFamily | None) -> dict[str, Any]:
    """The family's column → the data's: a name, an index, a list of these, or `{list: [...]}`."""
    if family is None:
        return {}
    valid = (*family.columns, *family.optional_columns, *COMMON_COLUMNS)
    given = value.keys(valid, f"column of family {family.name}")
    undone = {name: None for name, one in given.items() if one.node.kind == "null" and name in COMMON_COLUMNS}  # not used, though it is there
    named = {name: found for name, one in given.items() if name not in undone and (found := _column(one)) is not None}
    return {**named, **undone}


def _column(value: YamlValue) -> Any:
    node = value.node
    if node.kind == "list":
        found = [_column(one) for one in value.list()]
        if not found:
            value.fault("is an empty list; name the columns whose texts are to be joined")
        return found
    if node.kind == "map":
        inner = value.keys(("list",), "key of a column")
        return {"list": [_column(one) for one in inner["list"].list()]} if "list" in inner else None
    if node.kind == "int":
        return value.whole()
    if node.kind == "str":
        return node.text
    value.fault(f"{misread_note(node)}; a column is a name, an index, or a list of these")
    return None


def _labels(value: YamlValue) -> dict[str, str] | tuple[str, ...] | None:
    """Raw label → name, or the names; None where there are none."""
    if value.node.kind == "map":
        pairs = [(raw, one.text(numbers=True)) for raw, one in value.items()]
        return {raw: name for raw, name in pairs if name is not None} or None
    names = [one.text(numbers=True) for one in value.list("a mapping of raw label to name, or a list of names")]
    for name in sorted({name for name in names if name is not None and names.count(name) > 1})[:1]:
        value.fault(f"the name {short(name)!r} occurs twice; to merge classes give a mapping of raw label to name")
    return tuple(name for name in names if name is not None) or None


def _dropped(value: YamlValue) -> tuple[str, ...]:
    """The raw labels whose rows are left out."""
    if value.node.kind == "list":
        names = [one.text(numbers=True) for one in value.list()]
    else:
        names = [value.text(numbers=True)]
    return tuple(name.strip() for name in names if name is not None)


def _options(value: YamlValue, family: TaskFamily | None) -> dict[str, Any]:
    if family is None:
        return {}
    found = {}
    for name, one in value.keys(family.known_options, f"option of family {family.name}").items():
        node = one.node
        plain = one.plain()
        if node.kind == "bool" and (node.text.lower() not in ("true", "false") or not family.takes_truth(name)):
            truth = f"; valid: {family.valid_option(name)}" if family.takes_truth(name) else ""
            one.fault(misread_note(node) + truth)
        elif node.kind == "timestamp":
            one.fault(misread_note(node))
        elif node.kind == "null":
            one.fault("is empty; give it a value, or leave it out")
        elif wrong := family.option_fault(name, plain):
            one.fault(wrong)
        else:
            found[name] = plain
    return found


def _source(data: YamlValue, path: Path) -> Source | None:
    if data.node.kind != "map":
        data.fault(f"is {describe_node(data.node)}; it must be a mapping with format and files, or hub")
        return None
    names = [name for name, _ in data.items()]
    return _hub(data) if "hub" in names else _files(data, path)


def _hub(data: YamlValue) -> Source | None:
    given = {key: one for key, one in data.keys(HUB_KEYS).items() if one.given or key == "hub"}
    texts = {key: given[key].text() for key in ("hub", "revision", "config") if key in given}
    repo = texts.pop("hub")
    more: dict[str, Any] = {key: text for key, text in texts.items() if text is not None}
    if "splits" in given:
        more["splits"] = {name: text for name, one in given["splits"].items() if (text := one.text()) is not None}
    if "data_files" in given:
        more["data_files"] = _paths(given["data_files"], lambda one: one.text())
    return data.attempt(HubSource, repo, **more) if repo is not None and not data.faults.messages else None


def _files(data: YamlValue, path: Path) -> Source | None:
    given = dict(data.items())
    files, format = given.pop("files", None), given.pop("format", None)
    if format is None or not format.given or files is None or not files.given:
        data.fault(f"needs format ({', '.join(READERS)}) and files, or hub")
        return None
    form = format.text()
    if form is None or (form not in READERS and format.attempt(reader, form, {}) is None):
        return None
    options = {}
    for name, one in given.items():
        value = one.plain()
        if one.node.kind in ("bool", "timestamp", "float") and not _takes(form, name, value):
            one.fault(misread_note(one.node))
        elif one.attempt(reader, form, {name: value}) is not None:
            options[name] = value
    found = _paths(files, lambda one: one.path(path.parent))
    if not isinstance(found, Mapping) or (form == "lines" and not _speaks_of_splits(found)):
        found = {"all": found}  # of format lines it may be {source: ..., target: ...}
    else:
        for name, one in files.items():
            one.attempt(canonical_split, name)
    if data.faults.messages or files.attempt(canonical, found) is None:
        return None
    return data.attempt(FileSource, form, found, options)


def _takes(form: str, option: str, value: Any) -> bool:
    """Whether a reader takes this value for an option."""
    try:
        reader(form, {option: value})
    except BenchError as error:
        return not str(error).startswith(f"option {option} of")
    return True


def _speaks_of_splits(files: Mapping[str, Any]) -> bool:
    return bool({*SPLITS, *ALIASES, "all"} & {name.lower() for name in files})


def _paths(value: YamlValue, read: Any) -> Any:
    """A path, a list of them, or a mapping of names to such."""
    if value.node.kind == "map":
        found = {name: _paths(one, read) for name, one in value.items()}
        if not found:
            value.fault("names no files")
        return found
    if value.node.kind == "list":
        if not value.node.items:
            value.fault("names no files")
        return [_paths(one, read) if one.node.kind != "map" else one.text() for one in value.list()]
    return read(value)
