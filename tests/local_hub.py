"""A Hub on this machine for a test: the real clients talk to it through the environment that `serve` and `listen` give."""

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
    make(tools, folder / "root", repositories)
    with listen(tools, folder / "root", folder / "home") as environment:
        yield environment


def make(tools: Path, root: Path, repositories: Sequence[str]) -> None:
    """Make repositories below `root`, beside those that are there."""
    command = [sys.executable, tools / "make_hub.py", root, "--only", *repositories]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


@contextmanager
def listen(tools: Path, root: Path, home: Path, *options: str | Path) -> Iterator[dict[str, str]]:
    """Serve the repositories below `root`; the environment in which the clients find them and keep a cache in `home`."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    home.mkdir(parents=True, exist_ok=True)
    port = home / "port"
    command = [sys.executable, tools / "local_hub.py", root, "--port-file", port, *options]
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
