"""From a task to its three splits, ready for a family's adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.data import scalars, values
from harness.data.columns import bind
from harness.data.place import place, placed
from harness.data.readers import GIVES
from harness.data.source import FileSource, HubSource
from harness.data.splits import canonical_split, complete_splits, split_rule
from harness.data.subsets import limit
from harness.errors import BenchError
from harness.family import ANSWERS, Row, TaskFamily
from harness.proposal import twins
from harness.shown import listed
from harness.task import Task

KEPT = ("id", "group", "phenomenon")
FILL_IN = "COLUMN"  # what `bench task new` writes for a column that nobody knows
RESERVED = ("group", "phenomenon")  # those of them that decide something
FEW_GROUPS = (
    10  # groups with which no split comes near its share: a column of fewer values is no group, unless a person says so
)
MOST_PHENOMENA = 50  # a column of more values names no phenomena, and would give the board a part for every few rows
SPLIT_SEED = 42  # of splits and subsets; part of the protocol, so it is the same for every cell and seed


@dataclass(frozen=True)
class Data:
    """A task's rows and how they came about.

    Attributes:
        splits: train, validation and test.
        rule: how the splits were made, in words.
        whole: split → rows before the task's limit.
        found: split of the source → what its reader and the family reported (tagging scheme, repaired answers, …).
        reserved: columns that count by their names alone (`group`, `phenomenon`) → their different values.
        available: training rows that there would be, where only some of them were drawn; else None.
    """

    splits: dict[str, list[Row]]
    rule: str
    whole: dict[str, int]
    found: dict[str, Any]
    available: int | None = None
    reserved: Mapping[str, int] = field(default_factory=dict)


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
        bad: is filled with a line for each row that cannot be used, which is then left out, and no splits are made; None: the first
            one raises.

    Raises:
        BenchError: what is wrong with the data, with the place of the row.
    """
    _check_columns(task, family)
    found: dict[str, Any] = {}
    raw = task.source.read(found)
    reserved = _reserved(raw, task)
    titles = list(raw["train"][0]) if raw.get("train") else []
    prepared = {
        split: _prepare(split, rows, task, family, found.setdefault(split, {}), bad, titles) for split, rows in raw.items()
    }
    if bad:  # whoever collects refused rows has no use for splits of the others, which may be too few to cut
        return Data(prepared, "", {split: len(rows) for split, rows in prepared.items()}, found)
    for column, kind in family.column_types.items():
        if kind == values.LABEL and not task.labels:
            _one_spelling(column, prepared, found)
    made = not {"validation", "test"} <= set(prepared)
    grouped = all("group" in row for rows in prepared.values() for row in rows)
    few = made and grouped and "group" in reserved and reserved["group"] < FEW_GROUPS
    apart = isinstance(task.source, FileSource) and made

    def complete(same: bool) -> dict[str, list[Row]]:
        return complete_splits(
            prepared,
            seed=SPLIT_SEED,
            stratify=None if grouped and not few else family.stratum,
            group=(lambda row: row["group"]) if grouped and not few else None,
            same=family.key if same else None,
        )

    try:
        splits = complete(same=False)
        if apart and _shared(splits, prepared, family):
            try:
                splits = complete(same=True)
                apart = not _shared(splits, prepared, family)
            except BenchError:  # nearly all rows are alike
                apart = False
    except BenchError as error:
        raise BenchError(f"task {task.name!r} ({task.source.describe()}): {error}") from None
    rule = split_rule(
        prepared,
        seed=SPLIT_SEED,
        stratified=any(family.stratum(rows[0]) is not None for rows in prepared.values() if rows),
        group=str(task.columns.get("group") or "group") if grouped and not few else None,
        renamed=task.source.splits if isinstance(task.source, HubSource) else None,
        equal=None if not isinstance(task.source, FileSource) else apart,
        few=reserved["group"] if few else None,
    )
    whole = {name: len(rows) for name, rows in splits.items()}
    if task.limit:
        splits = {
            name: limit(rows, task.limit, seed=SPLIT_SEED, stratify=family.stratum) for name, rows in splits.items()
        }
    if reserved.get("phenomenon", 0) > MOST_PHENOMENA:
        for rows in splits.values():
            for row in rows:
                row.pop("phenomenon", None)
    return Data(splits, rule, whole, found, reserved=reserved)


def _check_columns(task: Task, family: TaskFamily) -> None:
    """Make sure that no column of the data is both what a model reads and what it is to find out.

    Raises:
        BenchError: one is.
    """

    def named(column: Any) -> list[str]:
        parts = column["list"] if isinstance(column, Mapping) and "list" in column else column
        return [str(part) for part in (parts if isinstance(parts, list | tuple) else [parts])]

    if unfilled := [name for name, column in task.columns.items() if column == FILL_IN]:
        raise BenchError(f"task {task.name!r}: columns: {' and '.join(unfilled)}: {FILL_IN} stands for a column to be filled in; write its name or index")
    answers = {name: named(task.columns[name]) for name in ANSWERS if task.columns.get(name) is not None}
    for name, column in task.columns.items():
        if column is None or name in ANSWERS or name not in (*family.columns, *family.optional_columns):
            continue
        for answer, theirs in answers.items():
            if both := set(named(column)) & set(theirs):
                raise BenchError(
                    f"task {task.name!r}: columns: {name} and {answer} are both taken from {sorted(both)[0]!r}, so every model would read "
                    f"its answer; name another column as {name}"
                )


def _reserved(raw: Mapping[str, Sequence[Mapping[str, Any]]], task: Task) -> dict[str, int]:
    """Columns of a table that count because of their names alone, which nobody wrote into a task file → how many values they have."""
    if not isinstance(task.source, FileSource) or task.source.format in GIVES:
        return {}
    names = [
        name
        for name in RESERVED
        if name not in task.columns and all(name in row for rows in raw.values() for row in rows)
    ]
    return {name: len({str(row[name]) for rows in raw.values() for row in rows}) for name in names}


def _shared(splits: Mapping[str, Sequence[Row]], given: Mapping[str, Any], family: TaskFamily) -> bool:
    """Whether a split that was made here shares a text with one that was cut from the same rows."""
    cut = [name for name in splits if name == "train" or name not in given]
    seen: set[Any] = set()
    for name in cut:
        keys = {key for row in splits[name] if (key := family.key(row))}
        if keys & seen:
            return True
        seen |= keys
    return False


def _prepare(
    split: str,
    rows: Sequence[Mapping[str, Any]],
    task: Task,
    family: TaskFamily,
    report: dict[str, Any],
    bad: list[str] | None,
    titles: Sequence[str] = (),
) -> list[Row]:
    here = f"task {task.name!r}, split {split}"
    _check_labels(split, rows, task, family, here, titles)
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
                f"say which of them it is under `columns:`, as {{{missing}: NAME}}"
            )
        try:
            typed = border(row)
            if task.drop_labels and (label := str(typed.get("label") or "").strip()) in task.drop_labels:
                report["dropped"] = report.get("dropped", 0) + 1
                if label not in report.setdefault("dropped_labels", []):
                    report["dropped_labels"].append(label)
                continue
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


def _check_labels(
    split: str, rows: Sequence[Mapping[str, Any]], task: Task, family: TaskFamily, here: str, titles: Sequence[str]
) -> None:  # fmt: skip
    """Make sure that a split which is tested on has answers at all.

    Args:
        titles: the columns of train.

    Raises:
        BenchError: it has not one; says how to go on without it.
    """
    answer = next((name for name in family.columns if name in ANSWERS), "")
    column = task.columns.get(answer, answer)
    if not answer or split not in ("validation", "test") or not rows or not isinstance(column, str) or "." in column:
        return
    if any(row.get(column) is not None and str(row[column]).strip() for row in rows):
        return
    what = f"its column {column!r} is empty in all {len(rows):,} rows"
    if column not in rows[0] and (same := twins(rows[0], column)):
        raise BenchError(f"{here}, {place(rows[0], 'row 1').rpartition(':')[0]}: calls its column {same[0]!r} where train has {column!r}; write the names alike")
    if column not in rows[0] and titles and len(rows[0]) == len(titles) and not set(rows[0]) & set(titles):
        raise BenchError(
            f"{here}, {place(rows[0], 'row 1').rpartition(':')[0]}: none of its columns ({listed(map(str, rows[0]))}) is one of train's "
            f"({listed(map(str, titles))}); if its first line is a row and no header, write train's header above it"
        )
    if column not in rows[0]:
        what = f"no column {column!r}; it has: {', '.join(map(str, list(rows[0])[:10]))}"
    file = place(rows[0], "row 1").rpartition(":")[0]
    others = [name for name in getattr(task.source, "files", {}) if canonical_split(name) != split]
    raise BenchError(
        f"{here}, {file or 'all rows'}: has no {answer.removesuffix('s')}s ({what}); leave it out, and {split} is cut from train: in a task file "
        f"(bench task new FOLDER writes it) keep only {' and '.join(others) or 'the other splits'} under data: files:"
    )


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
    for same in (scalars.same_label, scalars.same_number):
        spellings: dict[str, dict[str, None]] = {}
        for labels in names.values():
            for name in labels:
                if isinstance(name, str):
                    spellings.setdefault(same(name), {})[name] = None
        if same is scalars.same_number and any(
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
