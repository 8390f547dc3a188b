"""Which records may share a cell of the board: equal task data, weights and recipe, different seeds, nothing else."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import sized
from harness.grouping.recipe_variants import recipe_settings
from harness.grouping.titles import titles
from harness.methods import BASELINE
from harness.store import Record

# Facts of a task that do not decide its rows: the fingerprint does that for the source.
# The limit is in the name, and what the rest says follows from the data and the protocol; old records lack them.
BESIDE_THE_POINT = (
    "rows", "truncated", "source", "revision", "split_rule", "rows_without_limit", "limit", "warnings",
    "train_rows_available",
)  # fmt: skip


@dataclass(frozen=True)
class BoardPlace:
    """Where a record stands on the board, and how the board calls it.

    Attributes:
        task: the column's title; only records with the same task data, version and protocol share it.
        model: the model, with what tells it from others of its name.
        setting: recipe fields in which this record differs from others of the same model, task and method.
        train_rows: so many of the task's training rows, which the task's title says too; None: all.
    """

    task: str
    model: str
    method: str
    setting: tuple[tuple[str, Any], ...] = ()
    train_rows: int | None = None

    @property
    def row_key(self) -> str:
        """The key of its row in statistics: model and method, with a line break between."""
        return f"{self.model}\n{self.method}"

    @property
    def curve(self) -> str:
        """The title of the task, however many rows were trained on."""
        return self.task.removesuffix(sized("", self.train_rows))

    @property
    def is_baseline(self) -> bool:
        """Whether no model was fine-tuned there."""
        return self.method == BASELINE


def succeeded(record: Record) -> bool:
    """Whether a record has a score that can be counted."""
    return record["status"] == "ok" and record["score"] is not None and math.isfinite(record["score"])


def identified(record: Record) -> bool:
    """Whether the record's model and data are known: a cell whose repository could not be had has no place, only an error."""
    return bool(record["model"].get("digest") and record["task"].get("fingerprint"))


def place(records: Iterable[Record]) -> tuple[dict[BoardPlace, list[Record]], list[str]]:
    """Records by their place, each seed once and in order, and notes on all that had to be told apart.

    Each number of training rows is a task of its own here. A board has one for each task: see `main_places`.
    """
    records = sorted(records, key=lambda record: record["id"])
    tasks, notes = _titles(records, "task", task_identity, ("version", "protocol", "family"))
    sizes = [record["task"].get("train_rows") for record in records]
    tasks = [sized(task, rows) for task, rows in zip(tasks, sizes, strict=True)]
    models, more = _titles(records, "model", model_identity, ("architecture", "revision"))
    notes += more
    chosen, more = recipe_settings(records, tasks, models)
    notes += more
    found: dict[BoardPlace, list[Record]] = defaultdict(list)
    for record, task, model, setting, rows in zip(records, tasks, models, chosen, sizes, strict=True):
        title = f"{model} (recipe {setting.number})" if setting.number else model
        found[BoardPlace(task, title, record["method"], setting.values, rows)].append(record)
    for where, group in found.items():
        found[where], more = _newest(where, group)
        notes += more
    return dict(found), notes


def main_places(places: Mapping[BoardPlace, list[Record]]) -> dict[BoardPlace, list[Record]]:
    """Those that the main table shows: of each task what was trained on all rows, or else on the most that anything was."""
    most: dict[str, float] = {}
    for where in places:
        most[where.curve] = max(most.get(where.curve, 0), where.train_rows or math.inf)
    return {where: own for where, own in places.items() if (where.train_rows or math.inf) == most[where.curve]}


def _titles(
    records: list[Record], part: str, identity: Callable[[Record], dict[str, Any]], first: Sequence[str]
) -> tuple[list[str], list[str]]:
    """A title for each record's task or model, and notes; records that share the part and the protocol are looked at once."""
    keys = [(id(record[part]), record.get("protocol")) for record in records]
    different = dict(zip(keys, records, strict=True))
    paths = [_path(record, part) for record in different.values()]
    found, notes = titles([identity(record) for record in different.values()], part, first, paths)
    named = dict(zip(different, found, strict=True))
    return [named[key] for key in keys], notes


def _path(record: Record, part: str) -> str:
    """The path that was typed for a record's model or task; empty where it has none, or none is known."""
    typed = (record.get("typed") or {}).get(part) or ""
    if part == "model":
        return typed if (record["model"].get("source") or "").startswith("./") else ""
    family, colon, path = typed.partition(":")
    return path if colon and family == record["task"].get("family") else typed if typed.endswith((".yaml", ".yml")) else ""


def task_identity(record: Record) -> dict[str, Any]:
    """What two records must have in common to be results on the same task, of whatever number of its training rows."""
    task = {name: value for name, value in record["task"].items() if name not in (*BESIDE_THE_POINT, "train_rows")}
    return {**task, "protocol": record.get("protocol")}


def model_identity(record: Record) -> dict[str, Any]:
    """What two records must have in common to be results of the same model."""
    names = ("name", "architecture", "revision", "digest", "gguf", "code")
    head = "kept" if record["model"].get("keep_head") else "new"
    return {**{name: record["model"].get(name) for name in names}, "head": head}


def _newest(where: BoardPlace, records: list[Record]) -> tuple[list[Record], list[str]]:
    """One record a seed. Two that differ in nothing they tell are no two seeds: the newest counts, and a note says so."""
    by_seed: dict[int, Record] = {}
    for record in sorted(records, key=lambda record: (record.get("finished") or "", record["id"])):
        by_seed[record["seed"]] = record
    kept = [by_seed[seed] for seed in sorted(by_seed)]
    ids = {record["id"] for record in kept}
    old = [record["id"] for record in records if record["id"] not in ids]
    note = f"{where.model} on {where.task}: more than one record of the same seed; the newest counts, not {', '.join(old)}."
    return kept, [note] if old else []


Column = Mapping[BoardPlace, Mapping[int, Record]]  # place → seed → record, of those that have a score


def scores_by_row(column: Column) -> dict[str, dict[int, float]]:
    """Row of the board → seed → score."""
    return {where.row_key: {seed: record["score"] for seed, record in own.items()} for where, own in column.items()}
