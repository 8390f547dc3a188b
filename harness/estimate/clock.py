"""Seconds of a cell that is run to measure the machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any


class Clock:
    """Seconds by phase, as a worker announces them.

    A worker with one thread on a CPU is measured by the time that the processor gave it, so that whatever else the machine
    does at the moment does not count; it is the same where nothing else runs.
    """

    def __init__(self, device: str, threads: int):
        self.now = time.process_time if device == "cpu" and threads == 1 else time.perf_counter
        self.phase, self.since, self.seconds = "", self.now(), dict[str, float]()

    def event(self, event: Mapping[str, Any]) -> None:
        """To be told of everything."""
        if event["event"] == "phase":
            self.begin(event["phase"])

    def begin(self, phase: str) -> None:
        """End a phase and begin another; the same name adds up."""
        now = self.now()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.since
        self.phase, self.since = phase, now
