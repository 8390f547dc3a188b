"""The user's cache folder: where it is, how files are written to it, and how large it may grow."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

OFF = ("off", "0", "no", "false")
LIMIT = 4 * 1024**3  # bytes of all files of a kind; the least recently used are removed first
PART_SUFFIX = ".part"  # of a file that is being written


def cache_folder(kind: str) -> Path | None:
    """Return the folder for one kind of files, and create it if necessary; None if there is no cache.

    `BENCH_CACHE` names another folder than the user's cache folder, or is `off`. If the folder cannot be created or
    written, there is no cache: it only saves time.
    """
    setting = os.environ.get("BENCH_CACHE", "").strip()
    if setting.lower() in OFF:
        return None
    try:
        folder = (Path(setting).expanduser() if setting else _user_cache() / "bench") / kind
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the disk refuses, or the user has no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def _user_cache() -> Path:
    """Return the user's cache folder, following the conventions of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    path = os.environ.get(name, "")
    return Path(path) if os.path.isabs(path) else Path.home() / ".cache"


def write_file(path: Path, fill: Callable[[Path], None]) -> None:
    """Write a file so that it appears whole or not at all, even if other processes write it too; do nothing on errors."""
    try:
        number, name = tempfile.mkstemp(PART_SUFFIX, dir=path.parent)
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
    """Write a folder so that it appears whole or not at all, like `write_file`."""
    try:
        part = Path(tempfile.mkdtemp(PART_SUFFIX, dir=path.parent))
    except OSError:
        return
    try:
        fill(part)
        os.rename(part, path)
    except OSError:
        pass  # the disk is full, or another process was first
    finally:
        shutil.rmtree(part, ignore_errors=True)


def mark_used(path: Path) -> None:
    """Mark a file or folder as recently used."""
    with suppress(OSError):
        os.utime(path)


def prune(folder: Path, limit: int = LIMIT) -> None:
    """Remove the least recently used entries of a folder until the rest takes at most `limit` bytes."""
    entries = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process has removed it
            files = path.rglob("*") if path.is_dir() else [path]
            entries.append((path.stat().st_mtime, sum(file.stat().st_size for file in files), path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries, key=lambda entry: entry[0]):
        if total <= limit:
            break
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            total -= size
