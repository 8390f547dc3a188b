"""A results folder behind a URL, and the copy of it that this machine works in."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.caching import cache_folder
from harness.files import temporary_path, write_atomically
from harness.record_parsing import parse_known_keys
from harness.remote.courier import RECORD, Courier, Marks
from harness.remote.folder import PASSING, RemoteFolder, Unreachable, is_url
from harness.safe_text import redact
from harness.store import CHECKPOINT, Record, Store

# Where a machine keeps its copy of what lies behind a URL.


def place_of(url: str) -> Path:
    """The folder of this machine for a URL, always the same one: in the cache, or in the folder for passing files without one."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    base = cache_folder("mirrors") or Path(tempfile.gettempdir(), f"bench-mirrors-{user}")
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    return base / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


# A results folder behind a URL, and the copy of it that this machine works in.


FILES = ("predictions.jsonl", "log.txt", RECORD)  # in the order in which they appear: the record says that all is there
CHUNK = 100  # cells that are brought together


def open_store(place: str | Path) -> Store:
    """The results folder at a path or URL; nothing is transferred yet."""
    return Mirror(str(place)) if is_url(place) else Store(place)


def read_store(place: str | Path) -> Store:
    """The results folder at a path or URL, with all that is there now.

    Raises:
        BenchError: the URL cannot be read.
    """
    store = open_store(place)
    store.sync()
    return store


class Mirror(Store):
    """A results folder of this machine that is brought to where a URL says, cell by cell, and from there.

    Args:
        url: of the folder.
    """

    shared = False

    def __init__(self, url: str):
        super().__init__(place_of(url))
        self.name, self.behind, self.marks = redact(url), RemoteFolder(url), Marks(self.root / "cells")
        self.courier = Courier(self.behind, self.marks)

    def sync(self, send: bool = False) -> None:
        """Bring what is new or changed at the URL.

        Args:
            send: send first what could not be sent before, and tidy up there.

        Raises:
            Unreachable: the URL cannot be read, or written.
        """
        # Read before the URL is: a record that another process of this machine sends meanwhile is not taken for one that is gone.
        known = {name: self.marks.get(name, RECORD) for name in self.marks.cell_ids()}
        theirs = self._theirs("cells")
        for name in [name for name, mark in known.items() if not mark and self.record(name, parse_known_keys)] if send else ():
            self._with_claim(name, lambda name=name: self._send(name))
        for name, mark in known.items():
            if mark and RECORD not in theirs[name]:
                self._with_claim(name, lambda name=name, mark=mark: self._drop_removed(name, mark))
        changed = [name for name, marks in theirs.items() if self._differs(name, marks)]
        for at in range(0, len(changed), CHUNK):
            claims = {name: claim for name in changed[at : at + CHUNK] if (claim := self.claim(name)).take()}
            try:
                self._bring({name: theirs[name] for name in claims if self._differs(name, theirs[name])})  # still
            finally:
                for claim in claims.values():
                    claim.release()
        for name, marks in theirs.items() if send else ():
            self._tidy(name, marks)

    def fetch(self, cell_id: str) -> None:
        theirs = self._theirs(f"cells/{cell_id}")[cell_id]
        if self.record(cell_id, parse_known_keys) and not self.marks.get(cell_id, RECORD):
            self._send(cell_id)
        elif self._differs(cell_id, theirs):
            self._bring({cell_id: theirs})
        if CHECKPOINT in theirs and not self.finished(cell_id):
            same = self.marks.get(cell_id, CHECKPOINT) == theirs[CHECKPOINT]  # then ours is that one, or a later one
            if not (same and self.checkpoint(cell_id).exists()):
                self._bring({cell_id: theirs}, ("log.txt", CHECKPOINT))

    def send(self, cell_id: str) -> str:
        try:
            self._send(cell_id)
        except Unreachable as error:
            return str(error)
        return ""

    def upload_checkpoint(self, cell_id: str) -> None:
        self.courier.keep(cell_id)

    def write(self, record: Record, predictions: Iterable[dict[str, Any]] = ()) -> None:
        self.marks.remove(record["id"], RECORD)
        super().write(record, predictions)

    def discard(self, cell_id: str) -> None:
        if (self.root / "cells" / cell_id).exists():
            self.behind.remove(f"cells/{cell_id}")
            super().discard(cell_id)

    def unsent(self) -> list[str]:
        """Cells whose records are not at the URL."""
        return [name for name in self.marks.cell_ids() if not self.marks.get(name, RECORD) and self.record(name, parse_known_keys)]

    def pack(self, cell_id: str) -> dict[str, bytes]:
        """A cell's files, for a mirror on another machine."""
        folder = self.folder(cell_id)
        paths = [folder / name for name in (*FILES, f".{RECORD}.sent")]
        return {path.name: path.read_bytes() for path in paths if path.exists()}

    def unpack(self, cell_id: str, files: Mapping[str, bytes]) -> None:
        """Put files that `pack` gave elsewhere into this mirror."""
        self.marks.remove(cell_id, RECORD)
        for name, content in files.items():
            write_atomically(self.folder(cell_id) / name, lambda path, content=content: path.write_bytes(content))

    def publish(self, name: str) -> str:
        """Send a file of the folder itself, and return where it is then."""
        self.behind.put(self.root / name, name)
        return f"{self.name.rstrip('/')}/{name}"

    def _send(self, cell_id: str) -> None:
        """Send a cell's record with all that belongs to it, or what is needed to go on with it. The caller has its claim."""
        self.courier.finish()
        folder, ours = self.folder(cell_id), self.record(cell_id, parse_known_keys)
        theirs = self._theirs(f"cells/{cell_id}")[cell_id]
        waits = ours is not None and not self.marks.get(cell_id, RECORD)
        if waits and RECORD in theirs and _is_good(self.behind.read(f"cells/{cell_id}/{RECORD}")):
            self._bring({cell_id: theirs})  # another machine has done it too, and was first
        else:
            for name in FILES if waits else ("log.txt",):
                if (folder / name).exists():
                    self.marks.put(cell_id, name, self.behind.put(folder / name, f"cells/{cell_id}/{name}"))
        if self.finished(cell_id) and (CHECKPOINT in theirs or self.marks.get(cell_id, CHECKPOINT)):
            self.behind.remove(f"cells/{cell_id}/{CHECKPOINT}")
            self._drop(cell_id, CHECKPOINT)

    def _tidy(self, cell_id: str, theirs: Iterable[str]) -> None:
        """Remove what a killed process of this machine left half sent, and the checkpoint that one could not remove any more."""
        done = self.finished(cell_id)
        left = [name for name in theirs if name.endswith(PASSING) or (done and name == CHECKPOINT)]
        for name in left:
            self._with_claim(cell_id, lambda name=name: self.behind.remove(f"cells/{cell_id}/{name}"))

    def _bring(self, cells: Mapping[str, Mapping[str, str]], names: tuple[str, ...] = FILES) -> None:
        """Download files of cells, given the marks of what is there. The caller has the cells' claims."""
        wanted = [
            (cell, name, temporary_path(self.folder(cell) / name)) for cell in cells for name in names if name in cells[cell]
        ]
        try:
            self.behind.get([(f"cells/{cell}/{name}", path) for cell, name, path in wanted])
            for cell, name, path in wanted:
                os.replace(path, self.folder(cell) / name)
                self.marks.put(cell, name, cells[cell][name])
        finally:
            for _, _, path in wanted:
                path.unlink(missing_ok=True)

    def _differs(self, cell_id: str, theirs: Mapping[str, str]) -> bool:
        """Whether a record has come to the URL that is not here, and none here waits to be sent."""
        here = self.record(cell_id, parse_known_keys) is not None
        return RECORD in theirs and not (here and self.marks.get(cell_id, RECORD) in ("", theirs[RECORD]))

    def _theirs(self, folder: str) -> dict[str, dict[str, str]]:
        """Cell → name of a file → mark, of what lies below a folder at the URL."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for name, mark in self.behind.marks(folder).items():
            match name.split("/"):
                case ["cells", cell, file] if cell not in ("", ".", ".."):
                    found[cell][file] = mark
        return found

    def _drop(self, cell_id: str, *names: str) -> None:
        for name in names:
            (self.root / "cells" / cell_id / name).unlink(missing_ok=True)
            self.marks.remove(cell_id, name)

    def _drop_removed(self, cell_id: str, mark: str) -> None:
        """Remove here what somebody has removed there, unless another process has made it anew meanwhile."""
        if self.marks.get(cell_id, RECORD) == mark:
            self._drop(cell_id, *FILES, CHECKPOINT)

    def _with_claim(self, cell_id: str, do: Callable[[], None]) -> None:
        """Leave out a cell that another process has, which cares for it itself."""
        claim = self.claim(cell_id)
        if claim.take():
            try:
                do()
            finally:
                claim.release()


def _is_good(content: bytes) -> bool:
    try:
        return parse_known_keys(content)["status"] == "ok"
    except ValueError:
        return False
