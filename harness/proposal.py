"""How a family would read a data set that it has never seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.column_profiles import name_words
from harness.data.columns import field_holder


@dataclass(frozen=True)
class Proposal:
    """What a task file would say.

    Attributes:
        columns: the family's column → the data's (`translation.en` inside of a struct), or a list of those whose texts are joined.
            Where one that the family requires is missing, the person is asked for it.
        options: of the family, as far as the data tell them.
        likely: False where only the names of the columns speak for the family; it is then taken if a person asks for it, or nothing
            else fits.
        others: the family's column → the data's columns that may be meant as well, the likeliest first.
        undecided: of these the family's columns for which nothing speaks for the one that was taken; the person is asked.
    """

    columns: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    likely: bool = True
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undecided: Sequence[str] = ()


def find_columns(row: Mapping[str, Any], names: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> dict[str, str]:
    """The data's column for each that is `wanted` and there, by its own name or what data sets call it.

    Upper and lower case do not count, nor does how words are joined: `reviewText` is `review_text`.

    Args:
        row: any of the data's; columns inside of its structs are looked at too.
        names: column → usual names in lower case, the likeliest first.
    """
    there = {str(name): str(name) for name in row if str(name) == str(name).strip().lower()}  # these before others that differ in case
    for name in row:
        there.setdefault(str(name).strip().lower(), str(name))
    for name, value in row.items():
        for inner in _fields(value):
            there.setdefault(f"{name}.{inner}".lower(), f"{name}.{inner}")
    for name in row:
        there.setdefault("_".join(name_words(name)), str(name))
    usual = {column: (column, *names.get(column, ())) for column in wanted}
    found = {column: next((there[one] for one in ones if one in there), None) for column, ones in usual.items()}
    return {column: name for column, name in found.items() if name is not None}


def column_value(row: Mapping[str, Any], column: str) -> Any:
    """A row's value in a column that `find_columns` found; None where it is missing."""
    if column in row:
        return row[column]
    outer, _, inner = column.partition(".")
    return _fields(row.get(outer)).get(inner)


def similar_columns(row: Iterable[Any], column: str) -> list[str]:
    """The other columns of a table whose names a person takes for the same: case, width, blanks and invisible characters do not count."""

    def alike(name: Any) -> tuple[str, ...]:
        text = unicodedata.normalize("NFKC", str(name))
        return name_words("".join(letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc", "Mn")))

    same = alike(column)
    return [str(name) for name in row if str(name) != column and same and alike(name) == same]


def _fields(value: Any) -> Mapping[str, Any]:
    """The fields of an object, also of one that was printed into a text."""
    try:
        return field_holder(value) or {}
    except ValueError:
        return {}
