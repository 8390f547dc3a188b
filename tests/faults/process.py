"""A run of the command in a session of its own, and the processes that belong to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
INJECT = Path(__file__).resolve().parent / "inject"
SURVIVAL = 8.0  # seconds after which nothing of a run may hold a cell: a worker without a parent has 5 to save
LOADING = (
    30.0  # the same where no cell is held: a fork server looks for its parent only when it has loaded the libraries
)
PATIENCE = 120.0  # seconds that a run may take above what it was expected to


class Run:
    """`bench run` under way.

    Args:
        arguments: of `bench run`.
        folder: for its output and its plan of faults.
        label: names it in logs.
        plan: of the faults in its processes, as `inject/sitecustomize.py` reads it; None: it runs undisturbed.
        environment: more variables.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        label: str,
        plan: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.label, self.output = label, folder / f"{label}.out"
        variables = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "BENCH_ESTIMATE": "false",
            "BENCH_BASELINES": "false",
            "PYTHONPATH": str(ROOT),
        }
        variables.update(environment or {})
        if plan is not None:
            path = folder / f"{label}.json"
            path.write_text(json.dumps(plan))
            variables |= {"BENCH_FAULT_PLAN": str(path), "PYTHONPATH": f"{INJECT}{os.pathsep}{variables['PYTHONPATH']}"}
        command = [sys.executable, "-m", "harness", "run", *arguments]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=variables, cwd=folder,
                start_new_session=True,
            )  # fmt: skip
        self.began = time.monotonic()

    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def running(self) -> bool:
        return self.process.poll() is None

    def members(self) -> list[psutil.Process]:
        """All living processes of its session."""
        found = []
        for number in psutil.pids():
            try:
                if os.getsid(number) == self.process.pid:
                    process = psutil.Process(number)
                    if process.status() != psutil.STATUS_ZOMBIE:
                        found.append(process)
            except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
                continue
        return found

    def servers(self) -> list[psutil.Process]:
        """The fork server."""
        return [one for one, parent in self._forked() if parent == self.process.pid]

    def workers(self) -> list[psutil.Process]:
        """The processes that run cells, whoever their parent is by now."""
        return [one for one, parent in self._forked() if parent != self.process.pid]

    def _forked(self) -> list[tuple[psutil.Process, int]]:
        found = []
        for process in self.members():
            try:
                if any("multiprocessing.forkserver" in word for word in process.cmdline()):
                    found.append((process, process.ppid()))
            except psutil.NoSuchProcess:
                continue
        return found

    def wait(self, seconds: float) -> int:
        """Its exit status.

        Raises:
            AssertionError: it has not ended by then; all of it is killed.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"{self.label} did not end within {seconds:.0f} s:\n{self.text()[-2000:]}") from None

    def left_alive(self) -> list[str]:
        """What is still alive of it `SURVIVAL` seconds after its end; it is killed."""
        begun = time.monotonic()
        while left := self.members():
            waited = time.monotonic() - begun
            if waited > LOADING or (waited > SURVIVAL and any(map(_has_a_cell, left))):
                break
            time.sleep(0.1)
        names = []
        for process in left:
            try:
                names.append(f"{process.pid} {process.status()} {' '.join(process.cmdline())[:150]}")
            except psutil.NoSuchProcess:
                continue
        self.end()
        return names

    def end(self) -> None:
        """Kill all that belongs to it."""
        for process in self.members():
            send(process.pid, signal.SIGKILL)
        self.process.wait()


def _has_a_cell(process: psutil.Process) -> bool:
    """Whether it has a cell's claim, or writes to its log; not so a fork server that loads, nor what it forks at last."""
    try:
        return any("/cells/" in file.path for file in process.open_files())
    except psutil.NoSuchProcess:
        return False


def send(number: int, what: signal.Signals) -> bool:
    """Send a process a signal; False where there is no such process any more."""
    try:
        os.kill(number, what)
    except ProcessLookupError:
        return False
    return True
