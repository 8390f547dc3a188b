"""Read files as bytes or text: unpack them, check their encoding, and name the file and line in every error."""

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
CHUNK = 1024  # bytes; pointer files are shorter
# Pointer files of Git LFS and git-annex stand in for a file that has not been fetched.
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/[^\n]*\n(?:[^\n]*\n)*?size (?P<size>\d+)")
ANNEX = re.compile(rb"(\.\./)*/?(\.git/)?annex/objects/\S+\s*")
PAGE = re.compile(rb"\s*(<!doctype html|<html[\s>])", re.IGNORECASE)
ADDRESS = re.compile(r"(https?|ftps?|s3|gs|gcs|az|abfss?|hdfs|hf|file|ssh|sftp):/+(.*)", re.IGNORECASE | re.DOTALL)
HUB = re.compile(r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)|hf:/)/datasets/([\w.-]+/[\w.-]+)")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
PICKLE = "a pickle, which is not read since it can run code; write it as Parquet or CSV"
# First bytes of binary files → what the file is, and what to do.
BINARY = {
    b"PAR1": "a Parquet file; call it .parquet (format: parquet)",
    b"ARROW1": "an Arrow file; call it .arrow (format: arrow)",
    b"FEA1": "a file of Feather 1, which is no longer read; write it again as Parquet",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file (.xls, .doc); save it as CSV",
    b"SQLite format 3\0": "an SQLite database; write its table as CSV",
    b"%PDF-": "a PDF; save its table as CSV",
    b"\x89HDF": "an HDF5 file; write its table as Parquet",
    **dict.fromkeys((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), PICKLE),
    b"\x93NUMPY": "an array of numpy; write it as Parquet or CSV",
    b"Obj\x01": "an Avro file; write it as Parquet",
    b"ORC": "an ORC file; write it as Parquet",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive, which is not read; unpack it and give its folder, or make a zip archive",
    b"Rar!\x1a\x07": "a RAR archive, which is not read; unpack it and give its folder, or make a zip archive",
}


def read_bytes(path: str | Path) -> bytes:
    """Return the unpacked bytes of a file, or of a member of an archive (`archive.zip!member.csv`)."""
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
    """Raise an error if bytes are a pointer of Git LFS or git-annex or a web page, not the file's own contents.

    Args:
        data: The file's bytes, or the first `CHUNK` of them.
    """
    head = data[:CHUNK]
    if pointer := POINTER.match(head):
        size = int(pointer["size"])
        shown = f"{size / 10**6:,.1f} MB" if size >= 10**5 else f"{size:,} bytes"
        raise BenchError(f"{path}: is a Git LFS pointer, not the file ({shown}); run: git lfs pull")
    if len(data) < CHUNK and ANNEX.fullmatch(head):
        raise BenchError(f"{path}: is a git-annex pointer, not the file; run: git annex get {Path(path).name}")
    if PAGE.match(head) and Path(path).suffix.lower() not in (".html", ".htm", ".txt", ""):
        raise BenchError(f"{path}: is a web page (HTML), not the file; download the file itself (its raw address)")


def reject_stand_ins(folder: Path) -> None:
    """Call `reject_stand_in` for the files of a folder that are short enough to be pointers."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.stat().st_size <= CHUNK:
            reject_stand_in(file.read_bytes(), file)


def reject_binary(data: bytes, path: str | Path) -> None:
    """Raise an error that names the format if the bytes of a text file are those of a binary format."""
    kind = next((kind for mark, kind in BINARY.items() if data.startswith(mark)), None)
    if kind and (CONTROL.search(data, 0, CHUNK) or data.startswith(b"%PDF-")):  # a text may begin with "ORC"
        raise BenchError(f"{path}: is no text but {kind}")


def reject_address(reference: str | Path) -> None:
    """Raise an error if a reference is an address on the internet, not a path: nothing is downloaded.

    Args:
        reference: What the user wrote. If it has become a `Path`, the second slash of `://` is lost.
    """
    match = ADDRESS.match(str(reference))
    if match is None or Path(reference).expanduser().exists():
        return
    scheme, rest = match[1].lower(), match[2]
    problem = f"{short(f'{scheme}://{rest}', 200)}: is an address, not a file"
    if scheme == "file":
        path = short(rest, 200)
        raise BenchError(f"file:///{path}: is an address, not a file; write the path alone: /{path}")
    if hub := HUB.match(f"{scheme}://{rest}"):
        raise BenchError(
            f"{problem}; in a task file (bench task new NAME) write data: {{hub: {hub[1]}}} for this data set of the Hub"
        )
    how = "copy it here first"
    if scheme.startswith(("http", "ftp")):
        how = f"download it first (curl -LO {shlex.quote(f'{scheme}://{rest}')})"
    raise BenchError(
        f"{problem}; {how} and name the file, or in a task file write data: {{hub: OWNER/NAME}} for a data set of the Hub"
    )


def is_file(path: str | Path) -> bool:
    """Whether a file exists; for a member of an archive, whether the archive exists."""
    return Path(path).is_file() or split_member(path)[0].is_file()


def digest(path: str | Path) -> str:
    """Return the sha256 of a file's unpacked contents, which is the same for a file and its .gz."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def read_text(path: str | Path, encoding: str = DEFAULT) -> str:
    """Return a file's text. The default encoding is UTF-8 with or without a byte order mark.

    Line ends are unchanged, except in a file with carriage returns only, as old Macs wrote them: they become newlines.

    Raises:
        BenchError: The file is missing, is not in this encoding, or contains NUL characters and so is not text.
    """
    data = read_bytes(path)
    reject_binary(data, path)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _encoding_error(encoding, data, error, path) from None
    except (LookupError, ValueError):
        raise BenchError(f"{path}: unknown encoding {encoding!r}; use a name such as utf-8, utf-16 or gb18030") from None
    if "\0" in text:
        from harness.data.encoding import marked

        line = text.count("\n", 0, text.index("\0")) + 1
        mark = marked(data)
        hint = f" ({mark}, by its first bytes)" if mark else ""
        raise BenchError(
            f"{path}:{line}: holds a NUL character, so it is no {encoding} text; if it is a text, state its `encoding` "
            f"in a task file{hint}"
        )
    return text.replace("\r", "\n") if "\n" not in text and "\r" in text else text


def _encoding_error(encoding: str, data: bytes, error: UnicodeDecodeError, path: str | Path) -> BenchError:
    """Return the error for a text in another encoding: the first wrong byte, and the likely encoding."""
    from harness.data import encoding as encodings

    line = data.count(b"\n" if b"\n" in data else b"\r", 0, error.start) + 1
    column = error.start - max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start))
    where = f"{path}:{line}: not {encoding} text ({error.reason}: 0x{data[error.start]:02x}, byte {column} of the line)"
    if encoding.lower().startswith("utf-8"):
        if mark := encodings.marked(data):
            return BenchError(f"{where}; state its `encoding` in a task file ({mark}, by its first bytes)")
        if encodings.is_damaged_utf8(data):
            return BenchError(
                f"{where}; most of the file is UTF-8, so lines of it are damaged: mend them or fetch the file again"
            )
        if guess := encodings.guess(data):
            shown = f"a guess: {guess.encoding}, with which it reads “{guess.sample}”"
            return BenchError(f"{where}; state its `encoding` in a task file ({shown})")
    return BenchError(f"{where}; state its `encoding` in a task file, such as latin-1, cp1252 or gb18030")


def split_lines(text: str) -> list[str]:
    r"""Split a text at "\n" and "\r\n" only.

    `str.splitlines` also splits at U+0085, U+2028 and others, which occur inside sentences: parallel files would then no longer
    be aligned.
    """
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def as_paths(files: str | Path | Iterable[str | Path] | Mapping[str, object]) -> list[Path]:
    """Return one path or several as a list; a mapping of columns, which only format `lines` takes, is an error."""
    if isinstance(files, Mapping):
        raise BenchError(f"a file for each of {', '.join(files)}: only format 'lines' has a file per column; give a path")
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
