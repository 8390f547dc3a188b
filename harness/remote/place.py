"""Where a machine keeps its copy of what lies behind a URL."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from harness.caching import cache_folder


def place_of(url: str) -> Path:
    """The folder of this machine for a URL, always the same one: in the cache, or in the folder for passing files without one."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    base = cache_folder("mirrors") or Path(tempfile.gettempdir(), f"bench-mirrors-{user}")
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    return base / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]
