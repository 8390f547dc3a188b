"""Load a task's data: three splits of checked rows, ready for a family's adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.data import values
from harness.data.readers import GIVES
from harness.data.source import FileSource, HubSource
from harness.data.split_rule import split_rule
from harness.data.splits import complete_splits, limit
from harness.errors import BenchError
from harness.family import ANSWERS, TaskFamily
from harness.row_preparation import Splits, prepare_rows, unify_label_spellings
from harness.task import Task

COLUMN_PLACEHOLDER = "COLUMN"  # what `bench task new` writes for a column that it cannot guess
RESERVED = ("group", "phenomenon")  # column names that have an effect even if no task file mentions them
FEWEST_GROUPS = 10  # with fewer groups no split comes near its share, so a reserved `group` column is not used
MOST_PHENOMENA = 50  # with more values, a `phenomenon` column would give the board a slice for every few rows
SPLIT_SEED = 42  # of splits and subsets; part of the protocol, so it is the same for every cell and seed


@dataclass(frozen=True)
class TaskData:
    """A task's rows and how they were obtained.

    Attributes:
        splits: train, validation and test.
        rule: how the splits were made, in words.
        rows_without_limit: split → the number of rows before the task's limit.
        reports: split of the source → what its reader and the family reported (tagging scheme, repaired answers, …).
        available: the number of training rows before some were drawn; None if all are used.
        reserved: reserved column that counts only because of its name → its number of distinct values.
    """

    splits: Splits
    rule: str
    rows_without_limit: dict[str, int]
    reports: dict[str, Any]
    available: int | None = None
    reserved: Mapping[str, int] = field(default_factory=dict)


def load_splits(task: Task, family: TaskFamily) -> Splits:
    """Return the splits of `load_data`."""
    return load_data(task, family).splits


def load_data(task: Task, family: TaskFamily, refused: list[str] | None = None) -> TaskData:
    """Read a task's rows, name their columns and labels, check each row, complete the splits, and take the subset.

    Every row has an `id`: its own, or its split and its number in the publisher's file. A repeated id of a split gets a
    number, as in `x#2`. Rows from files know their location (see `harness.data.place`).

    Args:
        refused: collects a message for each row that cannot be used. Such rows are left out, and no splits are made.
            None: the first one raises.

    Raises:
        BenchError: what is wrong with the data, with the location of the row.
    """
    _check_columns(task, family)
    reports: dict[str, Any] = {}
    raw = task.source.read(reports)
    reserved = _count_reserved_values(raw, task)
    train_columns = list(raw["train"][0]) if raw.get("train") else []
    prepared = {
        split: prepare_rows(split, rows, task, family, reports.setdefault(split, {}), refused, train_columns)
        for split, rows in raw.items()
    }
    if refused:  # the remaining rows may be too few to split, and the caller does not need splits
        return TaskData(prepared, "", {split: len(rows) for split, rows in prepared.items()}, reports)
    for column, kind in family.column_types.items():
        if kind == values.LABEL and not task.labels:
            unify_label_spellings(column, prepared, reports)
    splits, rule = _make_splits(prepared, task, family, reserved)
    counts = {split: len(rows) for split, rows in splits.items()}
    if task.limit:
        splits = {
            split: limit(rows, task.limit, seed=SPLIT_SEED, stratify=family.stratum) for split, rows in splits.items()
        }
    if reserved.get("phenomenon", 0) > MOST_PHENOMENA:
        for rows in splits.values():
            for row in rows:
                row.pop("phenomenon", None)
    return TaskData(splits, rule, counts, reports, reserved=reserved)


def _check_columns(task: Task, family: TaskFamily) -> None:
    """Check that all columns are filled in, and that no column is both an input and an answer.

    Raises:
        BenchError: this is not so.
    """

    def parts(column: Any) -> list[str]:
        names = column["list"] if isinstance(column, Mapping) and "list" in column else column
        return [str(name) for name in (names if isinstance(names, list | tuple) else [names])]

    if unfilled := [name for name, column in task.columns.items() if column == COLUMN_PLACEHOLDER]:
        raise BenchError(
            f"task {task.name!r}: columns: {' and '.join(unfilled)}: {COLUMN_PLACEHOLDER} stands for a column to be filled in; "
            "write its name or index"
        )
    answers = {name: parts(task.columns[name]) for name in ANSWERS if task.columns.get(name) is not None}
    inputs = {*family.columns, *family.optional_columns} - set(ANSWERS)
    for name, column in task.columns.items():
        if name not in inputs or column is None:
            continue
        for answer, answer_parts in answers.items():
            if shared := set(parts(column)) & set(answer_parts):
                raise BenchError(
                    f"task {task.name!r}: columns: {name} and {answer} are both taken from {min(shared)!r}, so every model would read "
                    f"its answer; name another column as {name}"
                )


def _count_reserved_values(raw: Mapping[str, Sequence[Mapping[str, Any]]], task: Task) -> dict[str, int]:
    """Return reserved column → its number of distinct values, for columns that the task file does not mention."""
    if not isinstance(task.source, FileSource) or task.source.format in GIVES:
        return {}
    rows = [row for rows in raw.values() for row in rows]
    names = [name for name in RESERVED if name not in task.columns and all(name in row for row in rows)]
    return {name: len({str(row[name]) for row in rows}) for name in names}


def _make_splits(prepared: Splits, task: Task, family: TaskFamily, reserved: Mapping[str, int]) -> tuple[Splits, str]:
    """Return train, validation and test, and how they were made.

    Missing splits are cut from the others. Rows of a group stay together. For files, rows with equal texts stay on one
    side of the cut if they would otherwise be on both sides, and if that is possible.
    """
    must_cut = not {"validation", "test"} <= set(prepared)
    grouped = all("group" in row for rows in prepared.values() for row in rows)
    too_few_groups = must_cut and grouped and "group" in reserved and reserved["group"] < FEWEST_GROUPS
    use_groups = grouped and not too_few_groups
    from_files = isinstance(task.source, FileSource)

    def complete(equal_texts_together: bool) -> Splits:
        return complete_splits(
            prepared,
            seed=SPLIT_SEED,
            stratify=None if use_groups else family.stratum,
            group=(lambda row: row["group"]) if use_groups else None,
            same=family.key if equal_texts_together else None,
        )

    separated = from_files and must_cut  # whether equal texts are on one side of the cut
    try:
        splits = complete(equal_texts_together=False)
        if separated and _share_texts(splits, prepared, family):
            try:
                splits = complete(equal_texts_together=True)
                separated = not _share_texts(splits, prepared, family)
            except BenchError:  # nearly all rows are equal
                separated = False
    except BenchError as error:
        raise BenchError(f"task {task.name!r} ({task.source.describe()}): {error}") from None
    rule = split_rule(
        prepared,
        seed=SPLIT_SEED,
        stratified=any(family.stratum(rows[0]) is not None for rows in prepared.values() if rows),
        group=str(task.columns.get("group") or "group") if use_groups else None,
        renamed=task.source.splits if isinstance(task.source, HubSource) else None,
        equal=separated if from_files else None,
        few=reserved["group"] if too_few_groups else None,
    )
    return splits, rule


def _share_texts(splits: Splits, published: Splits, family: TaskFamily) -> bool:
    """Whether splits that were cut from the same rows share a text."""
    seen: set[Any] = set()
    for name, rows in splits.items():
        if name != "train" and name in published:
            continue
        keys = {key for row in rows if (key := family.key(row))}
        if keys & seen:
            return True
        seen |= keys
    return False
