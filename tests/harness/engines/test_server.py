"""The fork server, and what comes of a parent that ends while it asks for a process."""

import subprocess
import sys

import pytest

LEAVE = """
import os, time
from multiprocessing import forkserver
from harness.engines.server import Server

Server()
answer, words = forkserver.connect_to_new_process([])
if {word!r}:
    os.write(words, {word!r})
os.close(words)  # as when Ctrl-C comes between the question and the task
os.read(answer, 8)  # the process is there
assert os.read(answer, 1)  # and ends with a status
os.close(answer)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("word", "said"), [(b"", False), (b"nonsense", True)], ids=["no task", "no sense"])
def test_a_process_that_is_asked_for_and_given_no_task_says_nothing(word, said):
    done = subprocess.run(
        [sys.executable, "-c", LEAVE.format(word=word)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert ("UnpicklingError" in done.stderr) is said and ("Traceback" in done.stderr) is said, done.stderr
