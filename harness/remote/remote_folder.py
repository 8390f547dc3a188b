"""A folder behind a URL, in an object store or wherever else fsspec reaches. Files appear whole or not at all."""

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

PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each retry
MAX_RETRY_SECONDS = 60.0  # after which there is no retry: a store's package may have retried already
EXAMPLES = "s3://bucket/folder, gs://bucket/folder, file:///shared/folder"
# Protocols whose uploads are atomic. For others, a file is uploaded under another name and then moved.
ATOMIC = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "hf"}
# Errors that a retry would meet again.
PERMANENT = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
# Keys of a file's metadata that change with its content, best first. They appear in listings as well as in `info`.
TAG_KEYS = ("ETag", "etag", "generation", "md5Hash", "LastModified", "last_modified", "mtime", "updated", "created")
# The ending of files that this machine has begun to upload.
UPLOAD_SUFFIX = f".{re.sub(r'[^a-zA-Z0-9-]', '_', socket.gethostname())}.tmp"
T = TypeVar("T")


class Unreachable(BenchError):
    """The folder behind a URL cannot be read or written at the moment."""


def is_url(path: object) -> bool:
    """Return whether a path is a URL rather than a folder of this machine."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", str(path)) is not None


def check_url(url: str) -> None:
    """Check that results can be stored at a URL.

    Raises:
        BenchError: the URL is not of a folder, or the package for its protocol is missing.
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
        reason = f"{error}" if package == "fsspec" else f"{package} is missing; run: pip install {package}"
        raise BenchError(f"--results {name}: {reason}") from None


class RemoteFolder:
    """The folder behind a URL. File names are relative to it, with `/` between. Every call is retried several times.

    Args:
        url: of the folder, which need not exist yet.
    """

    def __init__(self, url: str):
        self.url = url
        self.is_atomic = url.partition("://")[0].lower() in ATOMIC

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system and the folder's path in it."""
        from fsspec.core import url_to_fs

        check_url(self.url)
        system, path = self._retry("opened", lambda: url_to_fs(self.url))
        return system, path.rstrip("/")

    def tags(self, folder: str) -> dict[str, str]:
        """List the files below a folder, each with a tag that changes when the file does."""

        def find() -> dict[str, Any]:
            system, path = self._opened
            system.invalidate_cache()  # others write there too
            return system.find(f"{path}/{folder}", detail=True)

        prefix = len(self._opened[1]) + 1
        return {name[prefix:]: _tag(info) for name, info in self._retry("listed", find).items()}

    def get(self, pairs: Sequence[tuple[str, Path]]) -> None:
        """Download files, given as (name, local path), several at a time if the file system can."""
        system, path = self._opened
        if pairs:
            names = [f"{path}/{name}" for name, _ in pairs]
            self._retry("read", lambda: system.get(names, [str(local) for _, local in pairs]))

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        system, path = self._opened
        return self._retry("read", lambda: system.cat_file(f"{path}/{name}"))

    def put(self, local: Path, name: str) -> str:
        """Upload a file, replacing any with that name, and return its tag."""
        system, path = self._opened
        target = f"{path}/{name}"
        folder, _, last = target.rpartition("/")
        # Every attempt uses the same name, and so overwrites what a killed process has left.
        temporary = f"{folder}/.{last}{UPLOAD_SUFFIX}"

        def upload() -> dict[str, Any]:
            if self.is_atomic:
                system.put_file(str(local), target)
            else:
                system.makedirs(folder, exist_ok=True)
                system.put_file(str(local), temporary)
                system.mv(temporary, target)
            system.invalidate_cache()
            return system.info(target)

        # FileNotFoundError is retried: another process may have removed the temporary file as a leftover.
        return _tag(self._retry("written", upload, PERMANENT[1:]))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with everything in it, if it exists."""
        system, path = self._opened

        def remove() -> None:
            system.invalidate_cache()
            if system.exists(f"{path}/{name}"):
                system.rm(f"{path}/{name}", recursive=True)

        self._retry("written", remove)

    def check(self) -> None:
        """Check that files can be written.

        Raises:
            BenchError: they cannot.
        """
        system, path = self._opened
        probe = f"{path}/.bench-{uuid4().hex}.tmp"

        def write() -> None:
            if not self.is_atomic:
                system.makedirs(path, exist_ok=True)
            system.pipe_file(probe, b"bench")
            system.rm_file(probe)

        self._retry("written", write)

    def _retry(self, verb: str, call: Callable[[], T], permanent: tuple[type[Exception], ...] = PERMANENT) -> T:
        """Call until it succeeds; raise `Unreachable`, with a verb such as `read`, if it never does."""
        start = time.monotonic()
        for pause in (*PAUSES, None):
            try:
                return call()
            except BenchError:
                raise
            except Exception as error:  # every file system has errors of its own, and many are not OSErrors
                if verb == "read" and disk_full(error):
                    raise  # the disk of this machine
                if pause is None or isinstance(error, permanent) or time.monotonic() - start > MAX_RETRY_SECONDS:
                    reason = redact(" ".join(str(error).split())[:300].rstrip(".") or type(error).__name__)
                    raise Unreachable(
                        f"--results {redact(self.url)}: cannot be {verb}: {reason}; check the address, the network and"
                        " the credentials"
                    ) from error
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _tag(info: dict[str, Any]) -> str:
    tag = next((str(info[key]) for key in TAG_KEYS if info.get(key)), "")
    tag = tag.strip('"')  # which one answer of a store has around a tag, and another has not
    return f"{info.get('size')} {tag}"
