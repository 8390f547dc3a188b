"""What an engine is given: a cell, and how it is to be run."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cell import Cell
from harness.duration import USUAL, Every


@dataclass(frozen=True)
class Job:
    """One try of a cell. Nothing here could change the score.

    Attributes:
        root: the results folder, or its URL.
        seen: the stamp of the cell's record when the run was planned, see `Store.stamp`.
        checkpoint_every: how often the state of the training is saved.
        devices: processes that train the cell together, each on a device of its own.
    """

    cell: Cell
    root: str
    seen: str = ""
    checkpoint_every: Every = USUAL
    devices: int = 1
