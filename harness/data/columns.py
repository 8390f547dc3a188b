"""From a data set's columns and labels to the names that a task family knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.file_layer import read_text, split_lines
from harness.data.place import place, placed
from harness.data.printed import printed
from harness.data.values import Notes, scalar, text
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
    """Rows with canonical columns: `{"text": "body", "label": 1}` takes `text` from `body`, `label` from column 1.

    An index counts the columns of the first row, what lies inside a column is called by its path (`translation.en`). A list joins texts with a blank, leaving empty ones out; `{"list": [...]}` makes a list of them, for several references.
    Raw columns that nothing names are dropped, those in `keep` excepted; without any `columns` rows come back as they
    are. `None` for one of those in `keep` drops the data's column of that name.

    Args:
        notes: is filled with what was converted (see `harness.data.values`): texts that are joined, and objects that a program printed
            into a text of which a path names a field.

    Raises:
        BenchError: a row lacks a column; the message says which columns it has.
    """
    unwanted = [name for name, column in columns.items() if column is None]
    columns = {name: column for name, column in columns.items() if column is not None}
    if not columns:
        return (
            [placed({name: row[name] for name in row if name not in unwanted}, row) for row in rows]
            if unwanted
            else list(rows)
        )
    keep = [name for name in keep if name not in unwanted]
    keep = [name for name in keep if name not in columns]
    rows, notes = list(rows), Notes() if notes is None else notes
    titles = list(rows[0]) if rows else []
    bound = []
    for number, row in enumerate(rows, start=1):
        new = {name: row[name] for name in keep if name in row}
        for name, column in columns.items():

            def where(row: Row = row, number: int = number, name: str = name) -> str:
                return f"{place(row, f'row {number}')}, for {name!r}"

            new[name] = _bound(row, column, titles, where, notes)
        bound.append(placed(new, row))
    return bound


def _bound(row: Row, column: Column, titles: Sequence[str], where: Callable[[], str], notes: Notes) -> Any:
    if isinstance(column, str | int):
        return _value(row, column, titles, where, notes)
    listed = isinstance(column, Mapping)
    if listed and list(column) != ["list"]:
        raise BenchError(f"{where()}: {dict(column)} names no column; to make a list of several write {{list: [a, b]}}")
    parts = [_value(row, one, titles, where, notes) for one in (column["list"] if listed else column)]
    try:
        texts = [part for part in (text(part, notes) for part in parts) if part.strip()]
    except ValueError as error:
        raise BenchError(f"{where()}: {error}") from None
    return texts if listed else " ".join(texts)


def _value(row: Row, column: str | int, titles: Sequence[str], where: Callable[[], str], notes: Notes) -> Any:
    name = str(column)
    if name not in row and isinstance(column, int) and 0 <= column < len(titles):
        name = titles[column]
    if name in row:
        return row[name]
    outer, dot, inner = name.partition(".")
    if dot and outer in row:
        try:
            struct = field_holder(row[outer], notes)
        except ValueError as error:
            raise BenchError(f"{where()}: {error}") from None
        if struct is not None:
            return _value(struct, inner, (), where, notes)
    raise unknown("column", column, row, where=where(), more="; mend `columns`, or leave out a split that has none")


def field_holder(value: Any, notes: Notes | None = None) -> Mapping[str, Any] | None:
    """The object whose fields a path may name: a value that is one, or one that JSON or Python has printed into a text; else None.

    Raises:
        ValueError: it was cut short when it was printed, or is bytes that are no text.
    """
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str | bytes):
        return None
    notes = Notes() if notes is None else notes
    written = scalar(value, notes) or ""
    found = printed(written) if written.lstrip().startswith("{") else None
    if not isinstance(found, Mapping):
        return None
    notes["printed"] += 1
    return found


def read_labels(path: str | Path, first: int = 0) -> dict[str, str]:
    """A file of class names, one a line: {"0": first name, ...}, counted from `first` (1 for AG News' classes.txt)."""
    names = [line.strip() for line in split_lines(read_text(path))]
    return {str(number): name for number, name in enumerate((name for name in names if name), start=first)}


def label_mapping(labels: Mapping[Any, str] | Sequence[str]) -> dict[str, str]:
    """Raw label as text -> name.

    A list gives the names of the raw labels 0, 1, ...; data that hold the names themselves are understood too. If a
    name looks like a number (`["1", "2", "3"]` for stars), raw labels must be the names, or else 1 would have two
    meanings.
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
