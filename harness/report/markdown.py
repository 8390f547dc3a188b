"""leaderboard.md."""

from __future__ import annotations

from dataclasses import replace

from harness.report.board import Board
from harness.report.registry import SECTIONS
from harness.report.sections import failures
from harness.report.tables import escape

TITLE = "# Leaderboard"
EMPTY = "There are no results yet. Start with `bench run`."


def render(board: Board, command: str | None = None) -> str:
    """The board as Markdown.

    Args:
        board: what to show.
        command: how these results are made; None: derived from the records.
    """
    if not board.rows:
        return "\n\n".join([TITLE, EMPTY, *map(escape, board.notes), *failures(board)]) + "\n"
    if command:
        board = replace(board, commands=(command,))
    parts = [TITLE, *(part for make in SECTIONS for part in make(board))]
    return "\n\n".join(part for part in parts if part) + "\n"
