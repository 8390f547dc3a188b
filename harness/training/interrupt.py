"""How a cell is told to end early, and how it ends."""

from __future__ import annotations

from collections.abc import Callable


class Interrupted(BaseException):
    """The cell was told to end, and has saved what it could. Not an `Exception`, so that no handler takes it for a failure."""


class Interruption:
    """A request to end, made by a signal or another thread and looked at between two steps.

    Attributes:
        requested: whether the request has come.
        at_once: called when the request comes while there is nothing to save, before the training; it may end the process.
    """

    def __init__(self, at_once: Callable[[], None] = lambda: None):
        self.requested = False
        self.saves = False
        self.at_once = at_once

    def request(self) -> None:
        """Ask the cell to end."""
        self.requested = True
        if not self.saves:
            self.at_once()

    def from_now_on_saves(self) -> None:
        """There is something to save: from now on `poll` is called often, and a request waits for it."""
        self.saves = True
        if self.requested:
            raise Interrupted
