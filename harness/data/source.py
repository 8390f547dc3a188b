"""Sources: where the rows of a task come from. Each can be read, fingerprinted, and pickled to a worker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.data.file_checks import check_lengths, equal_files, named_twice
from harness.data.file_layer import digest, is_file, reject_address
from harness.data.folder import by_split, is_data, matching, of_format, unused
from harness.data.hub_data import HubSource
from harness.data.readers import OF_TABLES, reader
from harness.data.splits import RULE, canonical
from harness.errors import BenchError

__all__ = ["FileSource", "GeneratedSource", "HubSource", "Source"]

Rows = dict[str, list[dict[str, Any]]]
File = str | Path
Files = File | list[File] | Mapping[str, File | list[File]]


@runtime_checkable
class Source(Protocol):
    """Where rows come from."""

    @property
    def revision(self) -> str | None:
        """The requested revision, for sources that have revisions; after `pinned()` a commit."""

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        """Return the raw rows of each split: `train`, `validation`, `test`, or `all` for a data set without splits.

        Args:
            report: Filled with split → what the reader reports (tagging scheme, repaired answers, ...).
        """

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of everything that decides which rows `read` returns."""

    def describe(self) -> str:
        """Return a short description for people and records, without any path of this machine."""

    def pinned(self) -> Source:
        """Return the source at the commit that its revision means now, so that a plan and its workers agree."""


@dataclass(frozen=True)
class FileSource:
    """Files on this machine.

    Attributes:
        format: A key of `harness.data.readers.READERS`.
        files: Split → path, pattern (`train-*.jsonl.gz`), folder, `archive.zip!member`, or a list of these; for format `lines`
            split → {column: ...}. The only file of a data set without splits is called `all`. A folder of that name is
            searched for files with usual names (see `harness.data.folder`).
        options: Options of the reader.
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
                if not all(isinstance(path, str | Path) for path in (entry if isinstance(entry, list) else [entry])):
                    raise BenchError(f"files of {split}: {entry!r} is neither a path nor a list of paths")

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        splits: Rows = {}
        resolved = self._resolve()
        for split, files in resolved.items():
            notes: dict[str, Any] = {}
            splits[split] = reader(self.format, self.options)(files, report=notes, **self.options)
            if not splits[split]:
                raise BenchError(
                    f"split {split} has no rows: nothing but blank lines in {_file_names(files)}, or a header at most"
                )
            check_lengths(splits[split])
            if repeated := named_twice(canonical(self.files).get(split)):
                notes |= {"named_twice": len(repeated), "named_twice_at": repeated}
            if report is not None:
                report[split] = notes
        if report is not None and sum(map(len, resolved.values())) > 1:
            for split, equal in equal_files(splits).items():
                for kind, names in equal.items():
                    report[split] |= {kind: len(names), f"{kind}_at": names}
        if report and (folder := self._folder()):
            rest = unused(folder, [path for files in resolved.values() for path in files])
            data = [name for name in rest if name.endswith("/") or is_data(Path(name))]
            report[next(iter(report))] |= {"unused": len(rest)} if rest else {}
            report[next(iter(report))] |= {"unused_data": len(data), "unused_data_at": data} if data else {}
        return splits

    def fingerprint(self) -> str:
        contents = {
            split: {column: [digest(path) for path in paths] for column, paths in files.items()}
            if isinstance(files, dict)
            else [digest(path) for path in files]
            for split, files in self._resolve().items()
        }
        # If the splits are made here, the rule decides which rows are tested.
        rule = {} if {"validation", "test"} <= set(contents) else {"split_rule": RULE}
        return _sha256({"format": self.format, "options": dict(self.options), "files": contents, **rule})

    def describe(self) -> str:
        return f"{self.format}: " + ", ".join(map(_file_names, self._resolve().values()))

    def pinned(self) -> FileSource:
        return self

    def _resolve(self) -> dict[str, list[Path] | dict[str, list[Path]]]:
        """Return split → its files, with patterns and folders expanded.

        Raises:
            BenchError: A file is in two splits, which would put test rows into the training, or is both sides of a translation.
        """
        resolved: dict[str, list[Path] | dict[str, list[Path]]] = {}
        owner: dict[Path, str] = {}
        folder = self._folder()
        named = by_split(of_format(folder, self._table), str(folder)) if folder else canonical(self.files)
        for split, files in named.items():
            if isinstance(files, Mapping):
                resolved[split] = {column: _expand(entry, None) for column, entry in files.items()}
                paths = [path for entry in resolved[split].values() for path in entry]
                sides: dict[Path, str] = {}
                for column, entry in resolved[split].items():
                    for path in entry:
                        if (other := sides.setdefault(path.resolve(), column)) != column:
                            raise BenchError(
                                f"{path}: used for both {other} and {column}, so that every line would be its own {column}; "
                                "name two files"
                            )
            else:
                resolved[split] = paths = _expand(files, self._table)
            for path in paths:
                if owner.setdefault(path.resolve(), split) != split:
                    raise BenchError(
                        f"{path}: used for both {owner[path.resolve()]} and {split}; a row may be in one split only"
                    )
        return resolved

    def _folder(self) -> Path | None:
        """Return the folder if `files` names a single one, else None."""
        files = canonical(self.files)
        only = files.get("all")
        if len(files) == 1 and isinstance(only, str | Path) and Path(only).expanduser().is_dir():
            return Path(only).expanduser()
        return None

    @property
    def _table(self) -> str:
        """The format of the files themselves, which their endings show."""
        return str(self.options.get("table", "csv")) if self.format in OF_TABLES else self.format


def _file_names(files: list[Path] | dict[str, list[Path]]) -> str:
    paths = [path for entry in files.values() for path in entry] if isinstance(files, dict) else files
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return " + ".join(path.name for path in paths[:3]) + more


def _expand(files: File | list[File], format: str | None) -> list[Path]:
    """Return the files that paths, patterns and folders stand for, each once.

    Args:
        files: The entries to expand.
        format: The format of the files to take from a folder; None if folders are not allowed.
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
    """Rows that a function generates, the same ones at every call.

    Attributes:
        generate: () → split → rows. It must be a function of a module, so that it can be pickled; rows hold JSON values only.
        name: The name of the source in records.
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
    """Return the sha256 of canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
