"""Write files atomically, remove what killed processes left behind, and encode strict JSON."""

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

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_HOST = re.sub(r"[^\w-]", "_", socket.gethostname())
_TEMPORARY = re.compile(r"\..+\.(?P<host>[\w-]+)\.(?P<process>\d+)\.tmp")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: no reader ever sees half of it, even after a crash.

    Raises:
        OSError: the file could not be written; its former content is unchanged.
    """

    def fill(temporary: Path) -> None:
        # File names may hold unpaired surrogates; they are escaped as in JSON.
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)

    write_atomically(path, fill)


def write_atomically(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a temporary file, flush it to disk, and then rename it to `path`."""
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
    """Return a hidden path beside `path` that only this process uses; see `remove_leftovers`."""
    return path.with_name(f".{path.name}.{_HOST}.{os.getpid()}.tmp")


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk where the system can, so that a rename survives a power failure."""
    with suppress(OSError):  # some systems cannot open folders, some file systems cannot sync them
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path, everything: bool = False) -> None:
    """Remove the temporary files directly in a folder whose process, on this machine, is dead.

    Args:
        everything: also remove those of other machines and of living processes; for a folder that only the caller
            writes to.
    """
    for path in folder.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and (everything or (match["host"] == _HOST and not _is_alive(int(match["process"])))):
            with suppress(OSError):
                path.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's process
    return True


def disk_full(error: BaseException | None) -> OSError | None:
    """Return the full-disk or quota error among an error and its causes, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def dump_json(value: Any, **options: Any) -> str:
    """Encode a value as strict JSON: no ASCII escapes, null for NaN and infinity. `options` are those of `json.dumps`."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **options)
    except ValueError:
        return json.dumps(replace_non_finite(value), ensure_ascii=False, allow_nan=False, **options)


def replace_non_finite(value: Any) -> Any:
    """Return the value with None for each NaN or infinite number in it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: replace_non_finite(item) for key, item in value.items()}
    return [replace_non_finite(item) for item in value] if isinstance(value, list | tuple) else value
