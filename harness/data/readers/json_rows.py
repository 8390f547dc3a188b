"""JSON: one object a line (JSON Lines), or one list of objects."""

from __future__ import annotations

import json
from typing import Any

from harness.data.files import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.errors import BenchError


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
            row = _parse(line, path, number)
            if not isinstance(row, dict):
                raise BenchError(f"{path}:{number}: {type(row).__name__} instead of an object; one JSON object a line")
            rows.append(PlacedRow(row, path, number))
    if report is not None and empty:
        report.update(empty_rows=empty)
    return rows


def read_json(
    files: Any, *, key: str = "data", encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """A list of objects, or an object with such a list under `key`."""
    rows = []
    for path in as_paths(files):
        content = load(path, encoding)
        if isinstance(content, dict):
            content = content.get(key)
        if not isinstance(content, list):
            raise BenchError(
                f'{path}: neither a list of objects nor {{"{key}": [...]}}; '
                "name another `key`, or for an object a line say format: jsonl"
            )
        for index, row in enumerate(content):
            if not isinstance(row, dict):
                raise BenchError(f"{path}: element {index} is {type(row).__name__}; every element must be an object")
            rows.append(PlacedRow(row, path, f"element {index}"))
    return rows


def load(path: Any, encoding: str) -> Any:
    """A whole JSON file."""
    return _parse(read_text(path, encoding), path, None)


def _parse(text: str, path: Any, line: int | None) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; it ends too early: fetch it again" if error.pos >= len(text.rstrip()) else ""
        raise BenchError(
            f"{path}:{line or error.lineno}: broken JSON ({error.msg}, column {error.colno}){hint}"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise BenchError(f"{path}{f':{line}' if line else ''}: JSON that cannot be read ({error})") from None
