"""Map a data set's columns and labels to the names that a task family uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.file_layer import read_text, split_lines
from harness.data.place import place, placed
from harness.data.printed import printed
from harness.data.scalars import Notes, scalar
from harness.data.values import text
from harness.errors import BenchError, unknown
from harness.safe_text import short

Row = dict[str, Any]
Column = str | int | Sequence[str | int] | Mapping[str, Sequence[str | int]]


def bind(
    rows: Iterable[Row],
    columns: Mapping[str, Column],
    keep: Iterable[str] = ("id", "group"),
    notes: Notes | None = None,
) -> list[Row]:
    """Return rows with canonical columns: `{"text": "body", "label": 1}` takes `text` from `body`, `label` from column 1.

    A column is given by its name, by its index in the first row, or by its path inside another column (`translation.en`). A
    list of columns joins their non-empty texts with blanks; `{"list": [...]}` makes a list of them, for several references.

    Args:
        rows: Raw rows.
        columns: Canonical name → column. If empty, rows are returned unchanged. `None` drops a column named in `keep`.
        keep: Raw columns to keep although `columns` does not name them. All others are dropped.
        notes: Counts conversions: joined texts, and printed objects that a path leads into.

    Raises:
        BenchError: A row lacks a column. The message lists the columns that it has.
    """
    dropped = [name for name, column in columns.items() if column is None]
    columns = {name: column for name, column in columns.items() if column is not None}
    if not columns:
        if not dropped:
            return list(rows)
        return [placed({name: row[name] for name in row if name not in dropped}, row) for row in rows]
    keep = [name for name in keep if name not in dropped and name not in columns]
    rows, notes = list(rows), Notes() if notes is None else notes
    titles = list(rows[0]) if rows else []
    bound = []
    for number, row in enumerate(rows, start=1):
        new = {name: row[name] for name in keep if name in row}
        for name, column in columns.items():

            def where(row: Row = row, number: int = number, name: str = name) -> str:
                return f"{place(row, f'row {number}')}, for {name!r}"

            new[name] = _column_value(row, column, titles, where, notes)
        bound.append(placed(new, row))
    return bound


def _column_value(row: Row, column: Column, titles: Sequence[str], where: Callable[[], str], notes: Notes) -> Any:
    if isinstance(column, str | int):
        return _value(row, column, titles, where, notes)
    as_list = isinstance(column, Mapping)
    if as_list and list(column) != ["list"]:
        raise BenchError(f"{where()}: {dict(column)} names no column; to make a list of several write {{list: [a, b]}}")
    values = [_value(row, part, titles, where, notes) for part in (column["list"] if as_list else column)]
    try:
        texts = [string for string in (text(value, notes) for value in values) if string.strip()]
    except ValueError as error:
        raise BenchError(f"{where()}: {error}") from None
    return texts if as_list else " ".join(texts)


def _value(row: Row, column: str | int, titles: Sequence[str], where: Callable[[], str], notes: Notes) -> Any:
    name = str(column)
    if name not in row and isinstance(column, int) and 0 <= column < len(titles):
        name = titles[column]
    if name in row:
        return row[name]
    outer, dot, inner = name.partition(".")
    if dot and outer in row:
        try:
            fields = field_holder(row[outer], notes)
        except ValueError as error:
            raise BenchError(f"{where()}: {error}") from None
        if fields is not None:
            return _value(fields, inner, (), where, notes)
    raise unknown("column", column, row, where=where(), more="; mend `columns`, or leave out a split that has none")


def field_holder(value: Any, notes: Notes | None = None) -> Mapping[str, Any] | None:
    """Return a value as an object whose fields a path can name: the value itself or a printed object; None if it is neither.

    Raises:
        ValueError: The object was cut short when it was printed, or the value is bytes that are not UTF-8.
    """
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str | bytes):
        return None
    notes = Notes() if notes is None else notes
    string = scalar(value, notes) or ""
    fields = printed(string) if string.lstrip().startswith("{") else None
    if not isinstance(fields, Mapping):
        return None
    notes["printed"] += 1
    return fields


def read_labels(path: str | Path, first: int = 0) -> dict[str, str]:
    """Read a file of class names, one a line, as {"0": first name, ...}. Use `first=1` for AG News' classes.txt."""
    names = [line.strip() for line in split_lines(read_text(path))]
    return {str(number): name for number, name in enumerate(filter(None, names), start=first)}


def label_mapping(labels: Mapping[Any, str] | Sequence[str]) -> dict[str, str]:
    """Return a mapping of raw label (as text) → name.

    A list names the raw labels 0, 1, ...; data that hold the names themselves are accepted too. If a name looks like a number
    (`["1", "2", "3"]` for stars), the raw labels must be the names: otherwise 1 would be ambiguous.
    """
    if isinstance(labels, Mapping):
        return {(scalar(raw, Notes()) or "").strip(): str(name) for raw, name in labels.items()}
    names = [str(name) for name in labels]
    by_name = {name: name for name in names}
    if len(by_name) < len(names):
        raise BenchError(
            f"labels {', '.join(map(short, names[:30]))}: a name occurs twice; to merge classes give a mapping of raw label to name"
        )
    if any(name.lstrip("+-").isdecimal() for name in names):
        return by_name
    return {str(index): name for index, name in enumerate(names)} | by_name
