"""From a task to its three splits, ready for a family's adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.data import values
from harness.data.columns import bind
from harness.data.place import place, placed
from harness.data.source import HubSource
from harness.data.split_rule import split_rule
from harness.data.splits import complete_splits, limit
from harness.errors import BenchError
from harness.family import Row, TaskFamily
from harness.task import Task

KEPT = ("id", "group", "phenomenon")
SPLIT_SEED = 42  # of splits and subsets; part of the protocol, so it is the same for every cell and seed


@dataclass(frozen=True)
class Data:
    """A task's rows and how they came about.

    Attributes:
        splits: train, validation and test.
        rule: how the splits were made, in words.
        whole: split → rows before the task's limit.
        found: split of the source → what its reader and the family reported (tagging scheme, repaired answers, …).
        available: training rows that there would be, where only some of them were drawn; else None.
    """

    splits: dict[str, list[Row]]
    rule: str
    whole: dict[str, int]
    found: dict[str, Any]
    available: int | None = None


def load_splits(task: Task, family: TaskFamily) -> dict[str, list[Row]]:
    """The splits of `load`."""
    return load(task, family).splits


def load(task: Task, family: TaskFamily, bad: list[str] | None = None) -> Data:
    """Read, name columns and labels, check each row, complete the splits, and cut the subset.

    Every row has an `id`: its own, or its split and number in the publisher's file. An id that occurs again in a split gets a
    number, as in `x#2`. Rows from files know their places (see `harness.data.place`).

    Args:
        task: what to read.
        family: its adapter.
        bad: is filled with a line for each row that cannot be used, which is then left out; None: the first one raises.

    Raises:
        BenchError: what is wrong with the data, with the place of the row.
    """
    found: dict[str, Any] = {}
    raw = task.source.read(found)
    prepared = {
        split: _prepare(split, rows, task, family, found.setdefault(split, {}), bad) for split, rows in raw.items()
    }
    for column, kind in family.column_types.items():
        if kind == values.LABEL and not task.labels:
            _one_spelling(column, prepared, found)
    grouped = all("group" in row for rows in prepared.values() for row in rows)
    try:
        splits = complete_splits(
            prepared,
            seed=SPLIT_SEED,
            stratify=None if grouped else family.stratum,
            group=(lambda row: row["group"]) if grouped else None,
        )
    except BenchError as error:
        raise BenchError(f"task {task.name!r} ({task.source.describe()}): {error}") from None
    rule = split_rule(
        prepared,
        seed=SPLIT_SEED,
        stratified=any(family.stratum(rows[0]) is not None for rows in prepared.values() if rows),
        group=str(task.columns.get("group", "group")) if grouped else None,
        renamed=task.source.splits if isinstance(task.source, HubSource) else None,
    )
    whole = {name: len(rows) for name, rows in splits.items()}
    if task.limit:
        splits = {
            name: limit(rows, task.limit, seed=SPLIT_SEED, stratify=family.stratum) for name, rows in splits.items()
        }
    return Data(splits, rule, whole, found)


def _prepare(
    split: str,
    rows: Sequence[Mapping[str, Any]],
    task: Task,
    family: TaskFamily,
    report: dict[str, Any],
    bad: list[str] | None,
) -> list[Row]:
    here = f"task {task.name!r}, split {split}"
    notes = values.Notes()
    try:
        bound = bind(rows, task.columns, keep=KEPT, notes=notes)
    except BenchError as error:
        raise BenchError(f"{here}: {error}") from None
    border = _border(bound, family, notes)
    prepared, seen = [], Counter()
    for number, row in enumerate(bound):
        missing = next((name for name in family.columns if name not in row), None)
        if missing:
            at = f"{here}, {place(row, f'row {number + 1}')}"
            there = rows[number]
            raise BenchError(
                f"{at}: no column {missing!r} ({family.columns[missing]}); the data has: {', '.join(map(str, there))}; "
                f"say which under `columns:`, e.g. {{{missing}: {next(iter(there), 'NAME')}}}"
            )
        try:
            typed = border(row)
            new = family.prepare(typed, task)
        except (ValueError, TypeError, KeyError) as error:
            at = f"{here}, {place(row, f'row {number + 1}')}"
            if bad is None:
                raise BenchError(f"{at}: {error}") from error
            bad.append(f"{at}: {error}")
            continue
        name = typed.get("id") or f"{split}-{number}"
        seen[name] += 1
        prepared.append(placed({**new, "id": name if seen[name] == 1 else f"{name}#{seen[name]}"}, row))
    for name, number in notes.items():
        if number:
            report[name] = report.get(name, 0) + number
    try:
        return family.harmonise(prepared, task, report)
    except BenchError as error:
        raise BenchError(f"{here}: {error}") from None


def _border(rows: Sequence[Row], family: TaskFamily, notes: values.Notes) -> Callable[[Row], Row]:
    """The function that brings a row's values to the types that the family declares for its columns.

    `id`, `group` and `phenomenon` become texts. Any other column stays as it is, without halves of surrogate pairs.
    """
    types = {**dict.fromkeys(KEPT, values.TEXT), **family.column_types}
    there = dict.fromkeys(name for row in rows for name in row)
    changes = []
    for name in there:
        column = [row.get(name) for row in rows]
        if name in types:
            change = values.converter(types[name], column, notes)
        elif all(value is None or isinstance(value, int | float) for value in column) or values.is_plain(column):
            change = None
        else:
            change = partial(values.whole_characters, notes=notes)
        if change is not None:
            changes.append((name, change))

    def typed(row: Row) -> Row:
        new = dict(row)
        for name, change in changes:
            if name in new:
                try:
                    new[name] = change(new[name])
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return new

    return typed if changes else lambda row: row


def _one_spelling(column: str, splits: Mapping[str, Sequence[Row]], found: Mapping[str, dict[str, Any]]) -> None:
    """Labels that mean the same in one spelling, that of the first split that has it (training's); changes the rows.

    1.0 is 1, and True is true: so a program writes them that met an empty cell, or another format. Other spellings of a number (0.50,
    01) may be different names, as of sections. They are one label only where no split has two of them.
    """
    first = sorted(splits, key=lambda split: split not in ("train", "all"))
    names = {split: dict.fromkeys(row[column] for row in splits[split] if column in row) for split in first}
    for same in (values.same_label, values.same_number):
        spellings: dict[str, dict[str, None]] = {}
        for labels in names.values():
            for name in labels:
                if isinstance(name, str):
                    spellings.setdefault(same(name), {})[name] = None
        if same is values.same_number and any(
            len({same(name) for name in labels if isinstance(name, str)}) < len(labels) for labels in names.values()
        ):
            return
        new = {name: next(iter(group)) for group in spellings.values() for name in group if name != next(iter(group))}
        for split, rows in splits.items() if new else ():
            changed = [row for row in rows if row.get(column) in new]
            for row in changed:
                row[column] = new[row[column]]
            before, names[split] = names[split], {new.get(name, name): None for name in names[split]}
            if changed:
                report = found[split]
                report["label_spellings"] = report.get("label_spellings", 0) + len(changed)
                at = dict.fromkeys(f"{old} read as {name}" for old, name in new.items() if old in before)
                report["label_spellings_at"] = [*report.get("label_spellings_at", ()), *at]
