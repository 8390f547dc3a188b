"""JSON: one object a line (JSON Lines), or one list of objects."""

from __future__ import annotations

import json
from typing import Any

from harness.data.files import as_paths, read_text, split_lines
from harness.errors import BenchError


def read_jsonl(
    files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """One object on each line, as https://jsonlines.org has it; blank lines are skipped."""
    rows = []
    for path in as_paths(files):
        for number, line in enumerate(split_lines(read_text(path, encoding)), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise BenchError(f"{path}:{number}: broken JSON ({error.msg}, column {error.colno})") from None
            if not isinstance(row, dict):
                raise BenchError(f"{path}:{number}: {type(row).__name__} instead of an object; one JSON object a line")
            rows.append(row)
    return rows


def read_json(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """A list of objects, or an object with such a list under `data`."""
    rows = []
    for path in as_paths(files):
        content = load(path, encoding)
        if isinstance(content, dict):
            content = content.get("data")
        if not isinstance(content, list):
            raise BenchError(
                f'{path}: neither a list of objects nor {{"data": [...]}}; for an object a line say format: jsonl'
            )
        for index, row in enumerate(content):
            if not isinstance(row, dict):
                raise BenchError(f"{path}: element {index} is {type(row).__name__}; every element must be an object")
        rows += content
    return rows


def load(path: Any, encoding: str) -> Any:
    """A whole JSON file."""
    try:
        return json.loads(read_text(path, encoding))
    except json.JSONDecodeError as error:
        raise BenchError(f"{path}:{error.lineno}: broken JSON ({error.msg}, column {error.colno})") from None
