"""Atomic file writes, strict JSON, and leftovers of killed processes."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Files that appear whole or not at all, and what a crash may leave of them.


_FULL = (errno.ENOSPC, errno.EDQUOT)
_HOST = re.sub(r"[^\w-]", "_", socket.gethostname())
_TEMPORARY = re.compile(r"\..+\.(?P<host>[\w-]+)\.(?P<process>\d+)\.tmp")


def write_text(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it, even after a crash.

    Raises:
        OSError: the disk refused; what was there before is still there.
    """

    def fill(temporary: Path) -> None:
        # Half of a surrogate pair, as a file's name may hold, is written as JSON has it.
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)

    write_atomically(path, fill)


def write_atomically(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a file under a temporary name, bring it to the disk, and only then give it its name."""
    temporary = temporary_path(path)
    try:
        fill(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def temporary_path(path: Path) -> Path:
    """A hidden name beside a path, of this process; `sweep` knows when nobody can need it any more."""
    return path.with_name(f".{path.name}.{_HOST}.{os.getpid()}.tmp")


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can: a rename outlives a loss of power only then."""
    with suppress(OSError):  # some systems open no folders, some file systems sync none
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def remove_leftovers(folder: Path, everything: bool = False) -> None:
    """Remove the temporary files that processes of this machine left in a folder when they were killed.

    Args:
        folder: only its own files are looked at.
        everything: remove those of other machines and of living processes too; for a folder that only the caller writes to.
    """
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and (everything or (found["host"] == _HOST and not _alive(int(found["process"])))):
            with suppress(OSError):
                path.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def disk_full(error: BaseException | None) -> OSError | None:
    """The error of a full disk or quota that is, or led to, an error; None where there is none."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


# JSON that every reader accepts: Python by itself also writes NaN and Infinity, which no standard knows.


def dump_json(value: Any, **how: Any) -> str:
    """A value as JSON, texts as they are; numbers that are not finite become null. `how` is for `json.dumps`."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **how)
    except ValueError:
        return json.dumps(replace_non_finite(value), ensure_ascii=False, allow_nan=False, **how)


def replace_non_finite(value: Any) -> Any:
    """The same value, None for each number in it that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: replace_non_finite(item) for key, item in value.items()}
    return [replace_non_finite(item) for item in value] if isinstance(value, list | tuple) else value
