"""Check which files of a Hub data set are read: files of the repository, in safe formats, of a plausible unpacked size.

The card (README.md) of a repository names its data files. It could name any address, and any file of this machine.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.data.compressed import BROKEN, EMPTY_ZIP, OPENERS, ZIP, members, plausible_size, zip_errors
from harness.errors import BenchError

# Readers of `datasets`; `cache` is its name for data that it has prepared already. Its other readers are for images and
# audio, or unpickle tensors (webdataset).
FORMATS = ("arrow", "cache", "conll", "csv", "json", "parquet", "text")
UNSUPPORTED = {b"\x04\x22\x4d\x18": "lz4", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
CHUNK = 2**20  # bytes
NEVER_PACKED = ("parquet", "arrow")  # readers of `datasets` that do not unpack files


def files_of(builder: Any) -> list[str]:
    """Return the distinct addresses of a builder's files; none if it reads from its own cache."""
    data_files = getattr(builder.config, "data_files", None) or {}
    return list(dict.fromkeys(str(name) for names in data_files.values() for name in names))


def unpacks(builder: Any) -> bool:
    """Whether a builder would unpack compressed files."""
    return not any(_is_reader(builder, name) for name in NEVER_PACKED)


def check_names(data_files: Mapping[str, str | list[str]] | None, where: str) -> None:
    """Raise an error if a path or pattern of a task file leads out of the repository."""
    for entry in (data_files or {}).values():
        for name in entry if isinstance(entry, list) else [entry]:
            if not isinstance(name, str) or name.startswith(("/", "~")) or "://" in name or _goes_up(name):
                raise BenchError(
                    f"{where}: data_files: {name!r} leads out of the repository; give paths inside it, such as data/*.parquet"
                )


def check_builder(builder: Any, root: str, where: str) -> None:
    """Raise an error if a builder of `datasets` would read files of another format or outside of the repository.

    Args:
        builder: The builder, with resolved data files.
        root: The prefix that the address of each file must have.
        where: The repository, for error messages.
    """
    if not any(_is_reader(builder, name) for name in FORMATS):
        kind = type(builder).__module__.rpartition(".")[2]
        raise BenchError(
            f"{where}: its files are of kind {kind}, which bench does not read; it reads parquet, JSON, CSV, Arrow, CoNLL and "
            "text: name such files of it with `data_files`"
        )
    for name in files_of(builder):
        if not name.startswith(root) or _goes_up(name.removeprefix(root)):
            raise BenchError(
                f"{where}: its card names data outside of the repository ({name}), which no revision fixes; name files of the "
                "repository with `data_files`"
            )


def check_sizes(paths: Iterable[Path], where: str) -> None:
    """Raise an error if a compressed file is broken or unpacks to an implausible size: `datasets` itself sets no limit."""
    for path in paths:
        with path.open("rb") as file:
            head = file.read(16)
        opener = next((opener for matches, opener in OPENERS.values() if matches(head)), None)
        unsupported = next((name for mark, name in UNSUPPORTED.items() if head.startswith(mark)), None)
        if unsupported:
            raise BenchError(f"{where}: {path.name} is packed as {unsupported}, which is not read; use other files of it")
        limit = plausible_size(path.stat().st_size)
        try:
            if head.startswith((ZIP, EMPTY_ZIP)):
                shown = Path(f"{where}/{path.name}")
                with zip_errors(shown), zipfile.ZipFile(path) as archive:
                    members(archive, shown)
                    size = sum(info.file_size for info in archive.infolist())
            else:
                size = _unpacked_size(path, opener, limit) if opener else 0
        except BROKEN as error:
            raise BenchError(f"{where}: {path.name} is broken ({' '.join(str(error).split())}); fetch it again") from None
        if size > limit:
            raise BenchError(
                f"{where}: {path.name} unpacks to more than {limit // 2**20} MiB, which no text does; it is not read"
            )


def _unpacked_size(path: Path, opener: Any, limit: int) -> int:
    """Return the number of bytes a file unpacks to, or some number above the limit."""
    size = 0
    with path.open("rb") as file, opener(file) as stream:
        while size <= limit and (part := stream.read(CHUNK)):
            size += len(part)
    return size


def _is_reader(builder: Any, name: str) -> bool:
    """Whether a builder is the reader of that name in `datasets`, or one that is derived from it for a repository."""
    return any(kind.__module__ == f"datasets.packaged_modules.{name}.{name}" for kind in type(builder).__mro__)


def _goes_up(name: str) -> bool:
    return ".." in name.replace("\\", "/").split("/")
