"""A small program that cleans up after a killed run: it kills leftover processes and removes a temporary folder.

Workers and fork servers notice that their parent is gone and exit. A process that is stopped (SIGSTOP) or hangs in a
library cannot, and would live on, a worker holding its cell's claim, forever. This file runs as a program of its own,
without the libraries: `guard.py SECONDS FOLDER`, with process ids on standard input, one per line. It needs pidfds
(Linux), which always refer to the same process even if its id is reused.
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
    """Wait until standard input ends, which means that the parent has ended; then clean up.

    Args:
        seconds: how long the processes have to end by themselves before they are killed.
        folder: multiprocessing's folder of sockets, which only the parent would remove; empty: none.
    """
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # they reach the whole process group; the parent handles them
    alive, poller = set(), select.poll()

    def forget_ended(wait: float) -> None:
        for descriptor, _ in poller.poll(wait * 1000):
            poller.unregister(descriptor)
            os.close(descriptor)
            alive.remove(descriptor)

    for line in sys.stdin.buffer:
        forget_ended(0)
        with suppress(ProcessLookupError):
            alive.add(descriptor := os.pidfd_open(int(line)))
            poller.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    while alive and (left := end - time.monotonic()) > 0:
        forget_ended(left)
    for descriptor in alive:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
