"""The results folder: `DIR/cells/<cell-id>/{record.json,predictions.jsonl,log.txt}`, and the lock on each cell."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from harness.errors import BenchError
from harness.files import dump_json, remove_leftovers, write_text
from harness.record_parsing import DamagedRecord, parse_known_keys, parse_predictions, parse_record
from harness.record_schema import SCHEMA

CHECKPOINT = "checkpoint.safetensors"
CLAIM = ".claim"

Record = dict[str, Any]


class Claim:
    """The right to run a cell and to write its files. One process holds it at a time.

    It is an operating-system lock on a file in the cell's folder. The system releases it when its process dies, so a
    claim is never stale. Machines that share a folder need a file system with shared locks (NFS 4, Lustre with `flock`,
    CephFS, GPFS).

    Args:
        folder: the cell's folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = FileLock(folder / CLAIM, thread_local=False)

    def take(self) -> bool:
        """Take the claim and remove what a killed owner left half written. Return False if another process holds it."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        remove_leftovers(self.folder, everything=True)
        return True

    def release(self) -> None:
        """Release the claim. The file is removed first, while nobody else can hold it."""
        if self._lock.is_locked:
            (self.folder / CLAIM).unlink(missing_ok=True)
            self._lock.release()


class Store:
    """Reads and writes a results folder. Files are written atomically; whoever writes a cell's files holds its claim.

    Attributes:
        root: the folder on this machine.
        name: the folder as the person named it, without secrets.
        shared: whether everybody who works on the results sees this folder; if not, see `harness.remote.mirror.Mirror`.
        damaged: cell id → what is wrong with its record, for each damaged record read so far. Such a cell counts as not
            run.
    """

    shared = True

    def __init__(self, root: str | Path):
        self.root = Path(root)
        self.name = str(self.root)
        self.damaged: dict[str, str] = {}

    def sync(self, send: bool = False) -> None:
        """Download what others have written, if they write elsewhere; with `send`, upload this machine's results too."""

    def fetch(self, cell_id: str) -> None:
        """Download what others have written of a cell, including its checkpoint. The caller holds the claim."""

    def send(self, cell_id: str) -> str:
        """Upload a cell's files, and return why that failed, or "". The caller holds the claim."""
        return ""

    def upload_checkpoint(self, cell_id: str) -> None:
        """Start to upload a new checkpoint."""

    def folder(self, cell_id: str) -> Path:
        """Return the cell's folder; create it if it is missing."""
        path = self.root / "cells" / cell_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, cell_id: str) -> Path:
        """Return the path of the cell's log file."""
        return self.folder(cell_id) / "log.txt"

    def checkpoint(self, cell_id: str) -> Path:
        """Return the path of the cell's checkpoint, which exists while its training is unfinished."""
        return self.folder(cell_id) / CHECKPOINT

    def claim(self, cell_id: str) -> Claim:
        """Return the cell's claim, not yet taken."""
        return Claim(self.folder(cell_id))

    def record_and_digest(self, cell_id: str) -> tuple[Record | None, str]:
        """Return the cell's record (None if missing or damaged), with its known keys, and the file's digest ("" if missing)."""
        digest = ""

        def parse(content: bytes) -> Record:
            nonlocal digest
            digest = hashlib.sha256(content).hexdigest()
            return parse_known_keys(content)

        return self.record(cell_id, parse), digest

    def digest(self, cell_id: str) -> str:
        """Return the digest of the record file, "" if missing. It changes when another run writes the record."""
        return self.record_and_digest(cell_id)[1]

    def record(self, cell_id: str, parse: Callable[[bytes], Record] = parse_record) -> Record | None:
        """Return a cell's record; None if there is none, or if it is damaged, which `damaged` then explains.

        Args:
            parse: turns the file's content into a record, or a part of it that includes `id`; raises ValueError if it
                cannot.
        """
        path = f"{self.root}/cells/{cell_id}/record.json"
        try:
            with open(path, "rb", buffering=0) as file:
                record = parse(file.read())
            if record["id"] != cell_id:
                raise DamagedRecord(f"id is {record['id']!r}, and its folder is another cell's")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            self.damaged[cell_id] = str(error)
            return None
        self.damaged.pop(cell_id, None)
        return record

    def finished(self, cell_id: str) -> bool:
        """Whether the cell succeeded and needs no other run."""
        record = self.record(cell_id, parse_known_keys)
        return record is not None and record["status"] == "ok"

    def finished_among(self, cell_ids: Iterable[str]) -> set[str]:
        """Return the finished cells among these; only existing folders are opened."""
        try:
            existing = set(os.listdir(self.root / "cells"))
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return {cell_id for cell_id in cell_ids if cell_id in existing and self.finished(cell_id)}

    def records(self, parse: Callable[[bytes], Record] = parse_record) -> Iterator[Record]:
        """Yield all undamaged records in the order of their ids, each read when it is requested; `parse` as for `record`.

        Raises:
            BenchError: the results folder does not exist.
        """
        cells = self.root / "cells"
        if not cells.is_dir():
            raise BenchError(f"no results in {self.name!r}; run: bench run --results {self.name} ...")
        for cell_id in sorted(os.listdir(cells)):
            record = self.record(cell_id, parse)
            if record is not None:
                yield record

    def write(self, record: Record, predictions: Iterable[dict[str, Any]] = ()) -> None:
        """Write a cell's predictions, and then its record, which marks the cell as done.

        Raises:
            DamagedRecord: the record could not be read again, for example because a family returned a metric that is no
                number.
        """
        content = dump_json({"schema": SCHEMA, **record}, indent=1) + "\n"
        parse_known_keys(content.encode("utf-8", "surrogatepass"))
        folder = self.folder(record["id"])
        lines = [dump_json(line) + "\n" for line in predictions]
        if lines:
            write_text(folder / "predictions.jsonl", "".join(lines))
        write_text(folder / "record.json", content)

    def remove_checkpoint_if_finished(self, cell_id: str) -> bool:
        """Remove a finished cell's checkpoint; return whether the cell is finished. The caller holds the claim."""
        finished = self.finished(cell_id)
        if finished:
            self.checkpoint(cell_id).unlink(missing_ok=True)
        return finished

    def clean_up(self, finished: Iterable[str] = ()) -> None:
        """Remove what killed processes of this machine left in the results folder and in finished cells.

        Args:
            finished: ids of cells that will not run again. Any other cell is cleaned by the process that runs it.
        """
        if self.root.is_dir():
            remove_leftovers(self.root)
        for cell_id in finished:
            names = os.listdir(self.root / "cells" / cell_id)
            if any(name in (CLAIM, CHECKPOINT) or name.endswith(".tmp") for name in names):
                claim = self.claim(cell_id)
                if claim.take():  # otherwise another run is about to remove them
                    try:
                        self.remove_checkpoint_if_finished(cell_id)
                    finally:
                        claim.release()

    def discard(self, cell_id: str) -> None:
        """Remove the cell's folder, if it exists."""
        shutil.rmtree(self.root / "cells" / cell_id, ignore_errors=True)

    def predictions(self, cell_id: str) -> list[dict[str, Any]]:
        """Return the lines of `predictions.jsonl` (see `harness.record_schema.PredictionKeys`), one for each test row.

        Raises:
            FileNotFoundError: the cell has no predictions.
            DamagedRecord: a line does not fit the schema.
        """
        return parse_predictions((self.root / "cells" / cell_id / "predictions.jsonl").read_bytes())


def timestamp(seconds: float) -> str:
    """Return a Unix time as records hold it: UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
