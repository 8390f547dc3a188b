"""The sections of leaderboard.md in their order. A new one is one entry here, and a function.

The columns of cost are entries of `harness.report.costs.COSTS`, the sections of the HTML page of `harness.report.page.registry`.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.report import sections
from harness.report.board import Board
from harness.report.columns import Column
from harness.report.learning_curves import learning_curves
from harness.report.main_table import answer, below, introduction, main_table
from harness.report.over_tasks import over_tasks
from harness.report.slice_tables import slice_part


def tasks(board: Board) -> list[str]:
    """A section for each task."""
    return [part for column in board.columns for make in OF_A_TASK for part in make(board, column)]


# Each gives its parts as Markdown (a heading, a paragraph, a table), or none where there is nothing to say.
SECTIONS: tuple[Callable[[Board], list[str]], ...] = (
    answer,
    introduction,
    main_table,
    below,
    over_tasks,
    learning_curves,
    sections.gains,
    sections.baselines,
    tasks,
    sections.models,
    sections.failures,
    sections.environments,
    sections.reproduce,
)
OF_A_TASK: tuple[Callable[[Board, Column], list[str]], ...] = (
    sections.heading,
    sections.facts,
    sections.metrics,
    sections.published,
    slice_part,
)
