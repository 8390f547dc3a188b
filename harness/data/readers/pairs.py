"""Sentence pairs on lines, as Tatoeba and ManyThings publish them: `text<TAB>translation[<TAB>attribution]`, no header."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.readers.delimited import unquoted
from harness.errors import BenchError


def read(
    files: Any,
    *,
    source: int = 0,
    target: int = 1,
    separator: str = "\t",
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Rows `{"source", "target", "group"}`; blank lines are skipped, other fields are not read, so lines may differ in their number.

    Rows have their source as their `group`, so that the translations of one sentence stay in one split. The report gets
    `repeated`, the number of rows whose source has occurred before, `empty`, that of rows with a side without text, and `unread`, that of
    lines with a text in other fields. Quotes are text, unless a program has written them around the fields (see `harness.data.readers.delimited`); these are
    left out and counted as `quoted`.

    Args:
        source, target: the field of each, counted from 0; `source: 1, target: 0` turns the direction round.
    """
    rows: list[dict[str, str]] = []
    unread, counts = 0, Counter()
    for path in as_paths(files):
        lines = [(number, line.split(separator) if line.strip() else []) for number, line in enumerate(split_lines(read_text(path, encoding)), start=1)]
        for number, fields in unquoted(lines, '"', counts):
            if not fields:
                continue
            try:
                row = {"source": fields[source].strip(), "target": fields[target].strip()}
            except IndexError:
                raise BenchError(
                    f"{path}:{number}: {len(fields)} field(s), so none with index {max(source, target)}; "
                    "check the separator (a tab by default), source and target"
                ) from None
            used = {source % len(fields), target % len(fields)}
            unread += any(field.strip() for number, field in enumerate(fields) if number not in used)
            rows.append(PlacedRow(row | {"group": row["source"]}, path, number))
    if report is not None:
        repeated = len(rows) - len({row["source"] for row in rows})
        report.update(repeated=repeated, empty=sum(not (row["source"] and row["target"]) for row in rows))
        report.update({"unread": unread} if unread else {})
        report.update(counts)
    return rows
