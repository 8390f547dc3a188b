"""Groups of records that differ only in their seed: equal task data, weights and recipe. Each group is one cell of the board."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import sized_title
from harness.grouping.recipe_variants import recipe_settings
from harness.grouping.titles import titles
from harness.methods import BASELINE
from harness.store import Record

# Facts of a task that do not identify its rows. The fingerprint identifies the source, the limit is part of the name, and the rest
# follows from data and protocol; old records lack some of them.
NOT_IDENTIFYING = (
    "rows", "truncated", "source", "revision", "split_rule", "rows_without_limit", "limit", "warnings",
    "train_rows_available",
)  # fmt: skip


@dataclass(frozen=True)
class BoardPlace:
    """The row and column of a record on the board.

    Attributes:
        task: title of the column; records that share it have the same task data, version and protocol.
        model: the model, with what distinguishes it from others of the same name.
        method: the method of fine-tuning, or that of baselines.
        setting: recipe fields in which this record differs from others of the same model, task and method.
        train_rows: number of training rows, which is also in the title of the task; None: all.
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
        """The title of the task without the number of training rows."""
        return self.task.removesuffix(sized_title("", self.train_rows))

    @property
    def is_baseline(self) -> bool:
        """Whether this is a baseline, for which nothing is fine-tuned."""
        return self.method == BASELINE


def succeeded(record: Record) -> bool:
    """Whether a record has a finite score."""
    return record["status"] == "ok" and record["score"] is not None and math.isfinite(record["score"])


def identified(record: Record) -> bool:
    """Whether model and data of a record are known. A cell whose repository could not be read has only an error."""
    return bool(record["model"].get("digest") and record["task"].get("fingerprint"))


def place(records: Iterable[Record]) -> tuple[dict[BoardPlace, list[Record]], list[str]]:
    """Records by their place, each seed once and sorted, and notes on models and tasks that had to be kept apart.

    Each number of training rows is a task of its own here; see `main_places` for those of the main table.
    """
    records = sorted(records, key=lambda record: record["id"])
    tasks, notes = _titles(records, "task", task_identity, ("version", "protocol", "family"))
    sizes = [record["task"].get("train_rows") for record in records]
    tasks = [sized_title(task, rows) for task, rows in zip(tasks, sizes, strict=True)]
    models, more = _titles(records, "model", model_identity, ("architecture", "revision"))
    notes += more
    chosen, more = recipe_settings(records, tasks, models)
    notes += more
    groups: dict[BoardPlace, list[Record]] = defaultdict(list)
    for record, task, model, setting, rows in zip(records, tasks, models, chosen, sizes, strict=True):
        title = f"{model} (recipe {setting.number})" if setting.number else model
        groups[BoardPlace(task, title, record["method"], setting.values, rows)].append(record)
    for where, group in groups.items():
        groups[where], more = _newest(where, group)
        notes += more
    return dict(groups), notes


def main_places(places: Mapping[BoardPlace, list[Record]]) -> dict[BoardPlace, list[Record]]:
    """The places of the main table: for each task those with all training rows, or else with the largest number of them."""
    most: dict[str, float] = {}
    for where in places:
        most[where.curve] = max(most.get(where.curve, 0), where.train_rows or math.inf)
    return {where: own for where, own in places.items() if (where.train_rows or math.inf) == most[where.curve]}


def _titles(
    records: list[Record], part: str, identity: Callable[[Record], dict[str, Any]], first: Sequence[str]
) -> tuple[list[str], list[str]]:
    """A title for the task or model of each record, and notes; records that share the part and the protocol are compared once."""
    keys = [(id(record[part]), record.get("protocol")) for record in records]
    different = dict(zip(keys, records, strict=True))
    paths = [_path(record, part) for record in different.values()]
    known_titles, notes = titles([identity(record) for record in different.values()], part, first, paths)
    named = dict(zip(different, known_titles, strict=True))
    return [named[key] for key in keys], notes


def _path(record: Record, part: str) -> str:
    """The path that was typed for the model or task of a record; empty where there is none."""
    typed = (record.get("typed") or {}).get(part) or ""
    if part == "model":
        return typed if (record["model"].get("source") or "").startswith("./") else ""
    family, colon, path = typed.partition(":")
    return path if colon and family == record["task"].get("family") else typed if typed.endswith((".yaml", ".yml")) else ""


def task_identity(record: Record) -> dict[str, Any]:
    """The facts that are equal for results on the same task, for any number of its training rows."""
    task = {name: value for name, value in record["task"].items() if name not in (*NOT_IDENTIFYING, "train_rows")}
    return {**task, "protocol": record.get("protocol")}


def model_identity(record: Record) -> dict[str, Any]:
    """The facts that are equal for results of the same model."""
    names = ("name", "architecture", "revision", "digest", "gguf", "code")
    head = "kept" if record["model"].get("keep_head") else "new"
    return {**{name: record["model"].get(name) for name in names}, "head": head}


def _newest(where: BoardPlace, records: list[Record]) -> tuple[list[Record], list[str]]:
    """One record for each seed. Of several with the same seed the newest counts, and a note names the others."""
    by_seed: dict[int, Record] = {}
    for record in sorted(records, key=lambda record: (record.get("finished") or "", record["id"])):
        by_seed[record["seed"]] = record
    newest = [by_seed[seed] for seed in sorted(by_seed)]
    ids = {record["id"] for record in newest}
    old = [record["id"] for record in records if record["id"] not in ids]
    note = f"{where.model} on {where.task}: more than one record of the same seed; the newest counts, not {', '.join(old)}."
    return newest, [note] if old else []


Column = Mapping[BoardPlace, Mapping[int, Record]]  # place → seed → record, of those that have a score


def scores_by_row(column: Column) -> dict[str, dict[int, float]]:
    """Key of a row → seed → score."""
    return {where.row_key: {seed: record["score"] for seed, record in own.items()} for where, own in column.items()}
