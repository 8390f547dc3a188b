"""How a cell is told to end early, when a training's state is saved, and where it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.files import disk_full
from harness.quantities import NEVER, SaveInterval
from harness.training.checkpoint import SavedTraining
from harness.training.state import RandomStates, State
from harness.training.together import Team

# How a cell is told to end early, and how it ends.


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


# When a training's state is saved, and where it goes on.


class Keeper:
    """Saves a training now and then, and when it is told to end.

    Args:
        path: of the file.
        found: the checkpoint that the training begins with, if any.
        every: how often; a request to end saves too, unless it is never.
        interruption: is looked at between two steps.
        team: that trains; the first of it reads the clock and writes.
        account: gives what else is to be found again, as plain values: what the cell has cost so far.
        emit: is told where the training goes on, and where it cannot be saved.
    """

    def __init__(
        self,
        path: Path,
        found: SavedTraining | None,
        every: SaveInterval,
        interruption: Interruption,
        team: Team,
        account: Callable[[], dict[str, Any]],
        emit: Callable[[dict[str, Any]], None],
    ):
        self.path, self.every, self.interruption, self.team = path, every, interruption, team
        self.account, self.emit = account, emit
        self.found = found
        self._state: State | None = None
        self._saved_at, self._saved_steps, self._saved_end = time.monotonic(), 0, False

    def begin(self, state: State) -> None:
        """Bring a freshly built state to where the checkpoint was made, and watch it from now on."""
        if self.found:
            self.found.restore(state, self.team.rank)
            self.found.tensors = {}  # as large as the model several times over
            self.emit({"event": "resumed", "step": state.progress.steps})
        self._state = state
        self._saved_at, self._saved_steps, self._saved_end = (
            time.monotonic(), state.progress.steps, state.progress.ended,
        )  # fmt: skip
        self.interruption.from_now_on_saves()

    def poll(self) -> None:
        """To be called between two operations on the model: save where it is time to.

        Raises:
            Interrupted: the cell was told to end; its state is saved, where it may be.
        """
        state = self._state
        if state is None:
            return
        leads = self.team.rank == 0
        stop, due = self.team.sum(leads and self.interruption.requested, leads and self._due(state))
        if stop or due:
            self._save(state)
        if stop:
            raise Interrupted

    def _due(self, state: State) -> bool:
        if self._saved_end:
            return False  # nothing changes any more
        if self.every.steps:
            return state.progress.steps - self._saved_steps >= self.every.steps
        return self.every.seconds is not None and time.monotonic() - self._saved_at >= self.every.seconds

    def _save(self, state: State) -> None:
        """Write the state; a disk that has no room costs the checkpoint, not the training."""
        if self.every == NEVER or self._saved_end:
            return
        randoms = self.team.gather([RandomStates().plain()])
        self._saved_at, self._saved_steps = time.monotonic(), state.progress.steps
        self._saved_end = state.progress.ended
        if self.team.rank != 0:
            return
        checkpoint = SavedTraining.of(state, randoms)
        checkpoint.values["account"] = self.account()
        try:
            checkpoint.save(self.path)
        except OSError as error:
            print(f"no checkpoint: {error}", file=sys.stderr)
            self.emit({"event": "unsaved", "reason": "the disk is full" if disk_full(error) else str(error)})
        else:
            self.emit({"event": "saved", "step": state.progress.steps})
