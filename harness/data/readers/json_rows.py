"""Read JSON: one object per line (JSON Lines), or one list of objects."""

from __future__ import annotations

import json
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.printed import DuplicateKey, first_duplicate, unique_object
from harness.errors import BenchError
from harness.safe_text import listed, short

_DECODER = json.JSONDecoder(object_pairs_hook=unique_object)


def read_jsonl(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the object on each line (https://jsonlines.org). Blank lines are skipped and counted as `empty_rows`."""
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
    if len(rows) == 1 and _table_rows(dict(rows[0]), "data")[1]:
        raise BenchError(
            f"{rows[0].place()}: one object with all rows, as a data frame writes it; call the file .json (format: json), or "
            'write it with orient="records", lines=True'
        )
    if report is not None and empty:
        report.update(empty_rows=empty)
    return rows


def read_json(
    files: Any, *, key: str = "data", encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the objects of a list, or of a list under `key` of an object.

    Other layouts of data frames (by column, by index, or split), and the rows of the Hub's dataset viewer, are read too and
    reported as `orient`.
    """
    rows = []
    for path in as_paths(files):
        content, orient = load(path, encoding), ""
        keys = list(content) if isinstance(content, dict) else []
        if isinstance(content, dict):
            try:
                content, orient = _table_rows(content, key)
            except BenchError as error:
                raise BenchError(f"{path}: {error}") from None
        if not isinstance(content, list):
            found = f"; there is {listed(map(str, keys))}" if keys else ""
            raise BenchError(
                f'{path}: neither a list of objects nor {{"{key}": [...]}}{found}; '
                "in a task file name another `key`, or for an object a line say format: jsonl"
            )
        if report is not None and orient:
            report["orient"] = orient
        for index, row in enumerate(content):
            if not isinstance(row, dict):
                raise BenchError(
                    f"{path}: element {index} is {type(row).__name__}; every element must be an object{_row_hint(row)}"
                )
            rows.append(PlacedRow(row, path, f"element {index}"))
    return rows


def load(path: Any, encoding: str) -> Any:
    """Return the contents of a JSON file."""
    return _parse(read_text(path, encoding), path, None)


def _table_rows(content: dict[str, Any], key: str) -> tuple[Any, str]:
    """Return the rows that an object stands for, and pandas' name of that layout; (None, "") if it is no table."""
    inside, names = content.get(key), content.get("columns")
    if isinstance(inside, list) and isinstance(names, list) and all(isinstance(row, list) for row in inside):
        titles = [str(name) for name in names]
        if (duplicate := first_duplicate(titles)) is not None:
            raise BenchError(f"columns: {short(duplicate)!r} occurs twice; rename one")
        # A row of another length remains a list, which is an error later.
        return [dict(zip(titles, row, strict=True)) if len(row) == len(titles) else row for row in inside], "split"
    if key in content:
        return inside, ""
    rows = content.get("rows")
    if rows and isinstance(rows, list) and all(isinstance(row, dict) and isinstance(row.get("row"), dict) for row in rows):
        return _viewer_rows(rows, content.get("num_rows_total"))
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
        return [{name: column[index] for name, column in content.items()} for index in inner], "columns"
    return None, ""


def _viewer_rows(rows: list[dict[str, Any]], total: Any) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of the Hub's dataset viewer, and a description of how many there are."""
    truncated = next((index for index, row in enumerate(rows) if row.get("truncated_cells")), None)
    if truncated is not None:
        raise BenchError(
            f"rows[{truncated}]: a cell that the Hub's viewer has cut short; fetch the data set's files, or name it as "
            "hub: OWNER/NAME"
        )
    part = f" ({len(rows):,} of {total:,})" if isinstance(total, int) and total > len(rows) else ""
    return [row["row"] for row in rows], f"rows of the Hub's viewer{part}"


def _row_hint(row: Any) -> str:
    """Return how to write rows that are lists; empty for others."""
    if isinstance(row, list) and len(row) == 2 and isinstance(row[1], dict) and "entities" in row[1]:
        return ' (these are spaCy\'s pairs of a text and its entities; write a line {"words": [...], "tags": [...]} for each text)'
    return '; rows of values have no names: write the table with orient="records"' if isinstance(row, list) else ""


def _parse(text: str, path: Any, line: int | None) -> Any:
    try:
        return _DECODER.decode(text)
    except DuplicateKey as error:
        where = f":{line}" if line else f": {_duplicate_path(text)}".removesuffix(": ")
        raise BenchError(
            f"{path}{where}: the key {short(error.key)!r} stands twice in an object; leave one out, or rename it"
        ) from None
    except json.JSONDecodeError as error:
        raise BenchError(
            f"{path}:{line or error.lineno}: broken JSON ({error.msg}, column {error.colno}){_syntax_hint(text, error)}"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, deeply nested lists
        raise BenchError(f"{path}{f':{line}' if line else ''}: JSON that cannot be read ({error})") from None


def _syntax_hint(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :]
    if rest.startswith("\ufeff"):
        return "; a byte order mark stands here, as where files were put together: delete it"
    if error.pos >= len(text.rstrip()):
        return "; it ends too early: fetch it again"
    if error.msg == "Extra data" and rest[0] == "{":
        return "; objects after one another: write each on one line of a .jsonl file, such as with jq -c ."
    if error.msg == "Extra data" and rest.strip() == ",":
        return "; the comma behind the object is one too many: delete it, such as with sed 's/,$//'"
    if text[: error.pos].rstrip().endswith(","):
        return "; the comma before it is one too many: delete it"
    return ""


def _duplicate_path(text: str) -> str:
    """Return the path of the first object with a duplicate key, such as `data[3].paragraphs[0]`; empty for the outermost."""

    def search(value: Any, path: str) -> str | None:
        if isinstance(value, tuple):  # the (key, value) pairs of an object
            if first_duplicate(key for key, _ in value) is not None:
                return path
            inside = ((item, f"{path}.{short(name)}".lstrip(".")) for name, item in value)
        elif isinstance(value, list):
            inside = ((item, f"{path}[{index}]" if path else f"element {index}") for index, item in enumerate(value))
        else:
            return None
        return next((match for item, inner in inside if (match := search(item, inner)) is not None), None)

    return search(json.loads(text, object_pairs_hook=tuple), "") or ""
