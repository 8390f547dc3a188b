"""The further processes of a cell that is trained on several devices."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

PATIENCE = 10.0  # seconds in which the first process may tell by itself why another has ended


class Members:
    """All processes of a cell but the first. They begin when the first has the cell, and end no later than it.

    Args:
        start: starts the process of a rank and gives it with this side's end of its pipe.
        count: processes of the cell, the first included.
    """

    def __init__(self, start: Callable[[int], tuple[Any, Connection]], count: int):
        self.processes = [start(rank) for rank in range(1, count)]
        self._broken_at = 0.0

    def begin(self, port: int) -> None:
        """Tell them where to join the first."""
        for _, connection in self.processes:
            connection.send(port)

    def broken(self) -> str:
        """What happened to one of them that ended before its time, once the first had time to tell; else nothing."""
        dead = [
            (rank, process.exitcode)
            for rank, (process, _) in enumerate(self.processes, 1)
            if not process.is_alive() and process.exitcode
        ]
        if not dead:
            return ""
        self._broken_at = self._broken_at or time.monotonic()
        if time.monotonic() - self._broken_at < PATIENCE:
            return ""
        rank, code = dead[0]
        return f"process {rank} of the cell ended with {f'signal {-code}' if code < 0 else f'status {code}'}"

    def end(self) -> None:
        """End those that are left."""
        for process, connection in self.processes:
            process.kill()
            process.join()
            connection.close()
