"""Files as text: compression seen through, encodings checked, errors that name the file and the line."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.data.compressed import decompress, split_member, unzip
from harness.errors import BenchError
from harness.safe_text import short

DEFAULT = "utf-8-sig"  # UTF-8 with or without a byte order mark
CHUNK = 1024  # bytes: what stands for a file is shorter
# What stands in the place of a file that has not been fetched: the first bytes, and the command that fetches it.
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/[^\n]*\n(?:[^\n]*\n)*?size (?P<size>\d+)")
ANNEX = re.compile(rb"(\.\./)*/?(\.git/)?annex/objects/\S+\s*")
ADDRESS = re.compile(r"(https?|ftps?|s3|gs|gcs|az|abfss?|hdfs|hf|file|ssh|sftp):/+(.*)", re.IGNORECASE | re.DOTALL)
HUB = re.compile(r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)|hf:/)/datasets/([\w.-]+/[\w.-]+)")
PAGE = re.compile(rb"\s*(<!doctype html|<html[\s>])", re.IGNORECASE)


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes, decompressed (see `harness.data.compressed`); `archive.zip!member.csv` is a file in an archive."""
    file, member = (Path(path), None) if Path(path).is_file() else split_member(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BenchError(f"{file}: no such file") from None
    except OSError as error:
        raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
    reject_stand_in(data, file)
    if member is None:
        return decompress(data, file)
    data = unzip(data, file, member)
    reject_stand_in(data, path)
    return decompress(data, Path(path))


def reject_stand_in(data: bytes, path: str | Path) -> None:
    """Make sure that bytes are a file's own, and not what stands in its place until it is fetched.

    Args:
        data: the file's bytes, or its first `CHUNK`.

    Raises:
        BenchError: a pointer of Git LFS or git-annex, or a web page that was saved under the file's name.
    """
    head = data[:CHUNK]
    if pointer := POINTER.match(head):
        raise BenchError(
            f"{path}: is a Git LFS pointer, not the file ({_megabytes(int(pointer['size']))}); run: git lfs pull"
        )
    if len(data) < CHUNK and ANNEX.fullmatch(head):
        raise BenchError(f"{path}: is a git-annex pointer, not the file; run: git annex get {Path(path).name}")
    if PAGE.match(head) and Path(path).suffix.lower() not in (".html", ".htm", ".txt", ""):
        raise BenchError(f"{path}: is a web page (HTML), not the file; download the file itself (its raw address)")


def reject_stand_ins(folder: Path) -> None:
    """The same for the files of a folder: those that are short enough to be pointers are looked into.

    Raises:
        BenchError: as `reject_stand_in`, for the first one.
    """
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.stat().st_size <= CHUNK:
            reject_stand_in(file.read_bytes(), file)


CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# First bytes of files that are no text → what they are, and what to do.
BINARY = {
    b"PAR1": "a Parquet file; call it .parquet (format: parquet)",
    b"ARROW1": "an Arrow file; call it .arrow (format: arrow)",
    b"FEA1": "a file of Feather 1, which is no longer read; write it again as Parquet",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file (.xls, .doc); save it as CSV",
    b"SQLite format 3\0": "an SQLite database; write its table as CSV",
    b"%PDF-": "a PDF; save its table as CSV",
    b"\x89HDF": "an HDF5 file; write its table as Parquet",
    b"\x80\x02": "a pickle, which is not read since it can run code; write it as Parquet or CSV",
    b"\x80\x03": "a pickle, which is not read since it can run code; write it as Parquet or CSV",
    b"\x80\x04": "a pickle, which is not read since it can run code; write it as Parquet or CSV",
    b"\x80\x05": "a pickle, which is not read since it can run code; write it as Parquet or CSV",
    b"\x93NUMPY": "an array of numpy; write it as Parquet or CSV",
    b"Obj\x01": "an Avro file; write it as Parquet",
    b"ORC": "an ORC file; write it as Parquet",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive, which is not read; unpack it and give its folder, or make a zip archive",
    b"Rar!\x1a\x07": "a RAR archive, which is not read; unpack it and give its folder, or make a zip archive",
}


def reject_binary(data: bytes, path: str | Path) -> None:
    """Make sure that the bytes of a text are not those of a file of another kind.

    Raises:
        BenchError: they are; what it is.
    """
    what = next((what for mark, what in BINARY.items() if data.startswith(mark)), None)
    if what and (CONTROL.search(data, 0, CHUNK) or data.startswith(b"%PDF-")):  # a text may begin with letters such as ORC
        raise BenchError(f"{path}: is no text but {what}")


def _megabytes(size: int) -> str:
    return f"{size / 10**6:,.1f} MB" if size >= 10**5 else f"{size:,} bytes"


def reject_address(reference: str | Path) -> None:
    """Make sure that a file or folder is meant, and no address of the internet, which is not read.

    Args:
        reference: as it was written; of a path the second slash may be gone.

    Raises:
        BenchError: an address; how to come from there to a file.
    """
    match = ADDRESS.match(str(reference))
    if match is None or Path(reference).expanduser().exists():
        return
    scheme, rest = match[1].lower(), match[2]
    where = f"{short(f'{scheme}://{rest}', 200)}: is an address, not a file"
    if scheme == "file":
        raise BenchError(
            f"file:///{short(rest, 200)}: is an address, not a file; write the path alone: /{short(rest, 200)}"
        )
    if hub := HUB.match(f"{scheme}://{rest}"):
        raise BenchError(
            f"{where}; in a task file (bench task new NAME) write data: {{hub: {hub[1]}}} for this data set of the Hub"
        )
    how = (
        f"download it first (curl -LO {shlex.quote(f'{scheme}://{rest}')})"
        if scheme.startswith(("http", "ftp"))
        else "copy it here first"
    )
    raise BenchError(
        f"{where}; {how} and name the file, or in a task file write data: {{hub: OWNER/NAME}} for a data set of the Hub"
    )


def is_file(path: str | Path) -> bool:
    """Whether there is such a file, or such an archive where the path names a member."""
    return Path(path).is_file() or split_member(path)[0].is_file()


def digest(path: str | Path) -> str:
    """The sha256 of a file's contents, decompressed: a file and its .gz have the same one."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def read_text(path: str | Path, encoding: str = DEFAULT) -> str:
    """A file's text. The default encoding is UTF-8 with or without a byte order mark.

    Line ends are left as they are, but for a file whose lines all end in a lone carriage return, as old Macs wrote them: these
    become newlines.

    Raises:
        BenchError: the file is missing, is not in this encoding, or holds NUL and so is no text.
    """
    data = read_bytes(path)
    reject_binary(data, path)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_in(encoding, data, error, path) from None
    except (LookupError, ValueError):
        raise BenchError(
            f"{path}: unknown encoding {encoding!r}; use a name such as utf-8, utf-16 or gb18030"
        ) from None
    if "\0" in text:
        from harness.data.encoding import marked

        line = text.count("\n", 0, text.index("\0")) + 1
        mark = marked(data)
        raise BenchError(
            f"{path}:{line}: holds a NUL character, so it is no {encoding} text; if it is a text, state its `encoding` in a task file{f' ({mark}, by its first bytes)' if mark else ''}"
        )
    return text.replace("\r", "\n") if "\n" not in text and "\r" in text else text


def _not_in(encoding: str, data: bytes, error: UnicodeDecodeError, path: str | Path) -> BenchError:
    """The error for a text that is not in its encoding: the first place, and which encoding it may have."""
    from harness.data import encoding as guessing

    line = data.count(b"\n" if b"\n" in data else b"\r", 0, error.start) + 1
    column = error.start - max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start))
    where = f"{path}:{line}: not {encoding} text ({error.reason}: 0x{data[error.start]:02x}, byte {column} of the line)"
    if encoding.lower().startswith("utf-8"):
        if mark := guessing.marked(data):
            return BenchError(f"{where}; state its `encoding` in a task file ({mark}, by its first bytes)")
        if guessing.is_damaged_utf8(data):
            return BenchError(
                f"{where}; most of the file is UTF-8, so lines of it are damaged: mend them or fetch the file again"
            )
        if guess := guessing.guess(data):
            shown = f"a guess: {guess.encoding}, with which it reads “{guess.sample}”"
            return BenchError(f"{where}; state its `encoding` in a task file ({shown})")
    return BenchError(f"{where}; state its `encoding` in a task file, such as latin-1, cp1252 or gb18030")


def split_lines(text: str) -> list[str]:
    r"""Lines without their ends. Only "\n" and "\r\n" end a line.

    `str.splitlines` would also break at U+0085, U+2028 and others that occur inside sentences, and then everything
    after them is out of step.
    """
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def as_paths(files: str | Path | Iterable[str | Path] | Mapping[str, object]) -> list[Path]:
    """One path or several, as a list. A mapping of columns is refused: only line-parallel text has one."""
    if isinstance(files, Mapping):
        raise BenchError(
            f"a file for each of {', '.join(files)}: only format 'lines' has a file per column; give a path"
        )
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
