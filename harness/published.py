"""Numbers that others have published, to stand beside ours: entry points of group `bench.published` name YAML files."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml

from harness.errors import BenchError, unknown
from harness.store import Record


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes:
        model: a repository of the Hub, or a registered name.
        task: the name of our task.
        data: the repository that the task's rows come from.
        metric: the key in our records' metrics.
        value: on a scale of 0-100.
        split: the data set's split that was scored.
        source: where the number stands.
        note: what is different about how it was made.
    """

    model: str
    task: str
    data: str
    metric: str
    value: float
    split: str
    source: str
    note: str = ""

    def concerns(self, record: Record) -> bool:
        """Whether a record is of this model, fine-tuned as a whole, on all of this data."""
        model, task = record["model"], record["task"]
        return (
            record["method"] == "full"
            and task["name"] == self.task  # a subset has another name
            and not task.get("train_rows")
            and _repository(task.get("source")) == self.data
            and self.model in (_repository(model.get("source")), model["name"])
        )


def _repository(source: str | None) -> str:
    return (source or "").partition("@")[0]


@cache
def published() -> tuple[Published, ...]:
    """All that is registered, in the order of the files.

    Raises:
        BenchError: a file that cannot be read, or an entry that is not one; says which.
    """
    paths = sorted((point.name, Path(point.load())) for point in entry_points(group="bench.published"))
    return tuple(entry for _, path in paths for entry in read_published(path))


def read_published(path: Path) -> list[Published]:
    """The entries of a file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BenchError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, list):
        raise BenchError(f"{path}: must be a list of published numbers")
    return [_entry(item, f"{path}, entry {number}") for number, item in enumerate(content, start=1)]


def _entry(item: Any, where: str) -> Published:
    if not isinstance(item, dict):
        raise BenchError(f"{where}: must be a mapping")
    valid = [field.name for field in fields(Published)]
    for key in item:
        if key not in valid:
            raise unknown("key", key, valid, where=where)
    for field in fields(Published):
        if field.default is MISSING and field.name not in item:
            raise BenchError(f"{where}: the key {field.name!r} is missing")
    try:
        return Published(**{**item, "value": float(item["value"])})
    except (TypeError, ValueError):
        raise BenchError(f"{where}: value is {item['value']!r}; it must be a number from 0 to 100") from None
