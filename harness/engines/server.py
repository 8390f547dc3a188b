"""Python's fork server, with the libraries loaded: where worker processes come from."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from typing import Any

from harness.engines import child, guard
from harness.main_module import hidden_main

# Loaded once in the server: a cell's fresh process then starts in milliseconds.
PRELOADED = [
    "harness.training.worker",
    "harness.heads.sequence",
    "harness.heads.tokens",
    "harness.heads.spans",
    "harness.heads.text",
    "harness.metrics.classification",
    "harness.metrics.entities",
    "harness.metrics.squad",
    "harness.metrics.translation",
    "harness.engines.warm",
]
RESTARTS, PAUSE = 3, 0.2  # times that the server is started again for one worker, and seconds before each


class Server:
    """Starts processes. It ends with this one, and is started again when it was killed.

    Args:
        modules: what its processes will import, beside `PRELOADED`; the first server of a process decides.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([*modules, *PRELOADED])  # the last of them freezes what the others made
        atexit.register(_end_server)
        self._guard = _the_guard()
        self._watched: set[int] = set()  # fork servers and their resource trackers
        self._start_server()

    def _start_server(self) -> None:
        """Start the server, unless it runs, without the current folder on its path: a folder `datasets` there is not the library."""
        from multiprocessing import forkserver, resource_tracker

        settings = {"PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        resource_tracker.ensure_running()  # before the signals are blocked: it unblocks them
        # What ends all processes at once, as Ctrl-C and batch systems do, is the parent's to handle. The server ignores it
        # only when it has loaded everything, and Python ends it until then; its workers unblock what they handle.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, child.SIGNALS)
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        for number in (forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid):
            if number is not None and number not in self._watched:
                self._watched.add(number)
                self._watch(number)

    def process(self, target: Callable[..., None], *words: Any) -> tuple[Any, Connection]:
        """A process that calls `target(*words, connection)`, and the other end of its connection.

        A server that was killed, perhaps just now, is started again.
        """
        ours, theirs = self.context.Pipe()
        for last in [False] * RESTARTS + [True]:
            self._start_server()
            process = self.context.Process(target=target, args=(*words, theirs))
            try:
                with hidden_main():
                    process.start()
            except (EOFError, ConnectionError):
                if last:
                    raise
                time.sleep(PAUSE)  # until the system knows that it is gone
            else:
                theirs.close()
                self._watch(process.pid)
                return process, ours
        raise AssertionError("the last try returns or raises")

    def _watch(self, number: int) -> None:
        """Have a process killed if it should outlive this one."""
        if self._guard is None:
            return
        with suppress(BrokenPipeError):  # somebody killed it: processes without it end by themselves, as nearly all do
            self._guard.stdin.write(b"%d\n" % number)


@cache
def _the_guard() -> subprocess.Popen[bytes] | None:
    """The process that watches, one for all servers of this process: it ends with this process, and not with the first run of several."""
    if not hasattr(os, "pidfd_open"):
        return None
    # In a child of multiprocessing the folder is the parent's, which uses it longer.
    folder = get_temp_dir() if multiprocessing.parent_process() is None else ""
    words = [sys.executable, "-I", "-S", guard.__file__, str(child.ORPHAN + 1), folder]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0
    )


def _forget_parent() -> None:
    """In a process that was forked: the servers and the guard are those of its parent; its own runs start others."""
    from multiprocessing import forkserver, resource_tracker

    server = forkserver._forkserver
    if server._forkserver_alive_fd is not None:
        with suppress(OSError):
            os.close(server._forkserver_alive_fd)
    vars(server).update({**vars(type(server)()), "_preload_modules": server._preload_modules})
    resource_tracker._resource_tracker._pid = None  # shared, and not to be ended with this process
    _the_guard.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def _end_server() -> None:
    """End the fork server with its parent: left to itself it would first load all the libraries, and then fork what was asked."""
    from multiprocessing import forkserver

    number = forkserver._forkserver._forkserver_pid
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
