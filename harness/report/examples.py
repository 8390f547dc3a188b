"""A handful of a cell's predictions, right and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.report.predicted import right

EXAMPLES = 3  # right and wrong ones each
LONGEST = 160  # characters shown of a prediction or reference


def examples(predictions: Sequence[Mapping[str, Any]], texts: Mapping[str, str] | None = None, why: str = "") -> Group:
    """The first few whose prediction equals the reference, and the first few where it does not.

    Args:
        texts: row id → what the model read.
        why: there are no texts, in words.
    """
    verdicts = [(line, right(line["prediction"], line["reference"])) for line in predictions]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "id", *(("text",) if texts else ()), "prediction", "reference"):
        table.add_column(heading, overflow="fold")
    for wanted, mark, style in ((True, "=", "green"), (False, "≠", "red")):
        for line in [line for line, equal in verdicts if equal == wanted][:EXAMPLES]:
            read = [texts.get(line["id"], "")] if texts else []
            cells = [line["id"], *read, line["prediction"], line["reference"]]
            table.add_row(Text(mark, style=style), *(Text(_short(cell)) for cell in cells))
    equal = sum(equal for _, equal in verdicts)
    notes = [f"{equal} of {len(verdicts)} predictions equal a reference letter for letter"]
    notes += [f"no texts: {why}"] if why else []
    return Group(table, *(Text(note, style="dim") for note in notes))


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = value["answers"].get("text")
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"
