"""Sources: where the rows of a task come from. Each can be read, fingerprinted and pickled to a worker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.data.file_layer import digest, is_file, reject_address
from harness.data.folder import by_split, is_data, matching, of_format, unused
from harness.data.hub_data import HubSource
from harness.data.place import place
from harness.data.readers import OF_TABLES, reader
from harness.data.same_rows import equal_files
from harness.data.splits import RULE, canonical
from harness.errors import BenchError

__all__ = ["FileSource", "GeneratedSource", "HubSource", "Source"]

Rows = dict[str, list[dict[str, Any]]]
File = str | Path
LONGEST = 1_000_000  # characters of a cell: a novel; models read a tenth of it at most, and each step on the way holds it several times
Files = File | list[File] | Mapping[str, File | list[File]]


@runtime_checkable
class Source(Protocol):
    """Where rows come from."""

    @property
    def revision(self) -> str | None:
        """The revision asked for, for sources that have any; after `pinned()` a commit."""

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        """Split (`train`, `validation`, `test`, or `all` for a data set without splits) -> raw rows.

        A `report` is filled with split -> what the reader found (tagging scheme, repaired answers, ...).
        """

    def fingerprint(self) -> str:
        """sha256 (hex) of all that decides which rows `read` gives."""

    def describe(self) -> str:
        """A few words for people and records, without a path of this machine."""

    def pinned(self) -> Source:
        """The same source at the commit that its revision stands for now, so that a plan and its workers agree."""


@dataclass(frozen=True)
class FileSource:
    """Files on this machine.

    Attributes:
        format: a key of `harness.data.readers.READERS`.
        files: split -> path, pattern (`train-*.jsonl.gz`), folder, `archive.zip!member`, or list of these; for format
            `lines` split -> {column: ...}. The only file of a data set without splits is called `all`; a folder of that
            name is looked through for files of usual names (see `harness.data.folder`).
        options: what the reader takes beside the files.
    """

    format: str
    files: Mapping[str, Files]
    options: Mapping[str, Any] = field(default_factory=dict)
    revision: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        reader(self.format, self.options)
        if not self.files:
            raise BenchError("no files are named; give at least one, such as {all: data.csv}")
        for split, files in canonical(self.files).items():
            for entry in files.values() if isinstance(files, Mapping) else [files]:
                if not all(isinstance(one, str | Path) for one in (entry if isinstance(entry, list) else [entry])):
                    raise BenchError(f"files of {split}: {entry!r} is neither a path nor a list of paths")

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        splits: Rows = {}
        there = self._found()
        for split, files in there.items():
            found: dict[str, Any] = {}
            splits[split] = reader(self.format, self.options)(files, report=found, **self.options)
            if not splits[split]:
                raise BenchError(
                    f"split {split} has no rows: nothing but blank lines in {self._names(split)}, or a header at most"
                )
            _check_lengths(splits[split])
            if twice := _named_twice(canonical(self.files).get(split)):
                found["named_twice"] = len(twice)
                found["named_twice_at"] = twice
            if report is not None:
                report[split] = found
        if report is not None and sum(map(len, there.values())) > 1:
            for split, equal in equal_files(splits).items():
                for kind, names in equal.items():
                    report[split] |= {kind: len(names), f"{kind}_at": names}
        if report and (folder := self._folder()):
            read = [path for files in self._found().values() for path in files]
            if rest := unused(folder, read):
                data = [name for name in rest if name.endswith("/") or is_data(Path(name))]
                report[next(iter(report))] |= {
                    "unused": len(rest),
                    **({"unused_data": len(data), "unused_data_at": data} if data else {}),
                }
        return splits

    def fingerprint(self) -> str:
        contents = {
            split: {column: [digest(path) for path in paths] for column, paths in files.items()}
            if isinstance(files, dict)
            else [digest(path) for path in files]
            for split, files in self._found().items()
        }
        # Which rows are tested follows from the rule as well, where the splits are made here.
        made = {} if {"validation", "test"} <= set(contents) else {"split_rule": RULE}
        return _sha256({"format": self.format, "options": dict(self.options), "files": contents, **made})

    def describe(self) -> str:
        return f"{self.format}: " + ", ".join(self._names(split) for split in self._found())

    def pinned(self) -> FileSource:
        return self

    def _found(self) -> dict[str, list[Path] | dict[str, list[Path]]]:
        """Split -> its files, patterns filled in. A file in two splits would put test rows into the training."""
        found: dict[str, list[Path] | dict[str, list[Path]]] = {}
        owner: dict[Path, str] = {}
        for split, files in self._by_split().items():
            if isinstance(files, Mapping):
                found[split] = {column: _expand(entry, None) for column, entry in files.items()}
                paths = [path for entry in found[split].values() for path in entry]
                sides: dict[Path, str] = {}
                for column, entry in found[split].items():
                    for path in entry:
                        if (other := sides.setdefault(path.resolve(), column)) != column:
                            raise BenchError(f"{path}: used for both {other} and {column}, so that every line would be its own {column}; name two files")
            else:
                found[split] = paths = _expand(files, self._table)
            for path in paths:
                if owner.setdefault(path.resolve(), split) != split:
                    raise BenchError(
                        f"{path}: used for both {owner[path.resolve()]} and {split}; a row may be in one split only"
                    )
        return found

    def _by_split(self) -> dict[str, Any]:
        """The files by split; where the only entry is a folder, by the names in it."""
        folder = self._folder()
        return by_split(of_format(folder, self._table), str(folder)) if folder else canonical(self.files)

    def _folder(self) -> Path | None:
        """The folder that is the only entry, if it is one."""
        files = canonical(self.files)
        only = files.get("all")
        if len(files) == 1 and isinstance(only, str | Path) and Path(only).expanduser().is_dir():
            return Path(only).expanduser()
        return None

    @property
    def _table(self) -> str:
        """The format that the files' endings speak of."""
        return str(self.options.get("table", "csv")) if self.format in OF_TABLES else self.format

    def _names(self, split: str) -> str:
        files = self._found()[split]
        paths = [path for entry in files.values() for path in entry] if isinstance(files, dict) else files
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        return " + ".join(path.name for path in paths[:3]) + more


def _named_twice(files: Any) -> list[str]:
    """The paths that a list names again; they are read once."""
    names = [str(Path(one).expanduser()) for one in files] if isinstance(files, list) else []
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def _check_lengths(rows: list[dict[str, Any]]) -> None:
    """Make sure that no text is too long to work with.

    Raises:
        BenchError: one is; it names the row and the column.
    """
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and len(value) > LONGEST:
                raise BenchError(
                    f"{place(row, 'a row')}: {len(value):,} characters in column {name!r}, where {LONGEST:,} are the most; cut the text, "
                    "or if it has swallowed other rows mend the quote at its beginning"
                )


def _expand(files: File | list[File], format: str | None) -> list[Path]:
    """Paths as they are, patterns and folders as the files that match them, by name, each file once.

    Args:
        format: of the files to take from a folder; None where folders may not be given.
    """
    paths: list[Path] = []
    for entry in [files] if isinstance(files, str | Path) else files:
        reject_address(entry)
        path = Path(entry).expanduser()
        if is_file(path):  # even if its name looks like a pattern
            paths.append(path)
        elif path.is_dir() and format is not None:
            paths += of_format(path, format)
        else:
            matches = matching(path)
            if not matches:
                raise BenchError(f"{path}: " + ("a folder; name the files in it" if path.is_dir() else "no such file"))
            paths += matches
    return list(dict.fromkeys(paths))


@dataclass(frozen=True)
class GeneratedSource:
    """Rows that a function makes; the same ones at every call.

    Attributes:
        generate: () -> split -> rows; a function of a module, so that it can be pickled. Rows hold JSON values only.
        name: what records call it.
    """

    generate: Callable[[], Rows]
    name: str
    revision: str | None = field(default=None, init=False)

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        return {split: list(rows) for split, rows in canonical(self.generate()).items()}

    def fingerprint(self) -> str:
        return _sha256(self.read())

    def describe(self) -> str:
        return f"generated: {self.name}"

    def pinned(self) -> GeneratedSource:
        return self


def _sha256(content: Any) -> str:
    """Of the content's canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
