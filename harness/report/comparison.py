"""What `bench compare` shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import board_text as text
from harness.stats.row_comparison import ALPHA, Effect, TaskComparison

EFFECTS = (
    "A beats B: the chance that a training of A scores higher than one of B, over all pairs of seeds, ties half.",
    "Odds ratio: of the rows that only one has right, how many times as many are A's.",
)
WIDE = 100  # columns of a terminal that has room for everything


def picture(ours: str, theirs: str, rows: Sequence[TaskComparison], width: int) -> RenderableType:
    """A table, a line for each task, and below it what it comes to and how it was computed.

    Args:
        ours, theirs: the two, as they were called.
        rows: of `harness.stats.row_comparison.compare`.
        width: of the terminal, in characters.
    """
    table = Table("task", box=None, header_style="bold", pad_edge=False)
    more = ("metric", "seeds") if width >= WIDE else ()
    for heading in (*more, "A", "B", "A - B", "95 % interval", "p", "better"):
        table.add_column(heading, justify="left" if heading == "metric" else "right", no_wrap=True)
    for row in rows:
        found = row.difference
        better = {1: Text("A", style="green"), -1: Text("B", style="green"), 0: Text("–", style="dim")}[row.verdict]
        table.add_row(
            Text(row.task), *((row.metric, str(found.seeds)) if more else ()), text.score(row.ours), text.score(row.theirs),
            f"{found.value:+.2f}", f"{found.low:+.2f} … {found.high:+.2f}", p_value(row.p), better,
        )  # fmt: skip
    names = Text.assemble(("A", "bold"), f"  {ours}\n", ("B", "bold"), f"  {theirs}\n")
    lines = [*summary(ours, theirs, rows), *EFFECTS[: 2 if any(row.odds_ratio for row in rows) else 1]]
    return Group(names, table, Text(), effects(rows), Text(), *(Text(line) for line in lines))


def effects(rows: Sequence[TaskComparison]) -> Table:
    """How large the differences are, on scales that tasks share."""
    table = Table("effect size", box=None, header_style="bold", pad_edge=False)
    headings = ["A beats B", "95 % interval"]
    headings += ["odds ratio", "95 % interval"] if any(row.odds_ratio for row in rows) else []
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        odds = _effect(row.odds_ratio) if len(headings) > 2 else ()
        table.add_row(Text(row.task), *_effect(row.superiority), *odds)
    return table


def _effect(effect: Effect | None) -> tuple[str, str]:
    if effect is None:
        return text.NONE, text.NONE
    value, low, high = (
        "∞" if number is None else f"{number:.2f}" for number in (effect.value, effect.low, effect.high)
    )
    return value, f"{low} … {high}"


def summary(ours: str, theirs: str, rows: Sequence[TaskComparison]) -> list[str]:
    """Sentences."""
    counts = {kind: sum(row.verdict == kind for row in rows) for kind in (1, -1, 0)}
    parts = [f"{ours} is better on {_tasks(counts[1])}", f"{theirs} on {_tasks(counts[-1])}"]
    lines = [f"{', '.join(parts)}; on {_tasks(counts[0])} the two cannot be told apart (level {ALPHA:g})."]
    seeds = sorted({row.difference.seeds for row in rows})
    several = " seeds" if seeds != [1] else " seed"
    many = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    adjusted = f"; p adjusted for {len(rows)} tasks (Holm)" if len(rows) > 1 else ""
    times = " or ".join(f"{count:,}" for count in sorted({row.difference.resamples for row in rows}, reverse=True))
    lines.append(
        f"Paired on the same test rows, {many}{several}: bootstrap of {times} resamples"
        f"{' and the spread of the seeds, moderated by that of the other rows' if seeds != [1] else ''}{adjusted}."
    )
    if any(row.difference.seed_error is None for row in rows):
        lines.append("With one seed, intervals and p tell of the test rows alone: another seed may say something else.")
    return lines


def p_value(p: float) -> str:
    """Three digits, as far as they mean something."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _tasks(count: int) -> str:
    return f"{count} task" if count == 1 else f"{count} tasks"
