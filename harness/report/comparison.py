"""What `bench compare` shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.grouping.costs import NONE
from harness.report.board_text import score
from harness.stats.row_comparison import ALPHA, Effect, TaskComparison

EFFECTS = (
    "A beats B: the chance that a training of A scores higher than one of B, over all pairs of seeds, ties half.",
    "Odds ratio: of the rows that only one has right, how many times as many are A's.",
)
WIDE = 100  # characters of a terminal with room for all columns


def comparison_table(a: str, b: str, rows: Sequence[TaskComparison], width: int) -> RenderableType:
    """Return a table with a line for each task, the effect sizes, and a summary.

    Args:
        a, b: names of the two compared rows.
        rows: the results of `harness.stats.row_comparison.compare`.
        width: width of the terminal, in characters.
    """
    table = Table("task", box=None, header_style="bold", pad_edge=False)
    optional = ("metric", "seeds") if width >= WIDE else ()
    for heading in (*optional, "A", "B", "A - B", "95 % interval", "p", "better"):
        table.add_column(heading, justify="left" if heading == "metric" else "right", no_wrap=True)
    for row in rows:
        difference = row.difference
        better = {1: Text("A", style="green"), -1: Text("B", style="green"), 0: Text("–", style="dim")}[row.verdict]
        table.add_row(
            Text(row.task), *((row.metric, str(difference.seeds)) if optional else ()), score(row.ours), score(row.theirs),
            f"{difference.value:+.2f}", f"{difference.low:+.2f} … {difference.high:+.2f}", p_value(row.p), better,
        )  # fmt: skip
    names = Text.assemble(("A", "bold"), f"  {a}\n", ("B", "bold"), f"  {b}\n")
    lines = [*summary(a, b, rows), *EFFECTS[: 2 if any(row.odds_ratio for row in rows) else 1]]
    return Group(names, table, Text(), effects(rows), Text(), *(Text(line) for line in lines))


def effects(rows: Sequence[TaskComparison]) -> Table:
    """Return a table of effect sizes, on scales that all tasks share."""
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
        return NONE, NONE
    value, low, high = (
        "∞" if number is None else f"{number:.2f}" for number in (effect.value, effect.low, effect.high)
    )
    return value, f"{low} … {high}"


def summary(a: str, b: str, rows: Sequence[TaskComparison]) -> list[str]:
    """Return sentences on who is better, and how that was computed."""
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in (1, -1, 0)}
    parts = [f"{a} is better on {_tasks(counts[1])}", f"{b} on {_tasks(counts[-1])}"]
    lines = [f"{', '.join(parts)}; on {_tasks(counts[0])} the two cannot be told apart (level {ALPHA:g})."]
    seeds = sorted({row.difference.seeds for row in rows})
    number = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    adjusted = f"; p adjusted for {len(rows)} tasks (Holm)" if len(rows) > 1 else ""
    resamples = " or ".join(f"{count:,}" for count in sorted({row.difference.resamples for row in rows}, reverse=True))
    lines.append(
        f"Paired on the same test rows, {number} seed{'' if seeds == [1] else 's'}: bootstrap of {resamples} resamples"
        f"{' and the spread of the seeds, moderated by that of the other rows' if seeds != [1] else ''}{adjusted}."
    )
    if any(row.difference.seed_error is None for row in rows):
        lines.append("With one seed, intervals and p tell of the test rows alone: another seed may say something else.")
    return lines


def p_value(p: float) -> str:
    """Format p with three digits, or `<0.001`."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _tasks(count: int) -> str:
    return f"{count} task" if count == 1 else f"{count} tasks"
