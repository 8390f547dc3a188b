"""What models read: the test rows' texts out of the data, which records do not hold. Only for `--with-texts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness import registry
from harness.errors import BenchError
from harness.report.columns import Column
from harness.rows import load
from harness.task import Task


def texts(column: Column) -> tuple[Mapping[str, str], str]:
    """Row id → its text, and why there is none, in words; one of the two is empty."""
    task = _task(column)
    if task is None:
        return {}, "its task is not registered here"
    try:
        task = replace(task, source=task.source.pinned())
        if task.version != column.version or task.source.fingerprint() != column.fingerprint:
            return {}, "the data here are not those of the records"
        family = registry.family(task.family)
        rows = load(task, family).splits["test"]
    except BenchError as error:
        return {}, str(error)
    return {row["id"]: _joined(family.texts(row)) for row in rows}, ""


def _task(column: Column) -> Task | None:
    """The registered task of a column, cut to the subset that the column's name tells."""
    name, _, size = column.task.partition("@")
    task = registry.tasks().get(name)
    return task.limited(int(size)) if task and size.isdecimal() else task


def _joined(found: Mapping[str, str | list[str]]) -> str:
    """All that a row's model reads; with the names of the columns where there are several."""
    told = {name: value if isinstance(value, str) else " ".join(value) for name, value in found.items()}
    return (
        next(iter(told.values()), "") if len(told) == 1 else "\n".join(f"{name}: {one}" for name, one in told.items())
    )
