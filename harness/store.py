"""The results folder: `DIR/cells/<cell-id>/{record.json,predictions.jsonl,log.txt}`."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.errors import BenchError

SCHEMA = 1

Record = dict[str, Any]


class Store:
    """Reads and writes a results folder. Files appear whole or not at all."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def folder(self, cell_id: str) -> Path:
        """Where a cell's files lie; made when missing."""
        path = self.root / "cells" / cell_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, cell_id: str) -> Path:
        """The cell's log file."""
        return self.folder(cell_id) / "log.txt"

    def record(self, cell_id: str) -> Record | None:
        """A cell's record, or None where there is none that can be read."""
        path = self.root / "cells" / cell_id / "record.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return None  # cut off by a crash of another program: the cell counts as not run and is written anew
        return record if record.get("schema") == SCHEMA else None

    def finished(self, cell_id: str) -> bool:
        """True where the cell ended well and needs no other run."""
        record = self.record(cell_id)
        return record is not None and record["status"] == "ok"

    def records(self) -> Iterator[Record]:
        """All records, in the order of their ids.

        Raises:
            BenchError: there is no such results folder.
        """
        cells = self.root / "cells"
        if not cells.is_dir():
            raise BenchError(f"no results in {str(self.root)!r}; run: bench run --results {self.root} ...")
        for name in sorted(os.listdir(cells)):
            record = self.record(name)
            if record is not None:
                yield record

    def write(self, record: Record, predictions: Iterable[dict[str, Any]] = ()) -> None:
        """Write a cell's predictions and then its record, which makes the cell count as done."""
        folder = self.folder(record["id"])
        lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in predictions]
        if lines:
            write_text(folder / "predictions.jsonl", "".join(lines))
        write_text(
            folder / "record.json", json.dumps({"schema": SCHEMA, **record}, indent=1, ensure_ascii=False) + "\n"
        )

    def discard(self, cell_id: str) -> None:
        """Remove all that a cell left, if anything."""
        shutil.rmtree(self.root / "cells" / cell_id, ignore_errors=True)

    def predictions(self, cell_id: str) -> list[dict[str, Any]]:
        """One mapping for each test example: id, prediction, reference."""
        path = self.root / "cells" / cell_id / "predictions.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_text(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it, even after a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def timestamp(seconds: float) -> str:
    """A point of time as records hold it: UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
