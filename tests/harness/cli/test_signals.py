"""Signals when no run is under way (for the others see test_interrupted.py)."""

import subprocess
import sys

import pytest

LATE = """
import atexit, os, signal, sys
atexit.register(os.kill, os.getpid(), signal.{name})  # comes when everything has been done and said
sys.argv = ["bench", {words}]
from harness.cli.main import program
program()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("words", "status"), [('"--version"', 0), ('"tasks", "--suite", "nosuch"', 2)])
def test_a_late_signal_changes_neither_status_nor_output(name, words, status):
    done = subprocess.run(
        [sys.executable, "-c", LATE.format(name=name, words=words)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
