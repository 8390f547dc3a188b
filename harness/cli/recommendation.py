"""What `bench recommend` shows."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import text
from harness.report.recommend import Candidate, Recommendation


def picture(found: Recommendation) -> RenderableType:
    """The advice, and a table of all models as its evidence."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("average" if len(found.tasks) > 1 else found.tasks[0], "parameters", "training", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for one in found.candidates:
        style = "bold green" if one is found.best else "" if one.fits else "dim"
        table.add_row(
            Text(one.row.title), text.score(one.average), text.count(one.parameters), text.duration(one.train_seconds),
            text.memory(one.memory), Text(remark(found, one)), style=style,
        )  # fmt: skip
    lines = [Text(line) for line in advice(found)]
    return Group(
        *lines,
        Text(),
        table,
        *([Text(f"not on every task: {', '.join(found.missing)}", style="dim")] if found.missing else []),
    )


def advice(found: Recommendation) -> list[str]:
    """Sentences."""
    best, cheaper = found.best, found.cheaper
    on = found.tasks[0] if len(found.tasks) == 1 else f"{len(found.tasks)} tasks"
    lines = [f"Fine-tune {best.row.title}: {text.score(best.average)} on {on}, the best that fits."]
    if cheaper is not None:
        lines.append(
            f"No task tells it apart from {cheaper.row.title} ({text.score(cheaper.average)}; level 0.05), which trains in"
            f" {text.duration(cheaper.train_seconds)} instead of {text.duration(best.train_seconds)}. More seeds may."
        )
    elif not any(one.tied for one in found.candidates if one is not best):
        lines.append("Every other model that fits differs from it on a task at least (level 0.05).")
    return lines


def remark(found: Recommendation, one: Candidate) -> str:
    """Why a row is, or is not, what is recommended."""
    if one is found.best:
        return "recommended"
    if not one.fits:
        return "beyond the limits"
    if not one.useful:
        return "not above trivial"
    return "tied with it" if one.tied else ""


def facts(found: Recommendation) -> dict[str, Any]:
    """The same for programs."""
    return {
        "recommended": found.best.row.title,
        "cheaper": found.cheaper.row.title if found.cheaper else None,
        "tasks": list(found.tasks),
        "candidates": [
            {
                "model": one.row.model, "method": one.row.method, "average": one.average, "parameters": one.parameters,
                "train_seconds": one.train_seconds, "peak_memory_bytes": one.memory, "fits": one.fits,
                "useful": one.useful, "tied": one.tied,
            }
            for one in found.candidates
        ],
    }  # fmt: skip
