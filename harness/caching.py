"""Where the cache lies, and how large it may grow."""

from __future__ import annotations

import os
import shutil
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
    try:
        folder = (Path(said).expanduser() if said else _usual() / "bench") / kind
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the disk refuses, or the user has no home
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


def write_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """A folder that appears whole or not at all, whoever else makes it; nothing where the disk refuses."""
    try:
        part = Path(tempfile.mkdtemp(LEFTOVER, dir=path.parent))
    except OSError:
        return
    try:
        fill(part)
        os.rename(part, path)
    except OSError:
        pass  # the disk is full, or another process was first
    finally:
        shutil.rmtree(part, ignore_errors=True)


def used(path: Path) -> None:
    """Note that a file or folder was of use, so that it goes last."""
    with suppress(OSError):
        os.utime(path)


def prune(folder: Path, limit: int = LIMIT) -> None:
    """Remove what lies in a folder and was not used for the longest time, until all takes `limit` bytes at most."""
    found = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process has removed it
            files = path.rglob("*") if path.is_dir() else [path]
            found.append((path.stat().st_mtime, sum(file.stat().st_size for file in files), path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found, key=lambda entry: entry[0]):
        if total <= limit:
            break
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            total -= size
