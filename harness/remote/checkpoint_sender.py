"""Send checkpoints to the URL while the training continues, and remember which files are there."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from harness.files import temporary_path, write_text
from harness.remote.remote_folder import RemoteFolder, Unreachable
from harness.store import CHECKPOINT

RECORD = "record.json"


class SentTags:
    """The remote tags of each cell's record and checkpoint, in files named `.record.json.sent` and so on beside them.

    If a tag is stored, the local file is the remote one or a later version. A record without a tag is yet to be sent.

    Args:
        cells: the folder of the cells.
    """

    def __init__(self, cells: Path):
        self.cells = cells

    def cell_ids(self) -> list[str]:
        """List all cells that have a folder."""
        return sorted(os.listdir(self.cells)) if self.cells.is_dir() else []

    def get(self, cell_id: str, name: str) -> str:
        """Return the tag of a file; empty if the file is not known to be at the URL."""
        try:
            return self._path(cell_id, name).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def put(self, cell_id: str, name: str, tag: str) -> None:
        """Store the tag of a file that is at the URL now. Only records and checkpoints have tags."""
        if name in (RECORD, CHECKPOINT):
            write_text(self._path(cell_id, name), tag)

    def remove(self, cell_id: str, name: str) -> None:
        """Forget the tag of a file, because the local version is not at the URL."""
        self._path(cell_id, name).unlink(missing_ok=True)

    def _path(self, cell_id: str, name: str) -> Path:
        return self.cells / cell_id / f".{name}.sent"


class CheckpointSender:
    """Sends the checkpoints of one cell at a time in a thread. While one is sent, only the newest other one waits.

    Args:
        remote: where to send them.
        tags: receives the tags of what was sent.
    """

    def __init__(self, remote: RemoteFolder, tags: SentTags):
        self.remote, self.tags = remote, tags
        self._waiting = ""  # the cell whose newest checkpoint has not been sent
        self._thread: threading.Thread | None = None

    def send(self, cell_id: str) -> None:
        """Start to send a cell's new checkpoint."""
        self._waiting = cell_id
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send_waiting, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait until nothing is being sent any more, and try once more to send what waits.

        Raises:
            Unreachable: it cannot be sent.
        """
        if self._thread is not None:
            self._thread.join()
        if cell_id := self._waiting:
            self._waiting = ""
            self._send(cell_id)

    def _send_waiting(self) -> None:
        while cell_id := self._waiting:
            self._waiting = ""
            try:
                self._send(cell_id)
            except Unreachable as error:
                print(f"the checkpoint is not sent: {error}", file=sys.stderr)
                self._waiting = cell_id
                return

    def _send(self, cell_id: str) -> None:
        """Send a checkpoint through a link, because the next checkpoint may take its name during the upload."""
        path = self.tags.cells / cell_id / CHECKPOINT
        link = temporary_path(path.with_name(f"{CHECKPOINT}.link"))
        try:
            try:
                os.link(path, link)
                source = link
            except FileNotFoundError:
                return  # the cell has finished
            except OSError:
                source = path  # a disk without links: if the file changes meanwhile, its digest shows that
            self.tags.put(cell_id, CHECKPOINT, self.remote.put(source, f"cells/{cell_id}/{CHECKPOINT}"))
        finally:
            link.unlink(missing_ok=True)
