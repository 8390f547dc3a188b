"""A folder behind a URL: object stores and whatever else fsspec reaches. Files appear there whole or not at all."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from harness.errors import BenchError, unknown
from harness.files import disk_full
from harness.safe_text import redact

PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each further try
LONGEST = 60.0  # seconds after which there is none: a store that swallows questions has been asked often enough by its own package
EXAMPLES = "s3://bucket/folder, gs://bucket/folder, file:///shared/folder"
# Where a file is there only when all of it has come. Elsewhere it comes under another name and is then moved.
WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "hf"}
FINAL = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)  # another try would end alike
# What a file system tells of a file that changes with its content, best first. A listing has them as well as a single look.
MARKS = ("ETag", "etag", "generation", "md5Hash", "LastModified", "last_modified", "mtime", "updated", "created")
QUOTE = '"'  # around a mark in one answer of a store and not in another
# Behind the names of files that this machine has begun to upload.
PASSING = f".{re.sub(r'[^a-zA-Z0-9-]', '_', socket.gethostname())}.tmp"
T = TypeVar("T")


class Unreachable(BenchError):
    """The folder behind a URL cannot be read or written now."""


def is_url(place: object) -> bool:
    """Whether this means something else than a folder of this machine."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", str(place)) is not None


def check_url(url: str) -> None:
    """
    Raises:
        BenchError: no results can be kept there, or the package that reaches it is missing.
    """
    from fsspec.registry import get_filesystem_class, known_implementations, registry

    protocol, name = url.partition("://")[0].lower(), redact(url)
    if "::" in url or not url.partition("://")[2].strip("/"):
        raise BenchError(f"--results {name}: must be a folder, or a URL such as {EXAMPLES}")
    if protocol == "memory":
        raise BenchError(f"--results {name}: memory ends with its process; name a folder, or a URL such as {EXAMPLES}")
    try:
        get_filesystem_class(protocol)
    except ValueError:
        raise unknown("protocol", protocol, sorted({*known_implementations, *registry}), f"--results {name}") from None
    except ImportError as error:
        package = known_implementations.get(protocol, {"class": "fsspec."})["class"].partition(".")[0]
        way = f"{error}" if package == "fsspec" else f"{package} is missing; run: pip install {package}"
        raise BenchError(f"--results {name}: {way}") from None


class RemoteFolder:
    """The folder behind a URL. Names are relative to it, with `/` between. All calls are tried several times.

    Args:
        url: of the folder; it need not be there yet.
    """

    def __init__(self, url: str):
        self.url = url

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        check_url(self.url)
        system, path = self._patiently("opened", lambda: url_to_fs(self.url))
        return system, path.rstrip("/")

    def marks(self, folder: str) -> dict[str, str]:
        """The files below a folder, each with a mark that changes when the file does."""

        def find() -> dict[str, Any]:
            system, path = self._opened
            system.invalidate_cache()  # others write there too
            return system.find(f"{path}/{folder}", detail=True)

        before = len(self._opened[1]) + 1
        return {name[before:]: _mark(facts) for name, facts in self._patiently("listed", find).items()}

    def get(self, pairs: Sequence[tuple[str, Path]]) -> None:
        """Download files, several at a time where the file system can."""
        system, path = self._opened
        if pairs:
            names = [f"{path}/{name}" for name, _ in pairs]
            self._patiently("read", lambda: system.get(names, [str(local) for _, local in pairs]))

    def read(self, name: str) -> bytes:
        """What a file holds."""
        system, path = self._opened
        return self._patiently("read", lambda: system.cat_file(f"{path}/{name}"))

    def put(self, local: Path, name: str) -> str:
        """Upload a file in place of what has the name, and return its mark."""
        system, path = self._opened
        target = f"{path}/{name}"
        folder, _, last = target.rpartition("/")
        # The same at the next try, which so overwrites what a killed process left.
        passing = f"{folder}/.{last}{PASSING}"

        def upload() -> dict[str, Any]:
            if self.url.partition("://")[0].lower() in WHOLE:
                system.put_file(str(local), target)
            else:
                system.makedirs(folder, exist_ok=True)
                system.put_file(str(local), passing)
                system.mv(passing, target)
            system.invalidate_cache()
            return system.info(target)

        # Another process may have taken the passing file for a left one.
        return _mark(self._patiently("written", upload, FINAL[1:]))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        system, path = self._opened

        def remove() -> None:
            system.invalidate_cache()
            if system.exists(f"{path}/{name}"):
                system.rm(f"{path}/{name}", recursive=True)

        self._patiently("written", remove)

    def check(self) -> None:
        """
        Raises:
            BenchError: nothing can be written there.
        """
        system, path = self._opened
        sign = f"{path}/.bench-{uuid4().hex}.tmp"

        def write() -> None:
            if self.url.partition("://")[0].lower() not in WHOLE:
                system.makedirs(path, exist_ok=True)
            system.pipe_file(sign, b"bench")
            system.rm_file(sign)

        self._patiently("written", write)

    def _patiently(self, done: str, call: Callable[[], T], final: tuple[type[Exception], ...] = FINAL) -> T:
        begun = time.monotonic()
        for pause in (*PAUSES, None):
            try:
                return call()
            except BenchError:
                raise
            except Exception as error:  # each file system has errors of its own, and many are no OSError
                if done == "read" and disk_full(error):
                    raise  # of this machine
                if pause is None or isinstance(error, final) or time.monotonic() - begun > LONGEST:
                    raise Unreachable(
                        f"--results {redact(self.url)}: cannot be {done}: {_words(error)}; check the address, the network"
                        " and the credentials"
                    ) from error
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")


def _mark(facts: dict[str, Any]) -> str:
    told = next((str(facts[key]) for key in MARKS if facts.get(key)), "")
    return f"{facts.get('size')} {told.strip(QUOTE)}"


def _words(error: Exception) -> str:
    """An error in one line without secrets, for people."""
    return redact(" ".join(str(error).split())[:300].rstrip(".") or type(error).__name__)
