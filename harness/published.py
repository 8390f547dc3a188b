"""Published scores to show beside measured ones. Entry points of the group `bench.published` name YAML files with them."""

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
    """A published score.

    Attributes:
        model: a repository of the Hub, or a registered name.
        task: the name of the task in bench.
        data: the repository that the task's rows come from.
        metric: a key in the metrics of records.
        value: the score (0-100).
        split: the split of the data set that was scored.
        source: where the score was published.
        note: how the evaluation differs from that of bench.
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
        """Return whether a record is of the same model, fully fine-tuned on all of the same data."""
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
    """Return all registered scores, in the order of the files.

    Raises:
        BenchError: a file cannot be read, or has an invalid entry.
    """
    paths = sorted((point.name, Path(point.load())) for point in entry_points(group="bench.published"))
    return tuple(score for _, path in paths for score in read_published(path))


def read_published(path: Path) -> list[Published]:
    """Read the scores of a file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BenchError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, list):
        raise BenchError(f"{path}: must be a list of published numbers")
    return [_read_entry(entry, f"{path}, entry {number}") for number, entry in enumerate(content, start=1)]


def _read_entry(entry: Any, where: str) -> Published:
    if not isinstance(entry, dict):
        raise BenchError(f"{where}: must be a mapping")
    valid = [field.name for field in fields(Published)]
    for key in entry:
        if key not in valid:
            raise unknown("key", key, valid, where=where)
    for field in fields(Published):
        if field.default is MISSING and field.name not in entry:
            raise BenchError(f"{where}: the key {field.name!r} is missing")
    try:
        return Published(**{**entry, "value": float(entry["value"])})
    except (TypeError, ValueError):
        raise BenchError(f"{where}: value is {entry['value']!r}; it must be a number from 0 to 100") from None
