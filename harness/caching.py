"""Where the cache lies, and how large it may grow."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

OFF = ("off", "0", "no", "false")
LIMIT = 4 * 1024**3  # bytes of all files; those not read for the longest time go first
LEFTOVER = ".part"  # ending of a file that is being written


def cache_folder(kind: str) -> Path | None:
    """The folder for a kind of files; made when missing. None: there is no cache.

    `BENCH_CACHE` names another place than the user's cache folder, or says `off`. A folder that cannot be made or written is
    none: the cache only saves time.
    """
    said = os.environ.get("BENCH_CACHE", "").strip()
    if said.lower() in OFF:
        return None
    folder = (Path(said).expanduser() if said else _usual() / "bench") / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _usual() -> Path:
    """The user's cache folder, as the system has it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    given = os.environ.get(name, "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".cache"


def write(path: Path, fill: Callable[[Path], None]) -> None:
    """A file that appears whole or not at all, whoever else writes it; nothing where the disk refuses."""
    try:
        number, name = tempfile.mkstemp(LEFTOVER, dir=path.parent)
    except OSError:
        return
    os.close(number)
    try:
        fill(Path(name))
        os.replace(name, path)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            os.unlink(name)


def used(path: Path) -> None:
    """Note that a file was of use, so that it goes last."""
    with suppress(OSError):
        os.utime(path)


def prune(folder: Path, limit: int = LIMIT) -> None:
    """Remove the files of a folder that were not used for the longest time, until all take `limit` bytes at most."""
    files = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process has removed it
            facts = path.stat()
            files.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files, key=lambda file: file[0]):
        if total <= limit:
            break
        with suppress(OSError):
            path.unlink()
            total -= size
