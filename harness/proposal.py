"""How a task family would read a data set it has never seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.column_profiles import name_words
from harness.data.columns import field_holder


@dataclass(frozen=True)
class Proposal:
    """The content of a task file for a data set.

    Attributes:
        columns: the family's column → the data's (`translation.en` inside a struct), or a list of columns whose texts
            are joined. The person is asked for a required column that is missing.
        options: options of the family, as far as the data tell them.
        likely: False if only the names of the columns suggest the family; it is then used only if the person asks for
            it, or if no other family fits.
        others: the family's column → other columns of the data that may be meant, the likeliest first.
        undecided: the family's columns among `others` whose choice is arbitrary; the person is asked.
    """

    columns: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    likely: bool = True
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undecided: Sequence[str] = ()


def find_columns(row: Mapping[str, Any], names: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> dict[str, str]:
    """Return the data's column for each wanted column that can be found by its own name or a usual one.

    Case does not count, nor how words are joined: `reviewText` is `review_text`.

    Args:
        row: any row of the data; columns inside its structs are searched too.
        names: column → its usual names in lower case, the likeliest first.
        wanted: the family's columns.
    """
    # An exact lower-case name goes before names that differ from it in case.
    existing = {str(name): str(name) for name in row if str(name) == str(name).strip().lower()}
    for name in row:
        existing.setdefault(str(name).strip().lower(), str(name))
    for name, value in row.items():
        for inner in _struct_fields(value):
            existing.setdefault(f"{name}.{inner}".lower(), f"{name}.{inner}")
    for name in row:
        existing.setdefault("_".join(name_words(name)), str(name))
    columns = {}
    for column in wanted:
        match = next((existing[name] for name in (column, *names.get(column, ())) if name in existing), None)
        if match is not None:
            columns[column] = match
    return columns


def column_value(row: Mapping[str, Any], column: str) -> Any:
    """Return a row's value in a column that `find_columns` returned; None if it is missing."""
    if column in row:
        return row[column]
    outer, _, inner = column.partition(".")
    return _struct_fields(row.get(outer)).get(inner)


def similar_columns(row: Iterable[Any], column: str) -> list[str]:
    """Return other columns whose names differ only in case, width, blanks or invisible characters."""

    def normalise(name: Any) -> tuple[str, ...]:
        text = unicodedata.normalize("NFKC", str(name))
        return name_words("".join(letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc", "Mn")))

    normalised = normalise(column)
    return [str(name) for name in row if str(name) != column and normalised and normalise(name) == normalised]


def _struct_fields(value: Any) -> Mapping[str, Any]:
    """Return the fields of a struct, also of one that was printed into a text."""
    try:
        return field_holder(value) or {}
    except ValueError:
        return {}
