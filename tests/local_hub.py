"""A Hub on this machine for a test: the real clients talk to it through the environment that `serve` gives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTUP = 30.0  # seconds


@contextmanager
def serve(tools: Path, folder: Path, repositories: Sequence[str]) -> Iterator[dict[str, str]]:
    """Make the repositories under `folder`, serve them, and give the environment in which the clients find them.

    For new processes only: the clients read HF_ENDPOINT and HF_HOME once, when they are imported.
    """
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "HF_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    make = [sys.executable, tools / "make_hub.py", folder / "root", "--only", *repositories]
    subprocess.run(make, check=True, capture_output=True, env=environment)
    port = folder / "port"
    command = [sys.executable, tools / "local_hub.py", folder / "root", "--port-file", port]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        patience = time.monotonic() + STARTUP
        while not (port.is_file() and port.read_text().strip()):
            assert server.poll() is None and time.monotonic() < patience, "the local Hub did not start"
            time.sleep(0.1)
        yield {**environment, "HF_ENDPOINT": f"http://127.0.0.1:{port.read_text().strip()}"}
    finally:
        server.terminate()
        server.wait(10)
