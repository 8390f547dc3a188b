"""The table over all tasks in LaTeX."""

from __future__ import annotations

from harness.report.board import Board
from harness.report.latex_table import MARKS, NONE, escape, group, table
from harness.report.over_tasks import title
from harness.report.overall import Figure
from harness.report.ranks import briefly, groups


def over_tasks(board: Board) -> str:
    """Ranks, normalised scores and wins, of a board that has them."""
    found = board.overall
    lettered = any(row.letters for row in found.rows)
    rows = [
        [
            escape(title(row)) + (rf"\textsuperscript{{{group(own)}}}" if own else ""),
            *map(_figure, (row.rank, row.score, row.wins)),
        ]
        for row, own in zip(found.rows, groups(found), strict=True)
    ]
    notes = [
        "Rank: mean of the ranks by mean score, 1 is best. Normalised: 0 is the trivial answer's score, 1 the best row's. Wins: the "
        r"chance that a training beats one of another row. In brackets 95\,\% intervals over tasks, seeds and test rows."
    ]
    if briefly(found):
        notes.append(
            r"\textsuperscript{1--9}: the rank by normalised score is one of these (95\,\% sure for all together, Holm)."
        )
    elif lettered:
        notes.append(
            r"\textsuperscript{a, b, \dots}: rows that share a letter cannot be told apart (level 0.05, Holm)."
        )
    if any(row.few_seeds for row in found.rows):
        notes.append(rf"${MARKS['few-seeds']}$: fewer seeds than others on some task.")
    if found.friedman:
        test = found.friedman
        p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
        notes.append(
            rf"Friedman: $\chi^2_{{{test.degrees}}} = {test.statistic:.2f}$, ${p}$; "
            f"Nemenyi's critical difference {test.critical_difference:.2f}."
        )
    return table(f"Over {len(found.tasks)} tasks", [["model", "rank", "normalised", "wins"]], rows, [], notes)


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return NONE
    sure = "" if figure.low is None else f" ({_number(figure.low)}--{_number(figure.high)})"
    return _number(figure.value) + sure


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "$-$")
