"""Columns that a person has chosen: `--column label=airline_sentiment`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.data.readers import GIVES, OF_TABLES
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.proposal import column_value
from harness.row_preparation import COMMON_COLUMNS

Chosen = Mapping[str, str | list[str]]  # the family's column → the data's, or those whose texts are joined


def read_columns(written: Iterable[str]) -> dict[str, str]:
    """What `--column OURS=THEIRS`, which may be repeated, says.

    Raises:
        BenchError: no `=`, a name that is empty, or a column that is chosen twice.
    """
    found: dict[str, str] = {}
    for one in written:
        ours, _, theirs = (part.strip() for part in one.partition("="))
        if not ours or not theirs:
            raise BenchError(f"--column {one}: must be OURS=THEIRS, such as --column label=airline_sentiment")
        if found.setdefault(ours, theirs) != theirs:
            raise BenchError(f"--column {ours} is given twice: {found[ours]} and {theirs}; choose one (a+b joins texts)")
    return found


def columns_of(family: TaskFamily) -> list[str]:
    """What can be chosen for a family: its columns, those that every family has, and those of tables that it reads in another way."""
    fitting = [columns for format, (_, _, columns) in OF_TABLES.items() if set(family.columns) <= set(GIVES[format])]
    more = [name for columns in fitting for name in columns]
    return list(dict.fromkeys([*family.columns, *family.optional_columns, *COMMON_COLUMNS, *more]))


def in_table(columns: Mapping[str, str], row: Mapping[str, Any], where: str) -> dict[str, str | list[str]]:
    """The columns of a table that were meant: by name, by index from 0, several with a `+` between.

    Raises:
        BenchError: there is no such column.
    """
    titles = [str(name) for name in row]

    def one(name: str) -> str:
        if name in titles or ("." in name and name.partition(".")[0] in titles):
            return name
        if name.isdecimal() and int(name) < len(titles):
            return titles[int(name)]
        raise unknown("column", name, titles, where=where)

    found: dict[str, str | list[str]] = {}
    for ours, theirs in columns.items():
        joined = "+" in theirs and theirs not in titles
        found[ours] = [one(part.strip()) for part in theirs.split("+")] if joined else one(theirs)
    return found


def renamed(rows: Sequence[Mapping[str, Any]], chosen: Chosen) -> list[dict[str, Any]]:
    """The rows as if the chosen columns were called by the family's own names, and no other column were."""
    if not chosen:
        return list(rows)
    ours = {theirs: name for name, theirs in chosen.items() if isinstance(theirs, str)}
    joined = {name: theirs for name, theirs in chosen.items() if not isinstance(theirs, str)}
    parts = {part for theirs in joined.values() for part in theirs}
    made = []
    for row in rows:
        new = {ours.get(name, name): value for name, value in row.items() if name in ours or name not in (*chosen, *parts)}
        new |= {name: column_value(row, theirs) for theirs, name in ours.items() if name not in new}  # inside of a struct
        new |= {name: " ".join(str(column_value(row, part) or "") for part in theirs) for name, theirs in joined.items()}
        made.append(new)
    return made


def original(column: Any, chosen: Chosen) -> Any:
    """What a column of `renamed` rows is called in the data; of a list each."""
    if isinstance(column, str):
        return chosen.get(column, column)
    parts = [original(part, chosen) for part in column]
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]
