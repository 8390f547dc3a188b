"""Read gzip, bzip2, xz and Zstandard files and zip archives, recognised by their first bytes whatever their names.

Nothing is written to disk. The unpacked size is limited, so that a small file cannot fill the memory, and an archive that was
made to write outside its own folder is not read at all.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.errors import BenchError, unknown

LIMIT = 2**32  # bytes a file may unpack to; all of them are held in memory
RATIO = 100  # largest ratio of unpacked to packed size; no text reaches it, but files made to fill memories do
SMALL = 2**28  # bytes that any file may unpack to, whatever the ratio
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
TAR = b"ustar"  # at offset 257
INSIDE = ".zip!"  # as in archive.zip!member.csv
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _zstd(file: IO[bytes]) -> Any:
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")


# name → (test of the first 16 bytes, opener). bzip2's second magic number is needed: a text may begin with "BZh9".
OPENERS: dict[str, tuple[Callable[[bytes], bool], Callable[[IO[bytes]], Any]]] = {
    "gzip": (lambda head: head.startswith(b"\x1f\x8b"), lambda file: gzip.GzipFile(fileobj=file)),
    "bzip2": (lambda head: head[:3] == b"BZh" and head[4:10] == b"1AY&SY", bz2.BZ2File),
    "xz": (lambda head: head.startswith(b"\xfd7zXZ\x00"), lzma.LZMAFile),
    "zstd": (lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), _zstd),
}
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError)


def decompress(data: bytes, path: Path) -> bytes:
    """Return the unpacked contents of a file; data that are not compressed are returned unchanged.

    Raises:
        BenchError: The file is broken, unpacks to more than `max_size`, or is a tar archive or a zip archive of several files.
    """
    data = _decompress(data, path)
    if data[257:262] == TAR:
        raise BenchError(f"{path}: a tar archive, which is not read; unpack it and give its folder, or make a zip archive")
    return data


def _decompress(data: bytes, path: Path) -> bytes:
    if path.suffix.lower() == ".xlsx":
        return data  # a zip archive that the Excel reader opens
    if data.startswith((ZIP, EMPTY_ZIP)):
        return unzip(data, path, None)
    for name, (matches, opener) in OPENERS.items():
        if matches(data[:16]):
            try:
                with opener(io.BytesIO(data)) as stream:
                    return _read_limited(stream, len(data), path)
            except BROKEN as error:
                raise BenchError(f"{path}: broken {name} file ({_one_line(error)}); fetch it again") from None
    return data


def unzip(data: bytes, path: Path, member: str | None) -> bytes:
    """Return the contents of one file of a zip archive: `member`, or the only file.

    Raises:
        BenchError: The archive is broken or has a password, the member does not exist, or none of several is named.
    """
    with zip_errors(path), zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = members(archive, path)
        if member is None:
            member = _only_member(names, path)
        if member not in names:
            raise unknown("member", member, names, where=str(path))
        with archive.open(member) as stream:
            return _read_limited(stream, len(data), path)


def list_zip(path: Path) -> list[str]:
    """Return the names of an archive's files, see `members`."""
    from harness.data.file_layer import CHUNK, reject_stand_in  # imports this module

    with path.open("rb") as file:
        reject_stand_in(file.read(CHUNK), path)
    with zip_errors(path), zipfile.ZipFile(path) as archive:
        return members(archive, path)


def members(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """Return the names of the files in an archive, without folders, hidden files and metadata of macOS.

    Raises:
        BenchError: A member's name leads out of the archive's folder, or a member is a link or device. Then no member is read,
            although reading alone would do no harm: whoever made the archive intended harm.
    """
    for info in archive.infolist():
        if re.match(r"[/\\]|[A-Za-z]:", info.filename) or ".." in re.split(r"[/\\]", info.filename):
            problem = "leads out of the archive's folder"
        elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a device, not a file"
        else:
            continue
        raise BenchError(f"{path}: {info.filename!r} {problem}, so the archive is not read; make it anew from plain files")
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    ]


@contextmanager
def zip_errors(path: Path) -> Iterator[None]:
    """Turn the errors of `zipfile` into BenchErrors: a broken archive, a password, an unsupported compression."""
    try:
        yield
    except NotImplementedError as error:  # a subclass of RuntimeError, so it comes first
        raise BenchError(f"{path}: packed in a way that is not read ({_one_line(error)}); unpack it first") from None
    except RuntimeError:  # what zipfile raises for an encrypted file
        raise BenchError(f"{path}: has a password; unpack it first") from None
    except BROKEN as error:
        raise BenchError(f"{path}: broken zip archive ({_one_line(error)}); fetch it again") from None


def split_member(path: str | Path) -> tuple[Path, str | None]:
    """Split `archive.zip!folder/member.csv` into archive and member; the member of any other path is None."""
    archive, mark, member = str(path).partition(INSIDE)
    return (Path(archive + INSIDE[:-1]), member) if mark else (Path(path), None)


def check_size(unpacked: int, size: int, path: Path) -> None:
    """Raise an error if a file of `size` bytes unpacks to more than is allowed."""
    if unpacked > max_size(size):
        raise BenchError(f"{path}: unpacks to more than {max_size(size) // 2**20} MiB; cut it into several files, or unpack it")


def max_size(size: int) -> int:
    """Return the number of bytes that a file of `size` bytes may unpack to in memory."""
    return min(LIMIT, plausible_size(size))


def plausible_size(size: int) -> int:
    """Return the number of bytes that a file of `size` bytes may unpack to unless it was made to fill memory or disk."""
    return max(SMALL, RATIO * size)


def _read_limited(stream: Any, size: int, path: Path) -> bytes:
    """Read a stream; `size` is that of the compressed file."""
    data = stream.read(max_size(size) + 1)
    check_size(len(data), size, path)
    return data


def _only_member(names: list[str], path: Path) -> str:
    from harness.data.folder import is_data  # imports this module

    if "[Content_Types].xml" in names:
        raise BenchError(f"{path}: an office document, not a data file; save it as CSV (or, of Excel, call it .xlsx)")
    if len(names) != 1:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        contents = ", ".join(names[:5]) + more or "nothing"
        example = next((name for name in names if is_data(Path(name))), names[0] if names else "data.csv")
        raise BenchError(f"{path}: {len(names)} files in the archive ({contents}); name one, such as {path.name}!{example}")
    return names[0]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
