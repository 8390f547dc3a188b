"""Prepare the rows of a split for a task family: name columns, convert values, check labels and give ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from harness.data import values
from harness.data.columns import bind
from harness.data.place import place, placed
from harness.data.splits import canonical_split
from harness.errors import BenchError
from harness.family import ANSWERS, Row, TaskFamily
from harness.proposal import similar_columns
from harness.safe_text import listed
from harness.task import Task

COMMON_COLUMNS = ("id", "group", "phenomenon")  # columns that every family keeps
Splits = dict[str, list[Row]]


def prepare_rows(
    split: str,
    rows: Sequence[Mapping[str, Any]],
    task: Task,
    family: TaskFamily,
    report: dict[str, Any],
    refused: list[str] | None = None,
    train_columns: Sequence[str] = (),
) -> list[Row]:
    """Return the rows of one split as the family prepares them, each with an `id`.

    Args:
        report: what the reader reported on the split; counts of repaired values and dropped labels are added.
        refused: collects a message for each row that cannot be used; None: the first one raises.
        train_columns: the columns of train, to explain why another split has no answers.

    Raises:
        BenchError: what is wrong with the data, with the location of the row.
    """
    prefix = f"task {task.name!r}, split {split}"
    _check_answers(split, rows, task, family, prefix, train_columns)
    notes = values.Notes()
    try:
        bound = bind(rows, task.columns, keep=COMMON_COLUMNS, notes=notes)
    except BenchError as error:
        raise BenchError(f"{prefix}: {error}") from None
    convert = _make_converter(bound, family, notes)
    prepared, ids = [], Counter()
    for number, row in enumerate(bound):
        missing = next((name for name in family.columns if name not in row), None)
        if missing:
            raise BenchError(
                f"{prefix}, {place(row, f'row {number + 1}')}: no column {missing!r} ({family.columns[missing]}); "
                f"the data has: {', '.join(map(str, rows[number]))}; "
                f"say which of them it is under `columns:`, as {{{missing}: NAME}}"
            )
        try:
            typed = convert(row)
            if task.drop_labels and (label := str(typed.get("label") or "").strip()) in task.drop_labels:
                report["dropped"] = report.get("dropped", 0) + 1
                if label not in report.setdefault("dropped_labels", []):
                    report["dropped_labels"].append(label)
                continue
            new = family.prepare(typed, task)
        except (ValueError, TypeError, KeyError) as error:
            message = f"{prefix}, {place(row, f'row {number + 1}')}: {error}"
            if refused is None:
                raise BenchError(message) from error
            refused.append(message)
            continue
        name = typed.get("id") or f"{split}-{number}"
        ids[name] += 1
        prepared.append(placed({**new, "id": name if ids[name] == 1 else f"{name}#{ids[name]}"}, row))
    for name, count in notes.items():
        if count:
            report[name] = report.get(name, 0) + count
    try:
        return family.harmonise(prepared, task, report)
    except BenchError as error:
        raise BenchError(f"{prefix}: {error}") from None


def _check_answers(
    split: str,
    rows: Sequence[Mapping[str, Any]],
    task: Task,
    family: TaskFamily,
    prefix: str,
    train_columns: Sequence[str],
) -> None:
    """Check that validation and test have any answers.

    Raises:
        BenchError: a split has none; the message says how to continue without it.
    """
    answer = next((name for name in family.columns if name in ANSWERS), "")
    column = task.columns.get(answer, answer)
    if not answer or split not in ("validation", "test") or not rows or not isinstance(column, str) or "." in column:
        return
    if any(row.get(column) is not None and str(row[column]).strip() for row in rows):
        return
    columns = list(rows[0])
    file = place(rows[0], "row 1").rpartition(":")[0]
    if column in columns:
        problem = f"its column {column!r} is empty in all {len(rows):,} rows"
    elif similar := similar_columns(columns, column):
        raise BenchError(
            f"{prefix}, {file}: calls its column {similar[0]!r} where train has {column!r}; write the names alike"
        )
    elif train_columns and len(columns) == len(train_columns) and not set(columns) & set(train_columns):
        raise BenchError(
            f"{prefix}, {file}: none of its columns ({listed(map(str, columns))}) is one of train's "
            f"({listed(map(str, train_columns))}); if its first line is a row and no header, write train's header above it"
        )
    else:
        problem = f"no column {column!r}; it has: {', '.join(map(str, columns[:10]))}"
    others = [name for name in getattr(task.source, "files", {}) if canonical_split(name) != split]
    raise BenchError(
        f"{prefix}, {file or 'all rows'}: has no {answer.removesuffix('s')}s ({problem}); leave it out, and {split} is cut from train: "
        f"in a task file (bench task new FOLDER writes it) keep only {' and '.join(others) or 'the other splits'} under data: files:"
    )


def _make_converter(rows: Sequence[Row], family: TaskFamily, notes: values.Notes) -> Callable[[Row], Row]:
    """Return the function that converts a row's values to the types that the family declares for its columns.

    `id`, `group` and `phenomenon` become texts. Other columns stay as they are, without unpaired surrogates.
    """
    types = {**dict.fromkeys(COMMON_COLUMNS, values.TEXT), **family.column_types}
    converters = []
    for name in dict.fromkeys(name for row in rows for name in row):
        column = [row.get(name) for row in rows]
        if name in types:
            converter = values.converter(types[name], column, notes)
        elif all(value is None or isinstance(value, int | float) for value in column) or values.is_plain(column):
            converter = None
        else:
            converter = partial(values.whole_characters, notes=notes)
        if converter is not None:
            converters.append((name, converter))

    def convert(row: Row) -> Row:
        new = dict(row)
        for name, converter in converters:
            if name in new:
                try:
                    new[name] = converter(new[name])
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return new

    return convert if converters else lambda row: row


def unify_label_spellings(column: str, splits: Splits, reports: Mapping[str, dict[str, Any]]) -> None:
    """Give labels that mean the same one spelling, the first one of train; changes the rows.

    1.0 is 1, and True is true: programs write them after they met an empty cell, or another format. Other spellings of
    a number (0.50, 01) may be different names, for example of sections. They are one label only if no split has two of
    them.
    """
    order = sorted(splits, key=lambda split: split not in ("train", "all"))
    labels = {split: dict.fromkeys(row[column] for row in splits[split] if column in row) for split in order}
    for normalise in (values.same_label, values.same_number):
        spellings: dict[str, dict[str, None]] = {}
        for split_labels in labels.values():
            texts = [label for label in split_labels if isinstance(label, str)]
            normalised = [normalise(label) for label in texts]
            if normalise is values.same_number and len(set(normalised)) < len(split_labels):
                return
            for spelling, label in zip(normalised, texts, strict=True):
                spellings.setdefault(spelling, {})[label] = None
        new = {label: first for first, *others in spellings.values() for label in others}
        for split, rows in splits.items() if new else ():
            changed = [row for row in rows if row.get(column) in new]
            for row in changed:
                row[column] = new[row[column]]
            if changed:
                report = reports[split]
                report["label_spellings"] = report.get("label_spellings", 0) + len(changed)
                replaced = [f"{old} read as {name}" for old, name in new.items() if old in labels[split]]
                report["label_spellings_at"] = [*report.get("label_spellings_at", ()), *replaced]
            labels[split] = {new.get(label, label): None for label in labels[split]}
