"""What `bench recommend` shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import board_text as text
from harness.report.model_choice import Candidate, ModelChoice
from harness.trouble import SEARCH


def picture(found: ModelChoice) -> RenderableType:
    """The advice, and a table of all models as its evidence."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("average" if len(found.tasks) > 1 else found.tasks[0], "parameters", "training", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for one in found.candidates:
        style = "bold green" if one is found.best and found.decided else "" if one.fits else "dim"
        table.add_row(
            Text(one.row.title), text.score(one.average), text.count(one.parameters), text.duration(one.train_seconds),
            text.memory(one.memory), Text(remark(found, one)), style=style,
        )  # fmt: skip
    lines = [Text(line) for line in advice(found)]
    below = [f"not on every task: {', '.join(found.missing)}"] if found.missing else []
    if len(found.tasks) > 1:
        below.append(f"training: of all {len(found.tasks)} tasks together; --max-train-minutes is for each of them")
    return Group(*lines, Text(), table, *(Text(line, style="dim") for line in below))


def advice(found: ModelChoice) -> list[str]:
    """Sentences."""
    best, cheaper = found.best, found.cheaper
    if best.row.is_baseline:
        return _without_a_model(found)
    lines = [f"Fine-tune {best.row.title}: {text.score(best.average)} on {_where(found)}, the best that fits."]
    for one in found.candidates:
        if one.trouble and (one is best or (one.fits and one.failed)):
            lines.append(_trouble(found, one))
    if best.below:
        told = (f"{one.hurdle.model} has {text.score(one.hurdle.mean)} on {one.title}" for one in best.below)
        lines.append(f"But a baseline is as good or better: {'; '.join(told)}. {_gain(best)}")
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


def _where(found: ModelChoice) -> str:
    return found.tasks[0] if len(found.tasks) == 1 else f"{len(found.tasks)} tasks"


def _without_a_model(found: ModelChoice) -> list[str]:
    """Sentences, where a baseline has the highest score. That is a verdict on the models only if all of them were trained well."""
    best = found.best
    score = f"{text.score(best.average)} on {_where(found)}"
    models = [one for one in found.candidates if one.fits and not one.row.is_baseline]
    if not found.decided:
        lines = [
            f"No model can be recommended yet: the baseline {best.row.title} has the highest score ({score}), but trainings"
            " of models failed or fell short, which says nothing about these models."
        ]
        lines += [_trouble(found, one) for one in found.open]
        lines += [f"{title}: cells failed. The reasons: bench leaderboard" for title in found.failures]
        fine = [one.row.title for one in models if not one.trouble]
        return lines + ([f"Trained without such signs, and below the baseline: {', '.join(fine)}."] if fine else [])
    if not models:
        return [f"No fine-tuned model fits; of the baselines {best.row.title} has the most, {score}."]
    lines = [f"No model that was tried beats the baseline {best.row.title}: it has {score}."]
    one = len(models) == 1
    lines.append(
        f"{'Its trainings show' if one else 'Their trainings show'} no sign of trouble, so the baseline may be all that you"
        f" need. Other models, more data or {SEARCH} may still gain something."
    )
    return lines


def _trouble(found: ModelChoice, one: Candidate) -> str:
    """Which trainings of a model failed or fell short, how it shows, and what to try."""
    signs = [pair for pair in one.trouble if pair[1].failed] or list(one.trouble)
    by_task: dict[str, list[str]] = {}
    for column, sign in signs:
        by_task.setdefault(column.title, []).append(sign.text)
    several = len(found.tasks) > 1
    told = "; ".join((f"on {title}: " if several else "") + ", ".join(what) for title, what in by_task.items())
    cures = ", ".join(dict.fromkeys(sign.cure for _, sign in signs if sign.cure))
    what = "its training failed" if one.failed else "its training may have fallen short, so it may be better than this"
    return f"{one.row.title}: {what} ({told})." + (f" Try: {cures}." if cures else "")


def _gain(best: Candidate) -> str:
    """What is to be thought of fine-tuning where a baseline is no worse."""
    troubled = {column.title for column, _ in best.trouble}
    if any(column.title in troubled for column in best.below):
        return f"There its training failed or fell short, so try {SEARCH} before you decide."
    return "There, no gain of fine-tuning it was seen."


def remark(found: ModelChoice, one: Candidate) -> str:
    """Why a row is, or is not, what is recommended."""
    said = ["a baseline"] if one.row.is_baseline else []
    if one is found.best:
        said.append("recommended" if found.decided else "highest score")
    elif not one.fits:
        said.append("beyond the limits")
    elif not one.useful:
        said.append("not above trivial")
    else:
        said += ["tied with it"] if one.tied else []
        where = f" on {', '.join(column.title for column in one.below)}" if len(found.tasks) > 1 else ""
        said += [f"not above a baseline{where}"] if one.below else []
    if one.trouble:
        said.append("training failed" if one.failed else "may have fallen short")
    return ", ".join(said)


def facts(found: ModelChoice) -> dict[str, Any]:
    """The same for programs."""
    return {
        "recommended": found.best.row.title if found.decided else None,
        "baseline": found.best.row.is_baseline,
        "cheaper": found.cheaper.row.title if found.cheaper else None,
        "tasks": list(found.tasks),
        "advice": advice(found),
        "candidates": [
            {
                "model": one.row.model, "method": one.row.method, "average": one.average, "parameters": one.parameters,
                "train_seconds": one.train_seconds, "peak_memory_bytes": one.memory, "fits": one.fits,
                "useful": one.useful, "tied": one.tied, "below_baseline": [column.title for column in one.below],
                "unproven": [column.title for column in one.unproven], "failed": one.failed,
                "trouble": [{"task": column.title, **asdict(sign)} for column, sign in one.trouble],
            }
            for one in found.candidates
        ],
    }  # fmt: skip
