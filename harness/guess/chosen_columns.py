"""Columns that the user chooses: `--column label=airline_sentiment`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.data.readers import GIVES, OF_TABLES
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.proposal import column_value
from harness.row_preparation import COMMON_COLUMNS

Chosen = Mapping[str, str | list[str]]  # the family's column → the data's, or a list of those whose texts are joined


def read_columns(texts: Iterable[str]) -> dict[str, str]:
    """Read `--column OURS=THEIRS` options: the family's column → the data's.

    Raises:
        BenchError: no `=`, an empty name, or a column that is given twice.
    """
    columns: dict[str, str] = {}
    for text in texts:
        column, _, source = (part.strip() for part in text.partition("="))
        if not column or not source:
            raise BenchError(f"--column {text}: must be OURS=THEIRS, such as --column label=airline_sentiment")
        if columns.setdefault(column, source) != source:
            raise BenchError(
                f"--column {column} is given twice: {columns[column]} and {source}; choose one (a+b joins texts)"
            )
    return columns


def columns_of(family: TaskFamily) -> list[str]:
    """List the columns that can be chosen: the family's, those of every family, and those that its table formats need."""
    table_columns = [
        name
        for format, (_, _, columns) in OF_TABLES.items()
        if set(family.columns) <= set(GIVES[format])
        for name in columns
    ]
    return list(dict.fromkeys([*family.columns, *family.optional_columns, *COMMON_COLUMNS, *table_columns]))


def resolve_columns(columns: Mapping[str, str], row: Mapping[str, Any], where: str) -> dict[str, str | list[str]]:
    """Look up chosen columns in a table: by name, by index from 0, or several joined by `+`.

    Raises:
        BenchError: there is no such column.
    """
    names = [str(name) for name in row]

    def resolve(source: str) -> str:
        if source in names or ("." in source and source.partition(".")[0] in names):
            return source
        if source.isdecimal() and int(source) < len(names):
            return names[int(source)]
        raise unknown("column", source, names, where=where)

    return {
        column: [resolve(part.strip()) for part in source.split("+")]
        if "+" in source and source not in names
        else resolve(source)
        for column, source in columns.items()
    }


def rename_columns(rows: Sequence[Mapping[str, Any]], chosen: Chosen) -> list[dict[str, Any]]:
    """Give the chosen columns the family's names; other columns of these names are dropped."""
    if not chosen:
        return list(rows)
    new_names = {source: column for column, source in chosen.items() if isinstance(source, str)}
    joined = {column: sources for column, sources in chosen.items() if not isinstance(sources, str)}
    dropped = {*chosen, *(source for sources in joined.values() for source in sources)} - new_names.keys()
    renamed = []
    for row in rows:
        new = {new_names.get(name, name): value for name, value in row.items() if name not in dropped}
        for source, column in new_names.items():
            if column not in new:
                new[column] = column_value(row, source)  # a field of an object
        for column, sources in joined.items():
            new[column] = " ".join(str(column_value(row, source) or "") for source in sources)
        renamed.append(new)
    return renamed


def original_name(column: Any, chosen: Chosen) -> Any:
    """Return the data's name of a column, or of each of a list of columns, after `rename_columns`."""
    if isinstance(column, str):
        return chosen.get(column, column)
    originals: list[str] = []
    for part in column:
        name = original_name(part, chosen)
        originals += name if isinstance(name, list) else [name]
    return originals
