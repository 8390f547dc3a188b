"""Which files of a repository of data are read: those in it, of formats that hold plain values, that unpack to a likely size.

A card (README.md) of a repository names its data files. It may name any address, and any file of this machine.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.data.compressed import BROKEN, EMPTY_ZIP, OPENERS, ZIP, likely, zip_errors
from harness.data.members import members
from harness.errors import BenchError

# Of `datasets`' own readers; `cache` is its name for what it has prepared already. The others are for pictures and
# sounds, or unpickle tensors (webdataset).
FORMATS = ("arrow", "cache", "conll", "csv", "json", "parquet", "text")
OTHERS = {b"\x04\x22\x4d\x18": "lz4", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
CHUNK = 2**20  # bytes
PLAIN = ("parquet", "arrow")  # whose files `datasets` does not unpack


def files_of(builder: Any) -> list[str]:
    """The addresses of a builder's files, each once; none where it has them from its own cache."""
    named = (str(name) for names in (getattr(builder.config, "data_files", None) or {}).values() for name in names)
    return list(dict.fromkeys(named))


def unpacks(builder: Any) -> bool:
    """Whether a builder would unpack compressed files."""
    return not any(_is(builder, name) for name in PLAIN)


def check_names(data_files: Mapping[str, str | list[str]] | None, where: str) -> None:
    """Make sure that the paths and patterns of a task file stay in the repository.

    Raises:
        BenchError: one does not.
    """
    for entry in (data_files or {}).values():
        for name in entry if isinstance(entry, list) else [entry]:
            if not isinstance(name, str) or name.startswith(("/", "~")) or "://" in name or _climbs(name):
                raise BenchError(
                    f"{where}: data_files: {name!r} leads out of the repository; give paths inside it, such as data/*.parquet"
                )


def check_builder(builder: Any, root: str, where: str) -> None:
    """Make sure of what a builder of `datasets` is going to read, before it reads it.

    Args:
        builder: the builder, its data files resolved.
        root: what the address of each of its files must begin with.
        where: the repository, for the errors.

    Raises:
        BenchError: files of a kind that is not read, or from elsewhere.
    """
    if not any(_is(builder, name) for name in FORMATS):
        kind = type(builder).__module__.rpartition(".")[2]
        raise BenchError(
            f"{where}: its files are of kind {kind}, which bench does not read; it reads parquet, JSON, CSV, Arrow, CoNLL and "
            "text: name such files of it with `data_files`"
        )
    for name in files_of(builder):
        if not name.startswith(root) or _climbs(name.removeprefix(root)):
            raise BenchError(
                f"{where}: its card names data outside of the repository ({name}), which no revision fixes; name files of the "
                "repository with `data_files`"
            )


def check_sizes(paths: Iterable[Path], where: str) -> None:
    """Make sure that compressed files unpack to no more than text can: `datasets` sets no limit.

    Raises:
        BenchError: one does not, is a broken one, or is of a kind that cannot be looked into.
    """
    for path in paths:
        with path.open("rb") as file:
            head = file.read(16)
        opener = next((opener for marked, opener in OPENERS.values() if marked(head)), None)
        other = next((name for mark, name in OTHERS.items() if head.startswith(mark)), None)
        if other:
            raise BenchError(f"{where}: {path.name} is packed as {other}, which is not read; use other files of it")
        try:
            if head.startswith((ZIP, EMPTY_ZIP)):
                there = Path(f"{where}/{path.name}")
                with zip_errors(there), zipfile.ZipFile(path) as archive:
                    members(archive, there)
                    size = sum(one.file_size for one in archive.infolist())
            else:
                size = _unpacked(path, opener) if opener else 0
        except BROKEN as error:
            raise BenchError(
                f"{where}: {path.name} is broken ({' '.join(str(error).split())}); fetch it again"
            ) from None
        if size > likely(path.stat().st_size):
            limit = likely(path.stat().st_size) // 2**20
            raise BenchError(
                f"{where}: {path.name} unpacks to more than {limit} MiB, which no text does; it is not read"
            )


def _unpacked(path: Path, opener: Any) -> int:
    """How many bytes it unpacks to, or some number above the limit."""
    size, limit = 0, likely(path.stat().st_size)
    with path.open("rb") as file, opener(file) as stream:
        while size <= limit and (part := stream.read(CHUNK)):
            size += len(part)
    return size


def _is(builder: Any, name: str) -> bool:
    """Whether it is the reader of that name in `datasets`, as it is or configured for a repository."""
    return any(kind.__module__ == f"datasets.packaged_modules.{name}.{name}" for kind in type(builder).__mro__)


def _climbs(name: str) -> bool:
    return ".." in name.replace("\\", "/").split("/")
