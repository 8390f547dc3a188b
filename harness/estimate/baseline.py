"""How long a baseline takes: by the number of rows, for there is no model whose work could be counted."""

from __future__ import annotations

from collections.abc import Sequence

from harness import registry
from harness.cell import Cell
from harness.estimate.history import Past
from harness.estimate.sizes import Content

START = 1.0  # seconds for a process and its libraries
ROWS = 5000  # of a task of which nothing is known


def seconds(cell: Cell, content: Content | None, history: Sequence[Past]) -> float:
    """Of a cell that is a baseline: no more than the right order of magnitude.

    Args:
        content: the task's rows, where they are known.
        history: past records, of which one may tell the number of rows.
    """
    told = [one.record["task"].get("rows") for one in history if one.record["task"]["name"] == cell.task.title]
    rows = next(filter(None, [content.rows if content else None, *told]), {"all": ROWS})
    if cell.train_rows:
        rows = {**rows, "train": cell.train_rows}
    return START + sum(rows.values()) * registry.baselines()[cell.model.name].seconds_a_row
