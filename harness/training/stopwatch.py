"""Where a cell's time goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.training.loop import Emit


class Stopwatch:
    """Seconds by phase; announces each phase as it begins."""

    def __init__(self, emit: Emit):
        self.emit = emit
        self.seconds: dict[str, float] = {}
        self.phase, self.started = "", time.perf_counter()

    def begin(self, phase: str) -> None:
        """End the current phase and begin another; the same name adds up."""
        self.end()
        self.phase = phase
        self.emit({"event": "phase", "phase": phase})

    def end(self) -> None:
        """End the current phase."""
        now = time.perf_counter()
        if self.phase:
            self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.started
        self.phase, self.started = "", now

    def so_far(self) -> dict[str, float]:
        """Seconds by phase, the current one up to now."""
        now = time.perf_counter()
        current = {self.phase: self.seconds.get(self.phase, 0.0) + now - self.started} if self.phase else {}
        return self.seconds | current
