"""A results folder behind a URL, and the local copy that this machine works in."""

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
from harness.remote.checkpoint_sender import RECORD, CheckpointSender, SentTags
from harness.remote.remote_folder import UPLOAD_SUFFIX, RemoteFolder, Unreachable, is_url
from harness.safe_text import redact
from harness.store import CHECKPOINT, Record, Store

FILES = ("predictions.jsonl", "log.txt", RECORD)  # in the order of transfer: the record shows that all files are there
CHUNK = 100  # cells that are downloaded together


def open_store(path: str | Path) -> Store:
    """Open the results folder at a path or URL; nothing is transferred yet."""
    return Mirror(str(path)) if is_url(path) else Store(path)


def read_store(path: str | Path) -> Store:
    """Open the results folder at a path or URL and download everything that is there now.

    Raises:
        BenchError: the URL cannot be read.
    """
    store = open_store(path)
    store.sync()
    return store


def mirror_folder(url: str) -> Path:
    """Return the local folder for a URL, always the same: in the cache, or without one in the temporary folder."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    base = cache_folder("mirrors") or Path(tempfile.gettempdir(), f"bench-mirrors-{user}")
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    return base / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


class Mirror(Store):
    """A local results folder whose cells are transferred to and from a URL, one by one.

    Args:
        url: of the remote folder.
    """

    shared = False

    def __init__(self, url: str):
        super().__init__(mirror_folder(url))
        self.name = redact(url)
        self.remote = RemoteFolder(url)
        self.tags = SentTags(self.root / "cells")
        self.sender = CheckpointSender(self.remote, self.tags)

    def sync(self, send: bool = False) -> None:
        """Download what is new or changed at the URL.

        Args:
            send: first send what could not be sent before, and at last clean up at the URL.

        Raises:
            Unreachable: the URL cannot be read or written.
        """
        # Read before the URL is, so that a record that is sent meanwhile does not look like a removed one.
        known = {name: self.tags.get(name, RECORD) for name in self.tags.cell_ids()}
        remote = self._list_remote("cells")
        if send:
            for name in [name for name, tag in known.items() if not tag and self.record(name, parse_known_keys)]:
                self._with_claim(name, lambda name=name: self._send(name))
        for name, tag in known.items():
            if tag and RECORD not in remote[name]:
                self._with_claim(name, lambda name=name, tag=tag: self._drop_removed(name, tag))
        changed = [name for name, tags in remote.items() if self._differs(name, tags)]
        for start in range(0, len(changed), CHUNK):
            claims = {name: claim for name in changed[start : start + CHUNK] if (claim := self.claim(name)).take()}
            try:  # a cell may have changed before its claim was taken
                self._download({name: remote[name] for name in claims if self._differs(name, remote[name])})
            finally:
                for claim in claims.values():
                    claim.release()
        if send:
            for name, tags in remote.items():
                self._clean_up_remote(name, tags)

    def fetch(self, cell_id: str) -> None:
        remote = self._list_remote(f"cells/{cell_id}")[cell_id]
        if self.record(cell_id, parse_known_keys) and not self.tags.get(cell_id, RECORD):
            self._send(cell_id)
        elif self._differs(cell_id, remote):
            self._download({cell_id: remote})
        if CHECKPOINT in remote and not self.finished(cell_id):
            # If the tags are equal, the local checkpoint is the remote one or a later one.
            same = self.tags.get(cell_id, CHECKPOINT) == remote[CHECKPOINT]
            if not (same and self.checkpoint(cell_id).exists()):
                self._download({cell_id: remote}, ("log.txt", CHECKPOINT))

    def send(self, cell_id: str) -> str:
        try:
            self._send(cell_id)
        except Unreachable as error:
            return str(error)
        return ""

    def upload_checkpoint(self, cell_id: str) -> None:
        self.sender.send(cell_id)

    def write(self, record: Record, predictions: Iterable[dict[str, Any]] = ()) -> None:
        self.tags.remove(record["id"], RECORD)
        super().write(record, predictions)

    def discard(self, cell_id: str) -> None:
        if (self.root / "cells" / cell_id).exists():
            self.remote.remove(f"cells/{cell_id}")
            super().discard(cell_id)

    def unsent(self) -> list[str]:
        """List the cells whose records are not at the URL."""
        untagged = [name for name in self.tags.cell_ids() if not self.tags.get(name, RECORD)]
        return [name for name in untagged if self.record(name, parse_known_keys)]

    def pack(self, cell_id: str) -> dict[str, bytes]:
        """Return a cell's files, for the mirror of another machine."""
        folder = self.folder(cell_id)
        paths = [folder / name for name in (*FILES, f".{RECORD}.sent")]
        return {path.name: path.read_bytes() for path in paths if path.exists()}

    def unpack(self, cell_id: str, files: Mapping[str, bytes]) -> None:
        """Write a cell's files that `pack` returned on another machine."""
        self.tags.remove(cell_id, RECORD)
        for name, content in files.items():
            write_atomically(self.folder(cell_id) / name, lambda path, content=content: path.write_bytes(content))

    def publish(self, name: str) -> str:
        """Send a file of the results folder itself, and return its URL."""
        self.remote.put(self.root / name, name)
        return f"{self.name.rstrip('/')}/{name}"

    def _send(self, cell_id: str) -> None:
        """Send a cell's record and other files, or what is needed to resume it. The caller holds its claim."""
        self.sender.finish()
        folder, record = self.folder(cell_id), self.record(cell_id, parse_known_keys)
        remote = self._list_remote(f"cells/{cell_id}")[cell_id]
        unsent = record is not None and not self.tags.get(cell_id, RECORD)
        if unsent and RECORD in remote and _is_ok(self.remote.read(f"cells/{cell_id}/{RECORD}")):
            self._download({cell_id: remote})  # another machine has finished the cell first
        else:
            for name in FILES if unsent else ("log.txt",):
                if (folder / name).exists():
                    self.tags.put(cell_id, name, self.remote.put(folder / name, f"cells/{cell_id}/{name}"))
        if self.finished(cell_id) and (CHECKPOINT in remote or self.tags.get(cell_id, CHECKPOINT)):
            self.remote.remove(f"cells/{cell_id}/{CHECKPOINT}")
            self._drop(cell_id, CHECKPOINT)

    def _clean_up_remote(self, cell_id: str, names: Iterable[str]) -> None:
        """Remove what killed processes of this machine left: half-sent files, and checkpoints of finished cells."""
        finished = self.finished(cell_id)
        for name in names:
            if name.endswith(UPLOAD_SUFFIX) or (finished and name == CHECKPOINT):
                self._with_claim(cell_id, lambda name=name: self.remote.remove(f"cells/{cell_id}/{name}"))

    def _download(self, cells: Mapping[str, Mapping[str, str]], names: tuple[str, ...] = FILES) -> None:
        """Download files of cells, given the remote tags of each cell's files. The caller holds the cells' claims."""
        present = [(cell, name) for cell in cells for name in names if name in cells[cell]]
        files = [(cell, name, temporary_path(self.folder(cell) / name)) for cell, name in present]
        try:
            self.remote.get([(f"cells/{cell}/{name}", path) for cell, name, path in files])
            for cell, name, path in files:
                os.replace(path, self.folder(cell) / name)
                self.tags.put(cell, name, cells[cell][name])
        finally:
            for _, _, path in files:
                path.unlink(missing_ok=True)

    def _differs(self, cell_id: str, remote: Mapping[str, str]) -> bool:
        """Return whether the URL has a record that is not here, and no local record waits to be sent."""
        here = self.record(cell_id, parse_known_keys) is not None
        return RECORD in remote and not (here and self.tags.get(cell_id, RECORD) in ("", remote[RECORD]))

    def _list_remote(self, folder: str) -> dict[str, dict[str, str]]:
        """List the files below a folder at the URL: cell → file name → tag."""
        cells: dict[str, dict[str, str]] = defaultdict(dict)
        for name, tag in self.remote.tags(folder).items():
            match name.split("/"):
                case ["cells", cell, file] if cell not in ("", ".", ".."):
                    cells[cell][file] = tag
        return cells

    def _drop(self, cell_id: str, *names: str) -> None:
        for name in names:
            (self.root / "cells" / cell_id / name).unlink(missing_ok=True)
            self.tags.remove(cell_id, name)

    def _drop_removed(self, cell_id: str, tag: str) -> None:
        """Remove a cell that was removed at the URL, unless another process has written it anew meanwhile."""
        if self.tags.get(cell_id, RECORD) == tag:
            self._drop(cell_id, *FILES, CHECKPOINT)

    def _with_claim(self, cell_id: str, action: Callable[[], None]) -> None:
        """Do something with a cell unless another process holds it, which then takes care of it itself."""
        claim = self.claim(cell_id)
        if claim.take():
            try:
                action()
            finally:
                claim.release()


def _is_ok(content: bytes) -> bool:
    try:
        return parse_known_keys(content)["status"] == "ok"
    except ValueError:
        return False
