"""Python's fork server with the libraries loaded: every worker process is forked from it."""

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
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from typing import Any

from harness.engines import guard, worker_process
from harness.main_module import hidden_main

# Loaded once by the server, so that a fresh process starts in milliseconds. `warm` comes last: it freezes all objects.
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
RESTARTS, RESTART_PAUSE = 3, 0.2  # restarts of the server for one worker, and the seconds before each


class ForkServer:
    """Starts processes. The server ends with this process, and is restarted if it was killed.

    Args:
        modules: modules to load besides `PRELOADED`. The first server of a process decides for all later ones.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([*modules, *PRELOADED])
        atexit.register(_kill_server)
        self._guard = _shared_guard()
        self._watched: set[int] = set()  # process ids of fork servers and their resource trackers
        self._ensure_running()

    def _ensure_running(self) -> None:
        """Start the server unless it runs.

        The current folder is not on its path, because a folder `datasets` there is not the library of that name.
        """
        settings = {"PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        resource_tracker.ensure_running()  # before the signals are blocked, because it unblocks them
        # Ctrl-C and batch systems signal the whole process group; the parent handles that. The server ignores these
        # signals only once it has loaded everything, and would die until then, so it starts with the signals blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, worker_process.SIGNALS)
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        for process_id in (forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid):
            if process_id is not None and process_id not in self._watched:
                self._watched.add(process_id)
                self._watch(process_id)

    def start_process(self, target: Callable[..., None], *args: Any) -> tuple[Any, Connection]:
        """Start a process that calls `target(*args, connection)`; return it with the other end of the connection.

        If the server was killed, it is restarted first.
        """
        own_end, child_end = self.context.Pipe()
        for attempt in range(RESTARTS + 1):
            self._ensure_running()
            process = self.context.Process(target=target, args=(*args, child_end))
            try:
                with hidden_main():
                    process.start()
            except (EOFError, ConnectionError):
                if attempt == RESTARTS:
                    raise
                time.sleep(RESTART_PAUSE)  # until the system notices that the server is gone
            else:
                child_end.close()
                self._watch(process.pid)
                return process, own_end
        raise AssertionError("the last attempt returns or raises")

    def _watch(self, process_id: int) -> None:
        """Let the guard kill a process that outlives this one."""
        if self._guard is None:
            return
        with suppress(BrokenPipeError):  # the guard was killed; nearly all processes end without it
            self._guard.stdin.write(b"%d\n" % process_id)


@cache
def _shared_guard() -> subprocess.Popen[bytes] | None:
    """Start the guard, which all servers of this process share; None where the system has no pidfds."""
    if not hasattr(os, "pidfd_open"):
        return None
    # In a child process of multiprocessing, the folder belongs to the parent, which uses it longer.
    folder = get_temp_dir() if multiprocessing.parent_process() is None else ""
    command = [sys.executable, "-I", "-S", guard.__file__, str(worker_process.ORPHAN_GRACE + 1), folder]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0
    )


def _forget_parent() -> None:
    """Forget, in a forked process, the server and guard of the parent; its own runs start others."""
    server = forkserver._forkserver
    if server._forkserver_alive_fd is not None:
        with suppress(OSError):
            os.close(server._forkserver_alive_fd)
    vars(server).update({**vars(type(server)()), "_preload_modules": server._preload_modules})
    resource_tracker._resource_tracker._pid = None  # shared, and must not end with this process
    _shared_guard.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def _kill_server() -> None:
    """Kill the fork server when this process ends; otherwise it would finish loading and still fork requested processes."""
    process_id = forkserver._forkserver._forkserver_pid
    if process_id is not None:
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
