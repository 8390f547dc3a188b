"""The trials of a search, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import text
from harness.report.searched import summary


def search(found: Mapping[str, Any]) -> RenderableType:
    """A record's `search`: every trial with what it changed, its best validation and its time, the winner marked."""
    told = summary(found)
    fields = list(found["specification"]["fields"])
    table = Table(box=None, header_style="bold", pad_edge=False)
    shares = any(trial.get("budget", 1) < 1 for trial in found.get("trials") or ())
    fields += ["steps"] if shares else []
    for number, heading in enumerate((*fields, "validation", "seconds", "", "trial")):
        table.add_column(heading, justify="left" if number > len(fields) + 1 else "right", overflow="fold")
    for number, trial in enumerate(found.get("trials") or ()):
        seconds, values = trial.get("seconds"), {**trial["recipe"], "steps": f"{trial.get('budget', 1):.0%}"}
        how = "chosen" if number == found.get("winner") else "" if trial["status"] == "ok" else trial["status"]
        table.add_row(
            *(str(values.get(field, text.NONE)) for field in fields),
            text.score(trial["validation"]),
            text.NONE if seconds is None else f"{seconds:.1f}",
            Text(how, style="green" if how == "chosen" else "dim"),
            Text(trial["id"].rpartition("--")[2], style="dim"),
        )
    counts = f"{told['trials']} trials on seed {found.get('seed', '?')}, {text.duration(told['seconds'])} in all"
    return Group(Text(f"{' '.join(told['arguments'])}: {counts}"), table)
