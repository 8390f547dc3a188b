"""What `bench run` does before and after its cells where the results lie behind a URL."""

from __future__ import annotations

import errno
import os

from harness.errors import BenchError
from harness.remote.folder import Unreachable
from harness.remote.mirror import Mirror, open_store
from harness.store import Store


def begin(results: str) -> Store:
    """The results at a path, or at a URL with all that is there.

    Raises:
        BenchError: the URL cannot be read or written, or the folder cannot be written.
    """
    store = open_store(results)
    if isinstance(store, Mirror):
        store.behind.check()
        store.sync(send=True)
        return store
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        if not os.access(store.root, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(store.root))
    except OSError as error:
        raise BenchError(f"--results {results}: {error.strerror}; name a folder that can be written") from None
    return store


def note(store: Store) -> str:
    """What a person is to know of results behind a URL; nothing of a folder."""
    if not isinstance(store, Mirror):
        return ""
    return (
        f"results in {store.name}, by way of {store.root}; no locks reach there: a cell that two machines begin at one time"
        " is done twice, and the first result counts (docs/cluster.md)"
    )


def end(store: Store) -> str:
    """Send what could not be sent before, bring what others have done meanwhile, and return why that cannot be."""
    try:
        store.sync(send=True)
    except Unreachable as error:
        waiting = len(store.unsent()) if isinstance(store, Mirror) else 0
        if not waiting:
            return f"{error}; all finished cells are there, but leaderboard.md may be out of date"
        cells = "1 finished cell waits" if waiting == 1 else f"{waiting} finished cells wait"
        return f"{error}; {cells} in {store.root}: the same command sends them"
    return ""
