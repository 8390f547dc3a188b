"""What `bench recommend` shows: the recommended model in sentences, and a table of all candidates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.grouping.costs import count, duration, memory
from harness.report.board_text import score
from harness.report.model_choice import Candidate, ModelChoice
from harness.trouble import SEARCH


def advice_table(choice: ModelChoice) -> RenderableType:
    """Return the advice, and a table of all candidates as its evidence."""
    several = len(choice.tasks) > 1
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("average" if several else choice.tasks[0], "parameters", "training", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for candidate in choice.candidates:
        style = "bold green" if candidate is choice.best and choice.decided else "" if candidate.fits else "dim"
        costs = count(candidate.parameters), duration(candidate.train_seconds), memory(candidate.memory)
        remark_text = Text(remark(choice, candidate))
        table.add_row(Text(candidate.row.title), score(candidate.average), *costs, remark_text, style=style)
    notes = [f"not on every task: {', '.join(choice.missing)}"] if choice.missing else []
    if several:
        notes.append(f"training: of all {len(choice.tasks)} tasks together; --max-train-minutes is for each of them")
    return Group(*map(Text, advice(choice)), Text(), table, *(Text(note, style="dim") for note in notes))


def advice(choice: ModelChoice) -> list[str]:
    """Return the recommendation in sentences."""
    best, cheaper = choice.best, choice.cheaper
    if best.row.is_baseline:
        return _baseline_advice(choice)
    lines = [f"Fine-tune {best.row.title}: {score(best.average)} on {_tasks(choice)}, the best that fits."]
    for candidate in choice.candidates:
        if candidate.trouble and (candidate is best or (candidate.fits and candidate.failed)):
            lines.append(_trouble(choice, candidate))
    if best.below:
        baselines = [f"{task.hurdle.model} has {score(task.hurdle.mean)} on {task.title}" for task in best.below]
        lines.append(f"But a baseline is as good or better: {'; '.join(baselines)}. {_gain(best)}")
    if best.unproven:
        baselines = [f"{task.hurdle.model} on {task.title}" for task in best.unproven]
        lines.append(f"It is not told apart from a baseline: {'; '.join(baselines)} (level 0.05). More seeds may.")
    if cheaper is not None:
        lines.append(
            f"No task tells it apart from {cheaper.row.title} ({score(cheaper.average)}; level 0.05), which trains in"
            f" {duration(cheaper.train_seconds)} instead of {duration(best.train_seconds)}. More seeds may."
        )
    elif not any(candidate.tied for candidate in choice.candidates if candidate is not best):
        lines.append("Every other model that fits differs from it on a task at least (level 0.05).")
    return lines


def _tasks(choice: ModelChoice) -> str:
    return choice.tasks[0] if len(choice.tasks) == 1 else f"{len(choice.tasks)} tasks"


def _baseline_advice(choice: ModelChoice) -> list[str]:
    """Return sentences if the best row is a baseline. Models are ruled out only if all were trained well."""
    title = choice.best.row.title
    models = [candidate for candidate in choice.candidates if candidate.fits and not candidate.row.is_baseline]
    best_score = f"{score(choice.best.average)} on {_tasks(choice)}"
    if not choice.decided:
        sound = [candidate.row.title for candidate in models if not candidate.trouble]
        return [
            f"No model can be recommended yet: the baseline {title} has the highest score ({best_score}), but trainings"
            " of models failed or fell short, which says nothing about these models.",
            *(_trouble(choice, candidate) for candidate in choice.open),
            *(f"{model}: cells failed. The reasons: bench leaderboard" for model in choice.failures),
            *([f"Trained without such signs, and below the baseline: {', '.join(sound)}."] if sound else []),
        ]
    if not models:
        return [f"No fine-tuned model fits; of the baselines {title} has the most, {best_score}."]
    trainings = "Its trainings show" if len(models) == 1 else "Their trainings show"
    return [
        f"No model that was tried beats the baseline {title}: it has {best_score}.",
        f"{trainings} no sign of trouble, so the baseline may be all that you need. Other models, more data or {SEARCH} may still"
        " gain something.",
    ]


def _trouble(choice: ModelChoice, candidate: Candidate) -> str:
    """Return which trainings of a model failed or fell short, how it shows, and what to try."""
    signs = [pair for pair in candidate.trouble if pair[1].failed] or list(candidate.trouble)
    by_task: dict[str, list[str]] = {}
    for column, sign in signs:
        by_task.setdefault(column.title, []).append(sign.text)
    several = len(choice.tasks) > 1
    details = "; ".join((f"on {title}: " if several else "") + ", ".join(texts) for title, texts in by_task.items())
    cures = ", ".join(dict.fromkeys(sign.cure for _, sign in signs if sign.cure))
    fell_short = "its training may have fallen short, so it may be better than this"
    what = "its training failed" if candidate.failed else fell_short
    return f"{candidate.row.title}: {what} ({details})." + (f" Try: {cures}." if cures else "")


def _gain(best: Candidate) -> str:
    """Return what fine-tuning gains on tasks on which a baseline is no worse."""
    troubled = {column.title for column, _ in best.trouble}
    if any(column.title in troubled for column in best.below):
        return f"There its training failed or fell short, so try {SEARCH} before you decide."
    return "There, no gain of fine-tuning it was seen."


def remark(choice: ModelChoice, candidate: Candidate) -> str:
    """Return why a row is or is not recommended."""
    remarks = ["a baseline"] if candidate.row.is_baseline else []
    if candidate is choice.best:
        remarks.append("recommended" if choice.decided else "highest score")
    elif not candidate.fits:
        remarks.append("beyond the limits")
    elif not candidate.useful:
        remarks.append("not above trivial")
    else:
        remarks += ["tied with it"] if candidate.tied else []
        tasks = f" on {', '.join(column.title for column in candidate.below)}" if len(choice.tasks) > 1 else ""
        remarks += [f"not above a baseline{tasks}"] if candidate.below else []
    if candidate.trouble:
        remarks.append("training failed" if candidate.failed else "may have fallen short")
    return ", ".join(remarks)


def facts(choice: ModelChoice) -> dict[str, Any]:
    """Return the recommendation and all candidates for JSON."""
    return {
        "recommended": choice.best.row.title if choice.decided else None,
        "baseline": choice.best.row.is_baseline,
        "cheaper": choice.cheaper.row.title if choice.cheaper else None,
        "tasks": list(choice.tasks),
        "advice": advice(choice),
        "candidates": [
            {
                "model": one.row.model, "method": one.row.method, "average": one.average, "parameters": one.parameters,
                "train_seconds": one.train_seconds, "peak_memory_bytes": one.memory, "fits": one.fits,
                "useful": one.useful, "tied": one.tied, "below_baseline": [column.title for column in one.below],
                "unproven": [column.title for column in one.unproven], "failed": one.failed,
                "trouble": [{"task": column.title, **asdict(sign)} for column, sign in one.trouble],
            }
            for one in choice.candidates
        ],
    }  # fmt: skip
