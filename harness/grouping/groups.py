"""Groups of records that differ only in their seed. Each group is an entry of the board."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import sized_title
from harness.grouping.recipe_variants import recipe_variants
from harness.grouping.titles import titles
from harness.methods import BASELINE
from harness.store import Record

# Facts of a task that do not identify its data. The fingerprint identifies the source, the limit is part of the name,
# and the rest follows from data and protocol. Old records lack some of them.
NOT_IDENTIFYING = (
    "rows", "truncated", "source", "revision", "split_rule", "rows_without_limit", "limit", "warnings",
    "train_rows_available",
)  # fmt: skip


@dataclass(frozen=True)
class BoardPlace:
    """The row and column of a record on the board.

    Attributes:
        task: title of the column. Its records have the same task data, version and protocol.
        model: title of the model, unique among models of the same name.
        method: the method of fine-tuning, or that of baselines.
        setting: recipe fields in which the record differs from others of the same model.
        train_rows: number of training rows, also named in `task`; None: all.
    """

    task: str
    model: str
    method: str
    setting: tuple[tuple[str, Any], ...] = ()
    train_rows: int | None = None

    @property
    def row_key(self) -> str:
        """The key of the row in statistics: model and method on two lines."""
        return f"{self.model}\n{self.method}"

    @property
    def curve(self) -> str:
        """Title of the learning curve: the task without the number of training rows."""
        return self.task.removesuffix(sized_title("", self.train_rows))

    @property
    def is_baseline(self) -> bool:
        """Whether the row is a baseline."""
        return self.method == BASELINE


def succeeded(record: Record) -> bool:
    """Whether a record has a finite score."""
    return record["status"] == "ok" and record["score"] is not None and math.isfinite(record["score"])


def identified(record: Record) -> bool:
    """Whether the model and the data of a record are known. If their repository could not be read, they are not."""
    return bool(record["model"].get("digest") and record["task"].get("fingerprint"))


def records_by_place(records: Iterable[Record]) -> tuple[dict[BoardPlace, list[Record]], list[str]]:
    """Group records by their place on the board, one for each seed, sorted by seed.

    Each number of training rows is a task of its own; see `main_places` for those in the main table.

    Returns:
        Place → records, and notes on models, tasks and recipes that were kept apart.
    """
    records = sorted(records, key=lambda record: record["id"])
    tasks, notes = _titles(records, "task", task_identity, ("version", "protocol", "family"))
    sizes = [record["task"].get("train_rows") for record in records]
    tasks = [sized_title(task, rows) for task, rows in zip(tasks, sizes, strict=True)]
    models, more = _titles(records, "model", model_identity, ("architecture", "revision"))
    notes += more
    variants, more = recipe_variants(records, tasks, models)
    notes += more
    groups: dict[BoardPlace, list[Record]] = defaultdict(list)
    for record, task, model, variant, rows in zip(records, tasks, models, variants, sizes, strict=True):
        title = f"{model} (recipe {variant.number})" if variant.number else model
        groups[BoardPlace(task, title, record["method"], variant.values, rows)].append(record)
    for place, group in groups.items():
        groups[place], more = _newest(place, group)
        notes += more
    return dict(groups), notes


def main_places(places: Mapping[BoardPlace, list[Record]]) -> dict[BoardPlace, list[Record]]:
    """The places in the main table: for each task, those with the largest number of training rows."""
    most: dict[str, float] = {}
    for place in places:
        most[place.curve] = max(most.get(place.curve, 0), place.train_rows or math.inf)
    return {place: own for place, own in places.items() if (place.train_rows or math.inf) == most[place.curve]}


def _titles(
    records: list[Record], part: str, identity: Callable[[Record], dict[str, Any]], first: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The title of each record's task or model, and notes on those of the same name."""
    # Records that share the part and the protocol are compared only once.
    keys = [(id(record[part]), record.get("protocol")) for record in records]
    different = dict(zip(keys, records, strict=True))
    paths = [_path(record, part) for record in different.values()]
    known_titles, notes = titles([identity(record) for record in different.values()], part, first, paths)
    named = dict(zip(different, known_titles, strict=True))
    return [named[key] for key in keys], notes


def _path(record: Record, part: str) -> str:
    """The path on the command line that named the model or task of a record; empty if there was none."""
    typed = (record.get("typed") or {}).get(part) or ""
    if part == "model":
        return typed if (record["model"].get("source") or "").startswith("./") else ""
    family, colon, path = typed.partition(":")
    if colon and family == record["task"].get("family"):
        return path
    return typed if typed.endswith((".yaml", ".yml")) else ""


def task_identity(record: Record) -> dict[str, Any]:
    """The facts that identify a task, for any number of its training rows."""
    task = {name: value for name, value in record["task"].items() if name not in (*NOT_IDENTIFYING, "train_rows")}
    return {**task, "protocol": record.get("protocol")}


def model_identity(record: Record) -> dict[str, Any]:
    """The facts that identify a model."""
    names = ("name", "architecture", "revision", "digest", "gguf", "code")
    head = "kept" if record["model"].get("keep_head") else "new"
    return {**{name: record["model"].get(name) for name in names}, "head": head}


def _newest(place: BoardPlace, records: list[Record]) -> tuple[list[Record], list[str]]:
    """The newest record of each seed, and a note that names the older ones."""
    by_seed: dict[int, Record] = {}
    for record in sorted(records, key=lambda record: (record.get("finished") or "", record["id"])):
        by_seed[record["seed"]] = record
    newest = [by_seed[seed] for seed in sorted(by_seed)]
    ids = {record["id"] for record in newest}
    old = [record["id"] for record in records if record["id"] not in ids]
    note = f"{place.model} on {place.task}: more than one record of the same seed; the newest counts, not {', '.join(old)}."
    return newest, [note] if old else []


ColumnRecords = Mapping[BoardPlace, Mapping[int, Record]]  # place → seed → record, of those that have a score


def scores_by_row(column: ColumnRecords) -> dict[str, dict[int, float]]:
    """Key of a row → seed → score."""
    return {place.row_key: {seed: record["score"] for seed, record in own.items()} for place, own in column.items()}
