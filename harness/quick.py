"""The quick case `family:path`: a task from a data file alone."""

from __future__ import annotations

from pathlib import Path

from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.task import Task

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".json": "json",
    ".conll": "conll",
    ".bio": "conll",
    ".bmes": "conll",
    ".iob": "conll",
}


def quick_task(family: TaskFamily, path: str) -> Task:
    """A task made of one file: the format by its ending, the columns by their usual names, 60/20/20 splits.

    Raises:
        BenchError: no such file, an unknown ending, or no column with a usual name.
    """
    file = Path(path).expanduser()
    plain = file.with_suffix("") if file.suffix == ".gz" else file
    kind = next((FORMATS[suffix] for suffix in reversed(plain.suffixes) if suffix in FORMATS), None)
    if not file.is_file():
        raise BenchError(f"task {family.name}:{path}: no such file")
    if kind is None and plain.suffix == ".txt" and "words" in family.columns:
        kind = "conll"
    if kind == "json" and "context" in family.columns:
        kind = "squad"
    if kind is None:
        raise BenchError(
            f"task {family.name}:{path}: the ending {plain.suffix!r} is unknown; valid: {', '.join(FORMATS)}; or write a task file"
        )
    source = FileSource(kind, {"all": str(file)})
    columns = _guess(family, source, path)
    taken = ", ".join(f"{name} from {column!r}" for name, column in columns.items())
    return Task(plain.stem, family.name, source, columns=columns, description=f"{taken}; split 60/20/20")


def _guess(family: TaskFamily, source: FileSource, path: str) -> dict[str, str]:
    """The data set's column for each of the family's, by the names that such columns usually have."""
    found = next(iter(source.read()["all"]), {})
    by_name = {name.strip().lower(): name for name in found}
    columns = {}
    for name in (*family.columns, *family.optional_columns):
        usual = [name, *family.usual_names.get(name, ())]
        match = next((by_name[candidate] for candidate in usual if candidate in by_name), None)
        if match is not None:
            columns[name] = match
        elif name in family.columns:
            raise BenchError(
                f"task {family.name}:{path}: none of its columns ({', '.join(found)}) is called {' or '.join(usual)}; "
                "write a task file with `columns:`, or rename one"
            )
    return columns
