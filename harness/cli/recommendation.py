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
    below = [f"not on every task: {', '.join(found.missing)}"] if found.missing else []
    if len(found.tasks) > 1:
        below.append(f"training: of all {len(found.tasks)} tasks together; --max-train-minutes is for each of them")
    return Group(*lines, Text(), table, *(Text(line, style="dim") for line in below))


def advice(found: Recommendation) -> list[str]:
    """Sentences."""
    best, cheaper = found.best, found.cheaper
    on = found.tasks[0] if len(found.tasks) == 1 else f"{len(found.tasks)} tasks"
    lines = [f"Fine-tune {best.row.title}: {text.score(best.average)} on {on}, the best that fits."]
    if best.row.is_baseline:
        lines = [
            f"Fine-tune nothing: the baseline {best.row.title} has {text.score(best.average)} on {on}, and no model that"
            " fits has more."
        ]
    if best.below:
        told = (f"{one.hurdle.model} has {text.score(one.hurdle.mean)} on {one.title}" for one in best.below)
        lines.append(f"But a baseline is as good or better: {'; '.join(told)}. There, fine-tuning gains nothing.")
    if best.unproven:
        told = (f"{one.hurdle.model} on {one.title}" for one in best.unproven)
        lines.append(f"It is not told apart from a baseline: {'; '.join(told)} (level 0.05). More seeds may.")
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
    said = ["a baseline"] if one.row.is_baseline else []
    if one is found.best:
        said.append("recommended")
    elif not one.fits:
        said.append("beyond the limits")
    elif not one.useful:
        said.append("not above trivial")
    else:
        said += ["tied with it"] if one.tied else []
        where = f" on {', '.join(column.title for column in one.below)}" if len(found.tasks) > 1 else ""
        said += [f"not above a baseline{where}"] if one.below else []
    return ", ".join(said)


def facts(found: Recommendation) -> dict[str, Any]:
    """The same for programs."""
    return {
        "recommended": found.best.row.title,
        "baseline": found.best.row.is_baseline,
        "cheaper": found.cheaper.row.title if found.cheaper else None,
        "tasks": list(found.tasks),
        "candidates": [
            {
                "model": one.row.model, "method": one.row.method, "average": one.average, "parameters": one.parameters,
                "train_seconds": one.train_seconds, "peak_memory_bytes": one.memory, "fits": one.fits,
                "useful": one.useful, "tied": one.tied, "below_baseline": [column.title for column in one.below],
                "unproven": [column.title for column in one.unproven],
            }
            for one in found.candidates
        ],
    }  # fmt: skip
