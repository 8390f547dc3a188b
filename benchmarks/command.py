"""`bench run` as a person calls it: the whole command, from start to leaderboard."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.store import Store

SUBREAPER = 36  # prctl's number for "children that lose their parent become mine"


def bench_run(arguments: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """Run the command on an empty results folder. Runs in a fresh process, which adopts the command's processes.

    Args:
        arguments: of `bench run`, without the results folder; baselines are left out, as the other side has none.
        cells: ids whose scores are wanted.

    Returns:
        Seconds on the wall; of all processes, the fork server and the workers too; and the scores.

    Raises:
        RuntimeError: the command failed.
    """
    adopted = sys.platform == "linux" and ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0) == 0
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "harness", "run", "--no-baselines", *arguments, "--results", f"{folder}/bench-results"],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment(),
        )  # fmt: skip
        wall = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"bench run {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        if not (Path(folder) / "bench-results/leaderboard.md").exists():
            raise RuntimeError("bench run left no leaderboard.md")
        store = Store(Path(folder) / "bench-results")
        scores = {cell: store.record(cell)["score"] for cell in cells}
    _wait_for_all()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "side": "harness",
        "wall_seconds": wall,
        "processor_seconds": used.ru_utime + used.ru_stime if adopted else None,
        "scores": scores,
    }


def clean_environment() -> dict[str, str]:
    """The environment without options of `bench`, which would change the grid."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}


def _wait_for_all() -> None:
    """Until no child is left: only then is their time counted."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return
