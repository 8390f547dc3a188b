"""Files as text: compression seen through, encodings checked, errors that name the file and the line."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.data.compressed import decompress, split_member, unzip
from harness.errors import BenchError

MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes, decompressed (see `harness.data.compressed`); `archive.zip!member.csv` is a file in an archive."""
    file, member = (Path(path), None) if Path(path).is_file() else split_member(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BenchError(f"{file}: no such file") from None
    except OSError as error:
        raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
    return decompress(data, file) if member is None else decompress(unzip(data, file, member), Path(path))


def is_file(path: str | Path) -> bool:
    """Whether there is such a file, or such an archive where the path names a member."""
    return Path(path).is_file() or split_member(path)[0].is_file()


def digest(path: str | Path) -> str:
    """The sha256 of a file's contents, decompressed: a file and its .gz have the same one."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def read_text(path: str | Path, encoding: str = "utf-8-sig") -> str:
    """A file's text, line ends untouched. The default encoding is UTF-8 with or without a byte order mark.

    Raises:
        BenchError: the file is missing, is not in this encoding, or holds NUL and so is no text.
    """
    data = read_bytes(path)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        mark = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
        hint = f"{mark}, by its first bytes" if mark else "such as latin-1, cp1252 or gb18030"
        raise BenchError(
            f"{path}:{line}: not {encoding} text ({error.reason}); state its `encoding` in a task file ({hint})"
        ) from None
    except (LookupError, ValueError):
        raise BenchError(
            f"{path}: unknown encoding {encoding!r}; use a name such as utf-8, utf-16 or gb18030"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BenchError(
            f"{path}:{line}: holds a NUL character, so it is no {encoding} text; if it is a text, state its `encoding` in a task file"
        )
    return text


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
