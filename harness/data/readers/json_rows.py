"""JSON: one object a line (JSON Lines), or one list of objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.errors import BenchError
from harness.safe_text import listed, short

Pairs = list[tuple[str, Any]]


class _RepeatedKey(Exception):
    """A key stands twice in an object; its argument."""


def _object(pairs: Pairs) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _RepeatedKey(once(name for name, _ in pairs))
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def once(names: Iterable[str]) -> str | None:
    """The first name that stands there twice; None where each stands once."""
    return next((name for name, number in Counter(names).items() if number > 1), None)


def read_jsonl(
    files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """One object on each line, as https://jsonlines.org has it; blank lines are skipped, and counted as `empty_rows`."""
    rows, empty = [], 0
    for path in as_paths(files):
        for number, line in enumerate(split_lines(read_text(path, encoding)), start=1):
            if not line.strip():
                empty += 1
                continue
            if not rows and line.strip() == "[":
                raise BenchError(
                    f"{path}:{number}: begins a list of objects, which is JSON; call the file .json (format: json)"
                )
            row = _parse(line, path, number)
            if not isinstance(row, dict):
                raise BenchError(f"{path}:{number}: {type(row).__name__} instead of an object; one JSON object a line")
            rows.append(PlacedRow(row, path, number))
    if len(rows) == 1 and _of_frame(dict(rows[0]), "data")[1]:
        raise BenchError(
            f"{rows[0].place()}: one object with all rows, as a data frame writes it; call the file .json (format: json), or write it with "
            'orient="records", lines=True'
        )
    if report is not None and empty:
        report.update(empty_rows=empty)
    return rows


def read_json(
    files: Any, *, key: str = "data", encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """A list of objects, or an object with such a list under `key`.

    What a data frame writes in another way is read too: its columns, its index, or both apart, and the rows of the Hub's viewer. The
    report then has it as `orient`.
    """
    rows = []
    for path in as_paths(files):
        content, orient = load(path, encoding), ""
        keys = list(content) if isinstance(content, dict) else []
        if isinstance(content, dict):
            try:
                content, orient = _of_frame(content, key)
            except BenchError as error:
                raise BenchError(f"{path}: {error}") from None
        if not isinstance(content, list):
            there = f"; there is {listed(map(str, keys))}" if keys else ""
            raise BenchError(
                f'{path}: neither a list of objects nor {{"{key}": [...]}}{there}; '
                "in a task file name another `key`, or for an object a line say format: jsonl"
            )
        if report is not None and orient:
            report["orient"] = orient
        for index, row in enumerate(content):
            if not isinstance(row, dict):
                raise BenchError(
                    f"{path}: element {index} is {type(row).__name__}; every element must be an object{_cure(row)}"
                )
            rows.append(PlacedRow(row, path, f"element {index}"))
    return rows


def _of_frame(content: dict[str, Any], key: str) -> tuple[Any, str]:
    """The list of objects that an object stands for, and how a data frame calls that way of writing; None where it is none."""
    inside, names = content.get(key), content.get("columns")
    if isinstance(inside, list) and isinstance(names, list) and all(isinstance(row, list) for row in inside):
        titles = [str(name) for name in names]
        if (twice := once(titles)) is not None:
            raise BenchError(f"columns: {short(twice)!r} occurs twice; rename one")
        # A row of another length stays a list, which is an error.
        return [dict(zip(titles, row, strict=True)) if len(row) == len(titles) else row for row in inside], "split"
    if key in content:
        return inside, ""
    rows = content.get("rows")
    if (
        isinstance(rows, list)
        and rows
        and all(isinstance(row, dict) and isinstance(row.get("row"), dict) for row in rows)
    ):
        cut = next((index for index, row in enumerate(rows) if row.get("truncated_cells")), None)
        if cut is not None:
            raise BenchError(
                f"rows[{cut}]: a cell that the Hub's viewer has cut short; fetch the data set's files, or name it as hub: OWNER/NAME"
            )
        total = content.get("num_rows_total")
        part = f" ({len(rows):,} of {total:,})" if isinstance(total, int) and total > len(rows) else ""
        return [row["row"] for row in rows], f"rows of the Hub's viewer{part}"
    columns = list(content.values())
    if len(columns) < 2 or not all(columns):  # one list under another key, or nothing
        return None, ""
    if all(isinstance(column, list) and not isinstance(column[0], dict) for column in columns):
        if len({len(column) for column in columns}) == 1:
            return [dict(zip(content, row, strict=True)) for row in zip(*columns, strict=True)], "list"
    elif all(isinstance(column, dict) for column in columns) and len({tuple(column) for column in columns}) == 1:
        inner = list(columns[0])
        if all(map(str.isdecimal, content)) or (len(content) > len(inner) and not all(map(str.isdecimal, inner))):
            return columns, "index"
        return [{name: column[one] for name, column in content.items()} for one in inner], "columns"
    return None, ""


def _cure(row: Any) -> str:
    """How to write rows that are lists."""
    if isinstance(row, list) and len(row) == 2 and isinstance(row[1], dict) and "entities" in row[1]:
        return ' (these are spaCy\'s pairs of a text and its entities; write a line {"words": [...], "tags": [...]} for each text)'
    return '; rows of values have no names: write the table with orient="records"' if isinstance(row, list) else ""


def load(path: Any, encoding: str) -> Any:
    """A whole JSON file."""
    return _parse(read_text(path, encoding), path, None)


def _parse(text: str, path: Any, line: int | None) -> Any:
    try:
        return _DECODER.decode(text)
    except _RepeatedKey as error:
        where = f":{line}" if line else f": {_place_of_twice(text)}".removesuffix(": ")
        raise BenchError(
            f"{path}{where}: the key {short(error.args[0])!r} stands twice in an object; leave one out, or rename it"
        ) from None
    except json.JSONDecodeError as error:
        hint = ""
        if text[error.pos :].startswith("\ufeff"):
            hint = "; a byte order mark stands here, as where files were put together: delete it"
        elif error.pos >= len(text.rstrip()):
            hint = "; it ends too early: fetch it again"
        elif error.msg == "Extra data" and text[error.pos] == "{":
            hint = "; objects after one another: write each on one line of a .jsonl file, such as with jq -c ."
        elif error.msg == "Extra data" and text[error.pos :].strip() == ",":
            hint = "; the comma behind the object is one too many: delete it, such as with sed 's/,$//'"
        elif text[: error.pos].rstrip().endswith(","):
            hint = "; the comma before it is one too many: delete it"
        raise BenchError(
            f"{path}:{line or error.lineno}: broken JSON ({error.msg}, column {error.colno}){hint}"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise BenchError(f"{path}{f':{line}' if line else ''}: JSON that cannot be read ({error})") from None


def _place_of_twice(text: str) -> str:
    """The path of the first object in which a key stands twice, such as `data[3].paragraphs[0]`; empty for the outermost."""

    def search(value: Any, path: str) -> str | None:
        if isinstance(value, tuple):  # an object, as its pairs
            if once(name for name, _ in value) is not None:
                return path
            inside = ((item, f"{path}.{short(name)}".lstrip(".")) for name, item in value)
        elif isinstance(value, list):
            inside = ((item, f"{path}[{index}]" if path else f"element {index}") for index, item in enumerate(value))
        else:
            return None
        return next((found for item, here in inside if (found := search(item, here)) is not None), None)

    return search(json.loads(text, object_pairs_hook=tuple), "") or ""
