"""A small process that tidies up after a run that was killed: processes that do not end by themselves, and multiprocessing's folder.

A worker or a fork server sees that its parent is gone and ends; one that is stopped (SIGSTOP), or hangs in a library, cannot, and would
live, and a worker hold its cell's claim, for ever. This file is a program of its own, without the libraries: `guard.py SECONDS
FOLDER`, process ids on its standard input, one a line. It needs pidfds (Linux), which cannot come to mean another process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress


def main(seconds: float, folder: str) -> None:
    """Watch until the input ends, which is when the parent does; then kill what is still alive so many seconds later.

    Args:
        folder: of multiprocessing's sockets, which only the parent would remove; empty: none.
    """
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # they come to the whole group; the parent decides what they mean
    alive, poller = set(), select.poll()

    def drop(wait: float) -> None:
        for descriptor, _ in poller.poll(wait * 1000):  # of processes that have ended
            poller.unregister(descriptor)
            os.close(descriptor)
            alive.remove(descriptor)

    for line in sys.stdin.buffer:
        drop(0)
        with suppress(ProcessLookupError):
            alive.add(descriptor := os.pidfd_open(int(line)))
            poller.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    while alive and (left := end - time.monotonic()) > 0:
        drop(left)
    for descriptor in alive:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
