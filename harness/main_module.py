"""Processes that do not import the caller's script.

multiprocessing imports the main module in every process that it starts. Without a guard, a script or notebook that
calls `harness.run` would therefore run again in each worker. No worker needs anything from it.
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
    """Hide the main module from the processes that are started inside this context."""
    with _LOCK:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
