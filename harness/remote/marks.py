"""What of a mirror's files lies at the URL too."""

from __future__ import annotations

import os
from pathlib import Path

from harness.files import write_text
from harness.store import CHECKPOINT

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
