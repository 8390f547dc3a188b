"""The results folder: `DIR/cells/<cell-id>/{record.json,predictions.jsonl,log.txt}`."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.claim import NAME as CLAIM
from harness.claim import Claim
from harness.errors import BenchError
from harness.files import dump_json, remove_leftovers, write_text
from harness.record_schema import SCHEMA, DamagedRecord, parse_known_keys, parse_predictions, parse_record

CHECKPOINT = "checkpoint.safetensors"

Record = dict[str, Any]


class Store:
    """Reads and writes a results folder. Files appear whole or not at all. Who writes a cell's files has its claim.

    Attributes:
        root: the folder of this machine.
        name: what a person calls it; without secrets.
        shared: whether all who work on the results see this same folder; else see `harness.remote.mirror.Mirror`.
        damaged: id of each cell whose record was found to be damaged → what is wrong with it. Such a cell counts as not run.
    """

    shared = True

    def __init__(self, root: str | Path):
        self.root = Path(root)
        self.name = str(self.root)
        self.damaged: dict[str, str] = {}

    def sync(self, send: bool = False) -> None:
        """Bring what others have written, where they do not write into this folder."""

    def fetch(self, cell_id: str) -> None:
        """Bring what others have written of a cell, its checkpoint included; the caller has its claim."""

    def send(self, cell_id: str) -> str:
        """Bring a cell's files to where others see them, and return why that cannot be; the caller has its claim."""
        return ""

    def keep(self, cell_id: str) -> None:
        """Begin to bring a new checkpoint to where others see it."""

    def folder(self, cell_id: str) -> Path:
        """Where a cell's files lie; made when missing."""
        path = self.root / "cells" / cell_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, cell_id: str) -> Path:
        """The cell's log file."""
        return self.folder(cell_id) / "log.txt"

    def checkpoint(self, cell_id: str) -> Path:
        """Where the state of a cell that is under way is kept."""
        return self.folder(cell_id) / CHECKPOINT

    def claim(self, cell_id: str) -> Claim:
        """The right to write a cell's files."""
        return Claim(self.folder(cell_id))

    def look(self, cell_id: str) -> tuple[Record | None, str]:
        """How the cell ended, and the stamp of the record that says so, from one and the same file."""
        stamp = ""

        def parse(content: bytes) -> Record:
            nonlocal stamp
            stamp = hashlib.sha256(content).hexdigest()
            return parse_known_keys(content)

        return self.record(cell_id, parse), stamp

    def stamp(self, cell_id: str) -> str:
        """A digest of the cell's record as it is now, empty where there is none: whether another run has written one since."""
        return self.look(cell_id)[1]

    def record(self, cell_id: str, parse: Callable[[bytes], Record] = parse_record) -> Record | None:
        """A cell's record; None where there is none, or it is damaged, which `damaged` then says.

        Args:
            cell_id: of the cell.
            parse: from a file's content to as much of the record as is wanted, `id` included; raises ValueError where it
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
        """True where the cell ended well and needs no other run."""
        record = self.record(cell_id, parse_known_keys)
        return record is not None and record["status"] == "ok"

    def finished_among(self, cell_ids: Iterable[str]) -> set[str]:
        """Those of the cells that are `finished`; only what is there is opened."""
        try:
            there = set(os.listdir(self.root / "cells"))
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return {cell_id for cell_id in cell_ids if cell_id in there and self.finished(cell_id)}

    def records(self, parse: Callable[[bytes], Record] = parse_record) -> Iterator[Record]:
        """All records that are not damaged, in the order of their ids, each read when its turn comes; `parse` as for `record`.

        Raises:
            BenchError: there is no such results folder.
        """
        cells = self.root / "cells"
        if not cells.is_dir():
            raise BenchError(f"no results in {self.name!r}; run: bench run --results {self.name} ...")
        for name in sorted(os.listdir(cells)):
            record = self.record(name, parse)
            if record is not None:
                yield record

    def write(self, record: Record, predictions: Iterable[dict[str, Any]] = ()) -> None:
        """Write a cell's predictions and then its record, which makes the cell count as done.

        Raises:
            Damaged: the record could not be read again, as when a family gives a metric that is no number.
        """
        content = dump_json({"schema": SCHEMA, **record}, indent=1) + "\n"
        parse_known_keys(content.encode("utf-8", "surrogatepass"))
        folder = self.folder(record["id"])
        lines = [dump_json(line) + "\n" for line in predictions]
        if lines:
            write_text(folder / "predictions.jsonl", "".join(lines))
        write_text(folder / "record.json", content)

    def settle(self, cell_id: str) -> bool:
        """Whether a cell is finished; if so, nothing of it is kept to go on from. The caller has its claim."""
        done = self.finished(cell_id)
        if done:
            self.checkpoint(cell_id).unlink(missing_ok=True)
        return done

    def tidy(self, finished: Iterable[str] = ()) -> None:
        """Sweep up what killed processes of this machine left in the folder itself and in finished cells.

        Args:
            finished: ids of cells that nobody will run again; who runs a cell sweeps its folder.
        """
        if self.root.is_dir():
            remove_leftovers(self.root)
        for cell_id in finished:
            names = os.listdir(self.root / "cells" / cell_id)
            if any(name in (CLAIM, CHECKPOINT) or name.endswith(".tmp") for name in names):
                claim = self.claim(cell_id)
                if claim.take():  # else another run is about to remove them itself
                    try:
                        self.settle(cell_id)
                    finally:
                        claim.release()

    def discard(self, cell_id: str) -> None:
        """Remove all that a cell left, if anything."""
        shutil.rmtree(self.root / "cells" / cell_id, ignore_errors=True)

    def predictions(self, cell_id: str) -> list[dict[str, Any]]:
        """One mapping for each test example: id, prediction, reference, and what slices it is of.

        Raises:
            FileNotFoundError: there are none.
            Damaged: a line is not as `harness.record_schema.PredictionKeys` says.
        """
        return parse_predictions((self.root / "cells" / cell_id / "predictions.jsonl").read_bytes())


def timestamp(seconds: float) -> str:
    """A point of time as records hold it: UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
