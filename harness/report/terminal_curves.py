"""Learning curves on a terminal: a table for each task."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.board import Board
from harness.report.curves import Curve
from harness.report.learning_curves import headings, point_text, said
from harness.report.text import NONE, score


def curve_tables(board: Board) -> list[RenderableType]:
    """Models × numbers of training rows; none where there are no curves."""
    return [part for curve in board.curves for part in (Text(), _table(curve))]


def _table(curve: Curve) -> RenderableType:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(Text.assemble(curve.task, "\n", (curve.metric or NONE, "dim not bold")), overflow="fold")
    for heading in headings(curve):
        table.add_column(Text(heading), justify="right")
    for line in curve.lines:
        table.add_row(Text(line.title, style="italic dim" if line.is_baseline else ""), *map(point_text, line.points))
    table.add_row(*(Text(text, style="dim") for text in ("trivial answer", *(score(s.trivial) for s in curve.sizes))))
    return Group(table, *(Text(text, style="dim") for text in said(curve)))
