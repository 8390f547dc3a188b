"""Files as text: gzip seen through, encodings checked, errors that name the file and the line."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.errors import BenchError

GZIP = b"\x1f\x8b"


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes; those of a gzip file (told by its first two bytes, whatever its name) are decompressed."""
    try:
        data = Path(path).read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except FileNotFoundError:
        raise BenchError(f"{path}: no such file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BenchError(f"{path}: broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from None


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
    except LookupError:
        raise BenchError(
            f"{path}: unknown encoding {encoding!r}; use a name such as utf-8, utf-16 or gb18030"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BenchError(f"{path}:{line}: not {encoding} text ({error.reason}); state its `encoding`") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BenchError(f"{path}:{line}: holds a NUL character, so it is no {encoding} text; state its `encoding`")
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
