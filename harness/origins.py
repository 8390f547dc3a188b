"""Notes on where the data of a results folder's tasks are on this machine, because records name no paths.

`DIR/data/<digest>.json` holds a task's definition and its files. The notes are for this machine alone: they are not sent to a
URL, and git ignores them. No score depends on them. They may be out of date, so compare fingerprints after reading data with
their help.
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
# The keys of a record's `task` that identify a task.
KEYS = ("name", "family", "version", "fingerprint", "columns", "labels", "options", "limit")
Facts = Mapping[str, Any]


def write_notes(root: Path, cells: Iterable[Cell]) -> None:
    """Write where the data of the cells' tasks are, except for sources that JSON cannot describe.

    Errors are ignored: the records matter more, and writing those reports an unwritable folder.
    """
    tasks = {id(cell.task): cell for cell in cells if cell.fingerprint}
    folder = root / FOLDER
    with suppress(OSError):
        for cell in tasks.values():
            source = _source_facts(cell.task.source)
            if source is None:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / ".gitignore", "*\n")
            content = {**cell.task.identity(), "source": source, "results": str(root.absolute())}
            facts = {**cell.task.identity(), "name": cell.task.title, "fingerprint": cell.fingerprint}
            _write(folder / _file_name(facts), json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        if folder.is_dir():
            remove_leftovers(folder)


def read_notes(root: Path, facts: Facts) -> list[Task]:
    """Return the tasks that a record's `task` may refer to, the most likely first; empty if there are no notes.

    If the results folder was moved, the second task has the files at the same place relative to it, in case the data
    were moved with it.
    """
    try:
        note = json.loads((root / FOLDER / _file_name(facts)).read_text(encoding="utf-8"))
        before, after = note["results"], str(root.absolute())
        tasks = [_task(note, lambda path: path)]
        if before != after:
            tasks.append(_task(note, lambda path: os.path.normpath(os.path.join(after, os.path.relpath(path, before)))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BenchError):
        return []  # there is none, or it was written by another version of bench
    return tasks


def _file_name(facts: Facts) -> str:
    # Old records lack some of the keys.
    identity = json.dumps({key: facts.get(key) for key in KEYS}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16] + ".json"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _source_facts(source: Source) -> dict[str, Any] | None:
    """Return a source as JSON; None if only code can make it again, such as a generator."""
    if isinstance(source, HubSource):
        return {"hub": asdict(source)}
    if isinstance(source, FileSource):
        files = _map_paths(source.files, lambda path: str(Path(path).expanduser().absolute()))
        return {"files": {"format": source.format, "files": files, "options": dict(source.options)}}
    return None


def _task(note: Facts, new_path: Callable[[str], str]) -> Task:
    """Return the task of a note; `new_path` maps each path to where it is now."""
    kind, facts = next(iter(note["source"].items()))
    source = HubSource(**facts) if kind == "hub" else FileSource(**{**facts, "files": _map_paths(facts["files"], new_path)})
    labels = note["labels"]
    fields = {key: note[key] for key in ("name", "family", "version", "columns", "options", "limit")}
    return Task(source=source, labels=tuple(labels) if isinstance(labels, list) else labels, **fields)


def _map_paths(files: Any, change: Callable[[Any], str]) -> Any:
    """Change each path in the files of a `FileSource`."""
    if isinstance(files, Mapping):
        return {key: _map_paths(entry, change) for key, entry in files.items()}
    return [_map_paths(entry, change) for entry in files] if isinstance(files, list | tuple) else change(files)
