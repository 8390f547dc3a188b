"""The head of leaderboard.md: what to fine-tune, what the board is, the main table, and how to read it."""

from __future__ import annotations

from harness.finding import some
from harness.report.board import Board
from harness.report.costs import costs_of
from harness.report.tables import Score, escape, score_cells, shown, table, title
from harness.report.text import NONE, baselines_named, legend, score, troubles
from harness.report.verdict import verdict


def answer(board: Board) -> list[str]:
    """Which model to fine-tune."""
    return ["\n".join(f"- {escape(line)}" for line in verdict(board).lines())]


def introduction(board: Board) -> list[str]:
    """What was done."""
    seeds = sorted({seed for column in board.columns for seed in column.seeds})
    spread = " ± sample standard deviation over the seeds" if len(seeds) > 1 else ""
    when = ""
    if board.dates:
        first, last = board.dates
        when = f", run on {first}" if first == last else f", run from {first} to {last}"
    suites = f" of suite {escape(', '.join(board.suites))}" if board.suites else ""
    return [
        f"Every model is fine-tuned on every task{suites} under one protocol and scored once on the test split. Scores are each "
        f"task's primary metric on a scale of 0–100, higher is better: mean{spread} ({some(board.cells, 'cell')}{when}; "
        f"seeds {', '.join(map(str, seeds)) or NONE})."
    ]


def main_table(board: Board) -> list[str]:
    """Models × tasks."""
    rows = board.table_rows
    columns = [
        [
            escape(column.title),
            *score_cells([*(shown(row.entries.get(column.title)) for row in rows), Score(score(column.trivial))]),
        ]
        for column in board.columns
    ]
    if len(board.columns) > 1:
        averages = [Score(score(row.average), best=row.best) for row in rows]
        columns.append(["average", *score_cells([*averages, Score(score(board.trivial_average))])])
    columns += [[cost.title, *map(cost.shown, rows), ""] for cost in costs_of(rows)]
    names = ["model", *map(title, rows), "*trivial answer*"]
    headers, *lines = zip(names, *columns, strict=True)
    return [table(headers, lines)]


def below(board: Board) -> list[str]:
    """Legend and notes."""
    lines = ["**Bold**: best of the column, ties to two digits included. –: no result."]
    if len(board.columns) > 1:
        lines[0] += " The average needs a score in every column."
    if any(row.is_baseline for row in board.rows):
        lines.append("*Italics*: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{escape(line)}." for line in [*baselines_named(board), *legend(board)]]
    lines += [f"Trouble: {escape(line)}." for line in troubles(board)]
    lines += [f"Note: {escape(note)}" for note in board.notes]
    return ["\n".join(f"- {line}" for line in lines)]
