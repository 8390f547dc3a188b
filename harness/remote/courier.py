"""Sends checkpoints while the training goes on, and keeps track of what lies at the URL."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from harness.files import temporary_path, write_text
from harness.remote.folder import RemoteFolder, Unreachable
from harness.store import CHECKPOINT

# What of a mirror's files lies at the URL too.


RECORD = "record.json"


class Marks:
    """Beside a cell's record and checkpoint, a file with `.sent` behind the name: the mark of what lies at the URL.

    Ours then equals that, or follows it. A record without such a file is still to be sent.

    Args:
        cells: the folder of the cells.
    """

    def __init__(self, cells: Path):
        self.cells = cells

    def cell_ids(self) -> list[str]:
        """All cells of which there is something."""
        return sorted(os.listdir(self.cells)) if self.cells.is_dir() else []

    def get(self, cell_id: str, name: str) -> str:
        """The mark of a file; empty where it is not known to lie at the URL."""
        try:
            return self._path(cell_id, name).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def put(self, cell_id: str, name: str, mark: str) -> None:
        """Note that a file lies at the URL; of other files than the two there is nothing to note."""
        if name in (RECORD, CHECKPOINT):
            write_text(self._path(cell_id, name), mark)

    def remove(self, cell_id: str, name: str) -> None:
        """Note that a file does not lie at the URL, as it is here."""
        self._path(cell_id, name).unlink(missing_ok=True)

    def _path(self, cell_id: str, name: str) -> Path:
        return self.cells / cell_id / f".{name}.sent"


# Sends checkpoints while the training goes on.


class Courier:
    """One thread, for one cell at a time: while a checkpoint is on its way, only the newest of those that come is kept for later.

    Args:
        folder: where to.
        marks: notes what has arrived.
    """

    def __init__(self, folder: RemoteFolder, marks: Marks):
        self.folder, self.marks = folder, marks
        self._waiting = ""  # the cell whose checkpoint has not been sent
        self._thread: threading.Thread | None = None

    def keep(self, cell_id: str) -> None:
        """Begin to send a cell's new checkpoint."""
        self._waiting = cell_id
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Return when nothing is on its way any more, after one more try to send what waits.

        Raises:
            Unreachable: it cannot be sent.
        """
        if self._thread is not None:
            self._thread.join()
        if cell_id := self._waiting:
            self._waiting = ""
            self._send(cell_id)

    def _work(self) -> None:
        while cell_id := self._waiting:
            self._waiting = ""
            try:
                self._send(cell_id)
            except Unreachable as error:
                print(f"the checkpoint is not sent: {error}", file=sys.stderr)
                self._waiting = cell_id
                return

    def _send(self, cell_id: str) -> None:
        path = self.marks.cells / cell_id / CHECKPOINT
        link = temporary_path(path.with_name(f"{CHECKPOINT}.link"))
        try:
            sent = _linked(path, link)
            if sent is not None:
                self.marks.put(cell_id, CHECKPOINT, self.folder.put(sent, f"cells/{cell_id}/{CHECKPOINT}"))
        finally:
            link.unlink(missing_ok=True)


def _linked(path: Path, link: Path) -> Path | None:
    """The file under a name of its own, for the next checkpoint takes its name while this one is on its way; None: it is gone."""
    try:
        os.link(path, link)
    except FileNotFoundError:
        return None  # the cell is done with it
    except OSError:
        return path  # a disk without links: a file that changes on its way is known by its digest, and not used
    return link
