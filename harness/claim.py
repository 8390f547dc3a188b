"""Who runs a cell: a lock that dies with its process."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from harness.files import remove_leftovers

NAME = ".claim"


class Claim:
    """The right to run a cell and to write its files; one process has it at a time.

    It is a lock of the operating system on a file in the cell's folder. The system frees it when its process dies, however
    that happens, so nobody has to find out whether a claim is stale. Machines that share a folder need a file system whose
    locks reach all of them (NFS 4, Lustre with `flock`, CephFS, GPFS).

    Args:
        folder: of the cell.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = FileLock(folder / NAME, thread_local=False)

    def take(self) -> bool:
        """Take it, and sweep up what a killed owner left half written; False where another process has it."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        remove_leftovers(self.folder, everything=True)
        return True

    def release(self) -> None:
        """Give it back. The file goes first, while nobody else can have it."""
        if self._lock.is_locked:
            (self.folder / NAME).unlink(missing_ok=True)
            self._lock.release()
