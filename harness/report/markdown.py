"""leaderboard.md."""

from __future__ import annotations

from harness.report import sections
from harness.report.board import Board
from harness.report.learning_curves import learning_curves
from harness.report.over_tasks import over_tasks
from harness.report.rows import train_parts
from harness.report.tables import Score, escape, score_cells, shown, table, title
from harness.report.text import NONE, duration, legend, memory, score, sizes

TITLE = "# Leaderboard"
EMPTY = "There are no results yet. Start with `bench run`."


def render(board: Board, command: str | None = None) -> str:
    """The board as Markdown.

    Args:
        board: what to show.
        command: how these results are made; None: derived from the records.
    """
    if not board.rows:
        return "\n\n".join([TITLE, EMPTY, *sections.failures(board)]) + "\n"
    parts = [TITLE, _introduction(board), _main_table(board), _below(board)]
    parts += over_tasks(board) + learning_curves(board) + sections.gains(board)
    for column in board.columns:
        parts += sections.task(board, column)
    parts += sections.models(board) + sections.failures(board) + sections.environments(board)
    parts += sections.reproduce((command,) if command else board.commands)
    return "\n\n".join(part for part in parts if part) + "\n"


def _introduction(board: Board) -> str:
    seeds = sorted({seed for column in board.columns for seed in column.seeds})
    spread = " ± sample standard deviation over the seeds" if len(seeds) > 1 else ""
    when = ""
    if board.dates:
        first, last = board.dates
        when = f", run on {first}" if first == last else f", run from {first} to {last}"
    suites = f" of suite {escape(', '.join(board.suites))}" if board.suites else ""
    return (
        f"Every model is fine-tuned on every task{suites} under one protocol and scored once on the test split. Scores are each "
        f"task's primary metric on a scale of 0–100, higher is better: mean{spread} ({board.cells} cells{when}; "
        f"seeds {', '.join(map(str, seeds)) or NONE})."
    )


def _main_table(board: Board) -> str:
    columns = [
        [
            escape(column.title),
            *score_cells([*(shown(row.entries.get(column.title)) for row in board.rows), Score(score(column.trivial))]),
        ]
        for column in board.columns
    ]
    if len(board.columns) > 1:
        averages = [Score(score(row.average), best=row.best) for row in board.rows]
        columns.append(["average", *score_cells([*averages, Score(score(board.trivial_average))])])
    columns.append(["parameters", *(sizes(row.parameters) for row in board.rows), ""])
    if train_parts(board.rows):
        columns.append(["trained", *(sizes(row.trained) for row in board.rows), ""])
    columns.append(["training/cell", *(duration(row.train_seconds) for row in board.rows), ""])
    columns.append(["peak memory", *(memory(row.peak_memory_bytes) for row in board.rows), ""])
    names = ["model", *map(title, board.rows), "*trivial answer*"]
    headers, *rows = zip(names, *columns, strict=True)
    return table(headers, rows)


def _below(board: Board) -> str:
    """Legend and notes."""
    lines = ["**Bold**: best of the column, ties to two digits included. –: no result."]
    if len(board.columns) > 1:
        lines[0] += " The average needs a score in every column."
    if any(row.is_baseline for row in board.rows):
        lines.append("*Italics*: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{escape(line)}." for line in legend(board)]
    lines += [f"Note: {escape(note)}" for note in board.notes]
    return "\n".join(f"- {line}" for line in lines)
