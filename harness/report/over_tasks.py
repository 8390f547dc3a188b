"""The section "Over all tasks" of leaderboard.md."""

from __future__ import annotations

from harness.report.board import Board
from harness.report.overall import Figure, Friedman, Overall, Ranked
from harness.report.ranks import briefly, groups
from harness.report.tables import escape, table
from harness.report.text import FLAGS, NONE

WIDTH = 31  # characters of the drawn scale of ranks


def over_tasks(board: Board) -> list[str]:
    """Average ranks with their intervals drawn, normalised scores, win rates and groups; none for a single task."""
    found = board.overall
    if found is None:
        return []
    parts = ["## Over all tasks"]
    if found.rows:
        parts += [introduction(found), _table(found)]
        parts += [friedman_sentence(found.friedman, found)] if found.friedman else []
    lines = [f"- {escape(note)}" for note in found.notes]
    lines += [
        f"- {escape(one.title)} is left out: no score on {escape(', '.join(one.missing))}." for one in found.left_out
    ]
    return [*parts, "\n".join(lines)] if lines else parts


def introduction(found: Overall) -> str:
    """What the figures are."""
    sure = any(row.rank.low is not None for row in found.rows)
    text = (
        f"The {len(found.rows)} rows with a score on all {len(found.tasks)} tasks. Rank: the mean over tasks of the rank by mean "
        "score, 1 is best. Normalised: the mean over tasks of the score where 0 is the trivial answer's and 1 the best row's. Wins: "
        "the chance that a training of this row beats one of another row on the same task."
    )
    if sure:
        text += " In brackets 95 % intervals: what more tasks of this kind, other seeds and other test rows would give."
    if briefly(found):
        text += (
            " Group: between which ranks by normalised score a row lies (95 % sure for all together); two without a rank in common "
            "cannot be equal."
        )
    elif any(row.letters for row in found.rows):
        text += " Rows that share a letter cannot be told apart over the tasks (level 0.05 over all pairs)."
    return text


def friedman_sentence(test: Friedman, found: Overall) -> str:
    """The test and the critical difference, in words."""
    p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
    doubt = "" if len(found.tasks) >= 10 else f", of which {len(found.tasks)} tasks allow no more than a rough idea"
    return (
        f"Friedman's test that all rows are equal: χ² = {test.statistic:.2f}, {test.degrees} degrees of freedom, {p}{doubt}. "
        f"Critical difference of two average ranks (Nemenyi, level 0.05): {test.critical_difference:.2f}."
    )


def ranked_text(figure: Figure | None, digits: int = 2) -> str:
    """`1.20 (1.00 … 2.41)`."""
    if figure is None:
        return NONE
    beside = "" if figure.low is None else f" ({figure.low:.{digits}f} … {figure.high:.{digits}f})"
    return f"{figure.value:.{digits}f}{beside}"


def title(row: Ranked) -> str:
    """With the mark of fewer seeds."""
    return row.title + (FLAGS["few-seeds"][0] if row.few_seeds else "")


def _table(found: Overall) -> str:
    headers = ["model", "rank", "normalised", "wins"]
    columns = [
        [escape(title(row)) for row in found.rows],
        *([ranked_text(figure) for figure in figures] for figures in zip(*map(_figures, found.rows), strict=True)),
    ]
    if any(row.letters for row in found.rows):
        headers.append("group")
        columns.append(groups(found) if briefly(found) else [_padded(row, found) for row in found.rows])
    if any(row.rank.low is not None for row in found.rows):
        headers.append(f"1 {'rank'.center(WIDTH - 6)} {len(found.rows)}")
        columns.append([f"`{_drawn(row.rank, len(found.rows))}`" for row in found.rows])
    return table(headers, list(zip(*columns, strict=True)))


def _figures(row: Ranked) -> tuple[Figure | None, ...]:
    return row.rank, row.score, row.wins


def _padded(row: Ranked, found: Overall) -> str:
    """Letters below each other: `a c` has a blank for the group `b` that it is not in."""
    letters = sorted({letter for one in found.rows for letter in one.letters})
    if any("." in one.letters for one in found.rows):
        return row.letters
    return f"`{''.join(letter if letter in row.letters else '·' for letter in letters)}`"


def _drawn(rank: Figure, rows: int) -> str:
    """The interval as a line on a scale from 1 to the number of rows, with a dot at the mean: `──●─────      `."""
    low, dot, high = (round((value - 1) / (rows - 1) * (WIDTH - 1)) for value in (rank.low, rank.value, rank.high))
    return "".join("●" if at == dot else "─" if low <= at <= high else "·" for at in range(WIDTH))
