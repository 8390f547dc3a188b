"""Compressed files, told by their first bytes whatever their names: gzip, bzip2, xz, Zstandard, and zip archives.

Nothing is written to the disk. What a file unpacks to is counted while it is unpacked, so that a small file cannot fill the
memory. An archive that was made to write elsewhere than into its own folder is not read at all.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.data.members import members
from harness.errors import BenchError, unknown

LIMIT = 2**32  # bytes that a file may unpack to; all of them are held in memory
RATIO = 100  # and so many times its size, which no text does: what does is made to fill memories
SMALL = 2**28  # bytes that any file may unpack to
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
TAR = b"ustar"  # at 257
INSIDE = ".zip!"  # archive.zip!member.csv
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _zstd(file: IO[bytes]) -> Any:
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")


# bzip2's second mark is pi; without it a text that begins with "BZh9" would be taken for one.
OPENERS: dict[str, tuple[Callable[[bytes], bool], Callable[[IO[bytes]], Any]]] = {
    "gzip": (lambda head: head.startswith(b"\x1f\x8b"), lambda file: gzip.GzipFile(fileobj=file)),
    "bzip2": (lambda head: head[:3] == b"BZh" and head[4:10] == b"1AY&SY", bz2.BZ2File),
    "xz": (lambda head: head.startswith(b"\xfd7zXZ\x00"), lzma.LZMAFile),
    "zstd": (lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), _zstd),
}
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError)


def decompress(data: bytes, path: Path) -> bytes:
    """The bytes of a file as they were before they were compressed; others come back as they are.

    Raises:
        BenchError: a broken or cut file, one that unpacks to more than `LIMIT`, a zip archive of several files, a tar archive.
    """
    data = _decompressed(data, path)
    if data[257:262] == TAR:
        raise BenchError(
            f"{path}: a tar archive, which is not read; unpack it and give its folder, or make a zip archive"
        )
    return data


def _decompressed(data: bytes, path: Path) -> bytes:
    if path.suffix.lower() == ".xlsx":
        return data  # a zip archive, which its reader opens
    if data.startswith((ZIP, EMPTY_ZIP)):
        return unzip(data, path, None)
    for name, (marked, opener) in OPENERS.items():
        if marked(data[:16]):
            try:
                with opener(io.BytesIO(data)) as stream:
                    return _bounded(stream, len(data), path)
            except BROKEN as error:
                raise BenchError(f"{path}: broken {name} file ({_brief(error)}); fetch it again") from None
    return data


def unzip(data: bytes, path: Path, member: str | None) -> bytes:
    """One file of a zip archive: `member`, or the only one that there is.

    Raises:
        BenchError: a broken archive, one with a password, no such member, or several members and none named.
    """
    with zip_errors(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = members(archive, path)
        if member is None:
            member = _only(names, path)
        if member not in names:
            raise unknown("member", member, names, where=str(path))
        with archive.open(member) as stream:
            return _bounded(stream, len(data), path)


def list_zip(path: Path) -> list[str]:
    """The names of an archive's files; see `harness.data.members`.

    Raises:
        BenchError: it is no zip archive, or none to be trusted.
    """
    from harness.data.file_layer import CHUNK, reject_stand_in  # which imports this module

    with path.open("rb") as file:
        reject_stand_in(file.read(CHUNK), path)
    with zip_errors(path), zipfile.ZipFile(path) as archive:
        return members(archive, path)


@contextmanager
def zip_errors(path: Path) -> Iterator[None]:
    """Tell in one line what `zipfile` finds wrong with an archive.

    Raises:
        BenchError: the archive is broken, has a password, or is packed in a way that is not read.
    """
    try:
        yield
    except NotImplementedError as error:  # a kind of RuntimeError, and so before it
        raise BenchError(f"{path}: packed in a way that is not read ({_brief(error)}); unpack it first") from None
    except RuntimeError:  # zipfile's word for a file that wants a password
        raise BenchError(f"{path}: has a password; unpack it first") from None
    except BROKEN as error:
        raise BenchError(f"{path}: broken zip archive ({_brief(error)}); fetch it again") from None


def split_member(path: str | Path) -> tuple[Path, str | None]:
    """`archive.zip!folder/member.csv` as the archive and the member's name; the member is None for any other path."""
    archive, mark, member = str(path).partition(INSIDE)
    return (Path(archive + INSIDE[:-1]), member) if mark else (Path(path), None)


def _only(names: list[str], path: Path) -> str:
    from harness.data.folder import is_data  # which imports this module

    if "[Content_Types].xml" in names:
        raise BenchError(f"{path}: an office document, not a data file; save it as CSV (or, of Excel, call it .xlsx)")
    if len(names) != 1:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        there = ", ".join(names[:5]) + more or "nothing"
        likely = next((name for name in names if is_data(Path(name))), names[0] if names else "data.csv")
        raise BenchError(f"{path}: {len(names)} files in the archive ({there}); name one, such as {path.name}!{likely}")
    return names[0]


def _bounded(stream: Any, size: int, path: Path) -> bytes:
    """What a stream holds; `size` is that of the compressed file."""
    data = stream.read(most(size) + 1)
    check_size(len(data), size, path)
    return data


def check_size(unpacked: int, size: int, path: Path) -> None:
    """Make sure that what a file of `size` bytes unpacks to may be held in memory.

    Raises:
        BenchError: it is too much.
    """
    if unpacked > most(size):
        raise BenchError(
            f"{path}: unpacks to more than {most(size) // 2**20} MiB; cut it into several files, or unpack it"
        )


def most(size: int) -> int:
    """The bytes that a file of so many may unpack to in memory."""
    return min(LIMIT, likely(size))


def likely(size: int) -> int:
    """The bytes that a compressed file of so many may unpack to, unless it was made to fill memories or disks."""
    return max(SMALL, RATIO * size)


def _brief(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
