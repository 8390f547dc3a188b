"""When the state of a training is saved, and how a cell is asked to stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.files import disk_full
from harness.quantities import NEVER, SaveInterval
from harness.training.checkpoint import RandomStates, SavedTraining, State
from harness.training.together import Team


class Interrupted(BaseException):
    """The cell was asked to stop, and its state is saved where possible.

    It is not an `Exception`, so that no handler takes it for a failure of the cell.
    """


class Interruption:
    """A request to stop, made by a signal or another thread and checked between two steps.

    Attributes:
        requested: whether the cell was asked to stop.
        at_once: called when the request comes before the training, while there is nothing to save; it may end the process.
    """

    def __init__(self, at_once: Callable[[], None] = lambda: None):
        self.requested = False
        self.at_once = at_once
        self._can_save = False

    def request(self) -> None:
        """Ask the cell to stop."""
        self.requested = True
        if not self._can_save:
            self.at_once()

    def wait_for_saving(self) -> None:
        """From now on there is something to save: a request waits for the next call of `Checkpointer.poll`."""
        self._can_save = True
        if self.requested:
            raise Interrupted


class Checkpointer:
    """Saves a training regularly, and when the cell is asked to stop.

    Args:
        path: of the checkpoint.
        saved: the checkpoint to resume from, if any.
        every: how often to save; a request to stop saves too, unless this is `NEVER`.
        interruption: is checked between two steps.
        team: processes of the training; the first of them reads the clock and writes the file.
        account: returns further plain values to save: what the cell has cost so far.
        emit: receives an event when the training resumes and when it was saved or could not be.
    """

    def __init__(
        self,
        path: Path,
        saved: SavedTraining | None,
        every: SaveInterval,
        interruption: Interruption,
        team: Team,
        account: Callable[[], dict[str, Any]],
        emit: Callable[[dict[str, Any]], None],
    ):
        self.path, self.saved, self.every, self.interruption, self.team = path, saved, every, interruption, team
        self.account, self.emit = account, emit
        self._state: State | None = None
        self._saved_at, self._saved_steps, self._saved_end = time.monotonic(), 0, False

    def begin(self, state: State) -> None:
        """Set a newly built state to the checkpoint's, and save this state from now on."""
        if self.saved:
            self.saved.restore(state, self.team.rank)
            self.saved.tensors = {}  # several times the size of the model
            self.emit({"event": "resumed", "step": state.progress.steps})
        self._state = state
        self._remember(state)
        self.interruption.wait_for_saving()

    def poll(self) -> None:
        """Save the state if it is time to. Call this between two operations on the model.

        Raises:
            Interrupted: the cell was asked to stop; its state is saved.
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

    def _remember(self, state: State) -> None:
        self._saved_at, self._saved_steps = time.monotonic(), state.progress.steps
        self._saved_end = state.progress.ended

    def _due(self, state: State) -> bool:
        if self._saved_end:
            return False  # nothing changes any more
        if self.every.steps:
            return state.progress.steps - self._saved_steps >= self.every.steps
        return self.every.seconds is not None and time.monotonic() - self._saved_at >= self.every.seconds

    def _save(self, state: State) -> None:
        """Write the checkpoint; where it cannot be written, the training goes on without it."""
        if self.every == NEVER or self._saved_end:
            return
        generators = self.team.gather([RandomStates().to_plain()])
        self._remember(state)
        if self.team.rank != 0:
            return
        checkpoint = SavedTraining.of(state, generators)
        checkpoint.values["account"] = self.account()
        try:
            checkpoint.save(self.path)
        except OSError as error:
            print(f"no checkpoint: {error}", file=sys.stderr)
            self.emit({"event": "unsaved", "reason": "the disk is full" if disk_full(error) else str(error)})
        else:
            self.emit({"event": "saved", "step": state.progress.steps})
