"""Readers of file formats. Each is a function `read(files, *, report=None, **options) -> list[dict]`.

`files` is a path or a list of paths (for `lines` a mapping of column → path or paths); files may be compressed. Options are plain
values, as a YAML file has them. `report` is a dict that the reader fills with observations for people who check a data set
(scheme, repaired answers, ...). A reader raises `BenchError` with file and line for anything that it cannot read; it never
guesses and never drops a row without counting it in the report. Its rows know their places (see `harness.data.place`).
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.data.readers import (
    arrow,
    conll,
    delimited,
    excel,
    json_rows,
    labelled,
    parallel,
    span_tables,
    squad_json,
    token_tables,
)  # fmt: skip
from harness.errors import BenchError, unknown

Reader = Callable[..., list[dict[str, Any]]]

READERS: dict[str, Reader] = {
    "csv": delimited.read_csv,
    "tsv": delimited.read_tsv,
    "jsonl": json_rows.read_jsonl,
    "json": json_rows.read_json,
    "parquet": arrow.read_parquet,
    "arrow": arrow.read_arrow,
    "xlsx": excel.read,
    "labelled": labelled.read,
    "conll": conll.read,
    "squad": squad_json.read,
    "spans": span_tables.read,
    "tokens": token_tables.read,
    "lines": parallel.read_lines,
    "pairs": parallel.read_pairs,
    "tmx": parallel.read_tmx,
}
# Format → the columns that its rows always have. Tables and `lines` have the columns of their files.
GIVES: dict[str, tuple[str, ...]] = {
    "labelled": ("text", "label"),
    "conll": ("words", "tags"),
    "squad": ("question", "context", "answers"),
    "spans": ("question", "context", "answers"),
    "tokens": ("words", "tags"),
    "pairs": ("source", "target"),
    "tmx": ("source", "target"),
}
# Formats that read any table in a special way → the columns that must be known, a function (rows, these columns) → options or
# None, and the other options that name a column.
OF_TABLES = {
    "spans": (span_tables.NEEDS, span_tables.options, tuple(span_tables.USUAL)),
    "tokens": (token_tables.NEEDS, token_tables.options, ("sentence",)),
}


def reader(format: str, options: Mapping[str, Any]) -> Reader:
    """Return the reader of a format, or raise an error if it does not exist or does not take these options."""
    if format not in READERS:
        raise unknown("file format", format, READERS)
    read = READERS[format]
    parameters = inspect.signature(read).parameters.values()
    valid = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    valid.remove("report")
    kinds = typing.get_type_hints(getattr(read, "func", read))  # `read_tsv` is a partial function
    for option, value in options.items():
        if option not in valid:
            raise unknown(f"option of format {format}:", option, valid)
        if not _has_type(value, kinds[option]):
            raise BenchError(f"option {option} of format {format} is {value!r}; it must be {_type_name(kinds[option])}")
    return read


def _has_type(value: Any, kind: Any) -> bool:
    """Whether a value from a YAML file has an option's type: a union, a list, or a plain type."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(_has_type(value, member) for member in typing.get_args(kind))
    if typing.get_origin(kind) is Sequence:
        return isinstance(value, list | tuple)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _type_name(kind: Any) -> str:
    names = {str: "a text", int: "a whole number", bool: "true or false", type(None): "nothing"}
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(_type_name(member) for member in typing.get_args(kind))
    return "a list" if typing.get_origin(kind) is Sequence else names.get(kind, str(kind))


def read_table(files: Any, table: str, report: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Read the rows of a table for a format that interprets them; options that are None keep their defaults."""
    given = {name: value for name, value in options.items() if value is not None}
    return reader(table, given)(files, report=report, **given)
