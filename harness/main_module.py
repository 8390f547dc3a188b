"""Processes that do not run the caller's script again.

multiprocessing imports the main module in every process that it starts. Called from a script or notebook, `harness.run` would so run
that script once more in each worker. No worker needs anything of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from types import ModuleType

_LOCK = RLock()


@contextmanager
def hidden_main() -> Iterator[None]:
    """Start processes inside, and they import no main module."""
    with _LOCK:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
