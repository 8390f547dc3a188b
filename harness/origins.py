"""Where the data of a results folder's tasks lie on this machine: records name no paths, so each run notes them.

`DIR/data/<digest>.json` holds a task's definition and its files. The notes are for this machine alone: they are not sent to a
URL, and git ignores them. No score depends on them. They may be out of date, so whoever reads data by them has to compare
fingerprints.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.data.source import FileSource, HubSource, Source
from harness.errors import BenchError
from harness.files import remove_leftovers, write_text
from harness.task import Task

FOLDER = "data"
# Of a record's `task`: what tells one task from another.
KEYS = ("name", "family", "version", "fingerprint", "columns", "labels", "options", "limit")
Facts = Mapping[str, Any]


def note(root: Path, cells: Iterable[Cell]) -> None:
    """Write down where the data of the cells' tasks are; those that the notes cannot describe are left out.

    A folder that cannot be written gets no notes: the records matter more, and whoever writes them tells of it.
    """
    tasks = {id(cell.task): cell for cell in cells if cell.fingerprint}
    folder = root / FOLDER
    with suppress(OSError):
        for cell in tasks.values():
            source = _told(cell.task.source)
            if source is None:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / ".gitignore", "*\n")
            known = {**cell.task.identity(), "source": source, "results": str(root.absolute())}
            facts = {**cell.task.identity(), "name": cell.task.title, "fingerprint": cell.fingerprint}
            _write(folder / _name(facts), json.dumps(known, indent=1, ensure_ascii=False) + "\n")
        if folder.is_dir():
            remove_leftovers(folder)


def noted(root: Path, facts: Facts) -> list[Task]:
    """The tasks that a record's `task` may be by the notes, the most likely first; none where there are no notes.

    Where results and data were moved together, the second one has the files at their places relative to the results.
    """
    try:
        known = json.loads((root / FOLDER / _name(facts)).read_text(encoding="utf-8"))
        before, after = known["results"], str(root.absolute())
        found = [_task(known, lambda path: path)]
        if before != after:
            found.append(_task(known, lambda path: os.path.normpath(os.path.join(after, os.path.relpath(path, before)))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BenchError):
        return []  # there is none, or one of another version of bench
    return found


def _name(facts: Facts) -> str:
    """The name of a task's note."""
    # A record without a key is older than that key.
    identity = json.dumps({key: facts.get(key) for key in KEYS}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16] + ".json"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _told(source: Source) -> dict[str, Any] | None:
    """A source as JSON; None for one that only code can make again, such as a generator's."""
    if isinstance(source, HubSource):
        return {"hub": asdict(source)}
    if isinstance(source, FileSource):
        files = _each(source.files, lambda path: str(Path(path).expanduser().absolute()))
        return {"files": {"format": source.format, "files": files, "options": dict(source.options)}}
    return None


def _task(known: Facts, place: Callable[[str], str]) -> Task:
    """The task of a note; `place` says where a path is now."""
    kind, told = next(iter(known["source"].items()))
    source = HubSource(**told) if kind == "hub" else FileSource(**{**told, "files": _each(told["files"], place)})
    labels = known["labels"]
    parts = {key: known[key] for key in ("name", "family", "version", "columns", "options", "limit")}
    return Task(source=source, labels=tuple(labels) if isinstance(labels, list) else labels, **parts)


def _each(files: Any, change: Callable[[Any], str]) -> Any:
    """The files of a `FileSource`, each path changed."""
    if isinstance(files, Mapping):
        return {key: _each(entry, change) for key, entry in files.items()}
    return [_each(entry, change) for entry in files] if isinstance(files, list | tuple) else change(files)
