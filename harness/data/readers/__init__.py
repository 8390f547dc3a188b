"""Readers: file format -> rows. Each is a plain function `read(files, *, report=None, **options) -> list[dict]`.

`files` is a path or a list of paths (for `lines` a mapping of column -> path or paths); compressed ones are seen through.
`report` is a dict that the reader fills with what it found (scheme, repaired answers, ...), for people who check a data
set. Options are plain values, as a YAML file has them. A reader raises `BenchError` with file and line for anything that it
cannot read; it never guesses and never drops a row without counting it in the report. Its rows know their places (see
`harness.data.place`).
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
    flat,
    json_rows,
    labelled,
    pairs,
    parallel,
    spans,
    squad,
    tmx,
    tokens,
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
    "squad": squad.read,
    "spans": spans.read,
    "tokens": tokens.read,
    "lines": parallel.read,
    "pairs": pairs.read,
    "tmx": tmx.read,
}
# Format -> the columns that its rows have by themselves; those of tables and of `lines` are called as the files have it.
GIVES: dict[str, tuple[str, ...]] = {
    "labelled": ("text", "label"),
    "conll": ("words", "tags"),
    "squad": ("question", "context", "answers"),
    "spans": ("question", "context", "answers"),
    "tokens": ("words", "tags"),
    "pairs": ("source", "target"),
    "tmx": ("source", "target"),
}
# Formats that read any table in another way -> the columns that must be known, (rows, these columns) -> options or None, and what
# else in their options is the name of a column.
OF_TABLES = {
    "spans": (flat.NEEDS, flat.options, tuple(flat.USUAL)),
    "tokens": (tokens.NEEDS, tokens.options, ("sentence",)),
}


def reader(format: str, options: Mapping[str, Any]) -> Reader:
    """The reader of a format, once it is sure that it exists and takes these options."""
    if format not in READERS:
        raise unknown("file format", format, READERS)
    read = READERS[format]
    parameters = inspect.signature(read).parameters.values()
    valid = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.name != "report"]
    kinds = typing.get_type_hints(read)
    for option, value in options.items():
        if option not in valid:
            raise unknown(f"option of format {format}:", option, valid)
        if not _fits(value, kinds[option]):
            raise BenchError(f"option {option} of format {format} is {value!r}; it must be {_said(kinds[option])}")
    return read


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value from a YAML file is of an option's type: one of those in a union, a list, or a plain type."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in typing.get_args(kind))
    if typing.get_origin(kind) is Sequence:
        return isinstance(value, list | tuple)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _said(kind: Any) -> str:
    names = {str: "a text", int: "a whole number", bool: "true or false", type(None): "nothing"}
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(_said(one) for one in typing.get_args(kind))
    return "a list" if typing.get_origin(kind) is Sequence else names.get(kind, str(kind))
