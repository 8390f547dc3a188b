"""A small process that kills the workers of a run that was killed, where they do not end by themselves.

A worker sees that its parent is gone and ends; one that is stopped (SIGSTOP), or hangs in a library, cannot, and would hold its
cell's claim for ever. This file is a program of its own, without the libraries: `guard.py SECONDS`, process ids on its standard
input, one a line. It needs pidfds (Linux), which cannot come to mean another process.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress


def main(seconds: float) -> None:
    """Watch until the input ends, which is when the parent does; then kill what is still alive so many seconds later."""
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


if __name__ == "__main__":
    main(float(sys.argv[1]))
