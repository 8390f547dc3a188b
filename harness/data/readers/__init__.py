"""Readers: file format -> rows. Each is a plain function `read(files, *, report=None, **options) -> list[dict]`.

`files` is a path or a list of paths (for `lines` a mapping of column -> path or paths); files that end in gzip are
decompressed. `report` is a dict that the reader fills with what it found (scheme, repaired answers, ...), for
people who check a data set. Options are plain values, as a YAML file has them. A reader raises `BenchError` with file
and line for anything that it cannot read; it never guesses and never drops a row.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from harness.data.readers import conll, delimited, json_rows, parallel, squad
from harness.errors import unknown

READERS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "csv": delimited.read_csv,
    "tsv": delimited.read_tsv,
    "jsonl": json_rows.read_jsonl,
    "json": json_rows.read_json,
    "conll": conll.read,
    "squad": squad.read,
    "lines": parallel.read,
}


def reader(format: str, options: Mapping[str, Any]) -> Callable[..., list[dict[str, Any]]]:
    """The reader of a format, once it is sure that it exists and takes these options."""
    if format not in READERS:
        raise unknown("file format", format, READERS)
    parameters = inspect.signature(READERS[format]).parameters.values()
    valid = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.name != "report"]
    for option in options:
        if option not in valid:
            raise unknown(f"option of format {format}:", option, valid)
    return READERS[format]
