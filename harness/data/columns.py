"""From a data set's columns and labels to the names that a task family knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.files import read_text, split_lines
from harness.data.place import place, placed
from harness.errors import BenchError, unknown

Row = dict[str, Any]
Column = str | int | Sequence[str | int] | Mapping[str, Sequence[str | int]]


def bind(rows: Iterable[Row], columns: Mapping[str, Column], keep: Iterable[str] = ("id", "group")) -> list[Row]:
    """Rows with canonical columns: `{"text": "body", "label": 1}` takes `text` from `body`, `label` from column 1.

    An index counts the columns of the first row, what lies inside a column is called by its path (`translation.en`). A list joins texts with a blank, leaving empty ones out; `{"list": [...]}` makes a list of them, for several references.
    Raw columns that nothing names are dropped, those in `keep` excepted; without any `columns` rows come back as they
    are. `None` for one of those in `keep` drops the data's column of that name.

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
    rows = list(rows)
    titles = list(rows[0]) if rows else []
    bound = []
    for number, row in enumerate(rows, start=1):
        new = {name: row[name] for name in keep if name in row}
        for name, column in columns.items():

            def where(row: Row = row, number: int = number, name: str = name) -> str:
                return f"{place(row, f'row {number}')}, for {name!r}"

            new[name] = _bound(row, column, titles, where)
        bound.append(placed(new, row))
    return bound


def _bound(row: Row, column: Column, titles: Sequence[str], where: Callable[[], str]) -> Any:
    if isinstance(column, str | int):
        return _value(row, column, titles, where)
    listed = isinstance(column, Mapping)
    if listed and list(column) != ["list"]:
        raise BenchError(f"{where()}: {dict(column)} names no column; to make a list of several write {{list: [a, b]}}")
    parts = [_value(row, one, titles, where) for one in (column["list"] if listed else column)]
    texts = [str(part) for part in parts if part is not None and str(part).strip()]
    return texts if listed else " ".join(texts)


def _value(row: Row, column: str | int, titles: Sequence[str], where: Callable[[], str]) -> Any:
    name = str(column)
    if name not in row and isinstance(column, int) and 0 <= column < len(titles):
        name = titles[column]
    if name in row:
        return row[name]
    outer, dot, inner = name.partition(".")
    if dot and isinstance(row.get(outer), Mapping):
        return _value(row[outer], inner, (), where)
    raise unknown("column", column, row, where=where(), more="; mend `columns`, or leave out a split that has none")


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
        return {str(raw).strip(): str(name) for raw, name in labels.items()}
    names = [str(name) for name in labels]
    by_name = {name: name for name in names}
    if len(by_name) < len(names):
        raise BenchError(
            f"labels {', '.join(names)}: a name occurs twice; to merge classes give a mapping of raw label to name"
        )
    if any(name.lstrip("+-").isdecimal() for name in names):
        return by_name
    return {str(index): name for index, name in enumerate(names)} | by_name


def label_names(
    rows: Iterable[Row], labels: Mapping[Any, str] | Sequence[str] | None, column: str = "label"
) -> list[Row]:
    """The rows with the label's name, always a string, in `column`. Without `labels` the raw value's text is the name.

    Raises:
        BenchError: a row without label, or with one that `labels` does not know.
    """
    mapping = None if labels is None else label_mapping(labels)
    named = []
    for number, row in enumerate(rows, start=1):
        value = row.get(column)
        raw = "" if value is None else str(value).strip()
        if not raw:
            raise BenchError(f"row {number} has no label in {column!r}; leave an unlabelled split out, or drop the row")
        if mapping is not None and raw not in mapping:
            raise unknown("label", raw, mapping, where=f"row {number}")
        named.append({**row, column: raw if mapping is None else mapping[raw]})
    return named
