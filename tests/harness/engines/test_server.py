"""The fork server, and parents that end while they request a process."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.engines import worker_process
from harness.errors import BenchError

LEAVE = """
import os, time
from multiprocessing import forkserver
from harness.engines.server import ForkServer

ForkServer()
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
def test_a_process_that_receives_no_task_prints_nothing(word, said):
    done = subprocess.run(
        [sys.executable, "-c", LEAVE.format(word=word)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert ("UnpicklingError" in done.stderr) is said and ("Traceback" in done.stderr) is said, done.stderr


TELLING = """
import sys

def tell(connection):
    connection.send("peft" in sys.modules)
"""
LOADED = """
import sys

from telling import tell

from harness.engines.server import ForkServer
from harness.methods import adapter_modules

if __name__ == "__main__":
    process, connection = ForkServer(adapter_modules(sys.argv[1:])).start_process(tell)
    print(connection.recv())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("methods", "loaded"), [(["full", "baseline"], "False"), (["full", "lora"], "True")])
def test_modules_of_a_method_are_loaded_only_if_it_is_used(tmp_path, methods, loaded):
    (tmp_path / "loaded.py").write_text(LOADED)
    (tmp_path / "telling.py").write_text(TELLING)
    done = subprocess.run(
        [sys.executable, "loaded.py", *methods], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == loaded, done.stderr


@pytest.mark.parametrize(("methods", "modules"), [("full", []), ("full,lora", ["harness.adapt.lora"])])
def test_a_run_loads_the_modules_of_its_methods(tmp_path, monkeypatch, methods, modules):
    asked = []

    class Engine:
        def __init__(self, devices, jobs, together, modules):
            asked.append(modules)
            raise BenchError("that was all")

    monkeypatch.setattr("harness.engines.local.LocalEngine", Engine)
    words = ["run", "--models", "bert", "--tasks", "mini-ner", "--methods", methods, "--results", str(tmp_path / "r")]
    CliRunner().invoke(app, words)
    assert asked == [modules]


KILLED = """
import os, signal, sys, tempfile
from multiprocessing import forkserver, resource_tracker, util

from harness.engines.server import ForkServer

if __name__ == "__main__":
    ForkServer()
    numbers = [forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid]
    for number in numbers:
        os.kill(number, signal.SIGSTOP)
    print(*numbers, util.get_temp_dir(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the guard needs pidfds (Linux)")
def test_the_guard_cleans_up_after_a_run_that_was_killed_while_its_server_was_stopped(tmp_path):
    (tmp_path / "killed.py").write_text(KILLED)
    done = subprocess.run([sys.executable, "killed.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=120)
    *numbers, folder = done.stdout.split()
    assert len(numbers) == 2 and folder
    end = time.monotonic() + worker_process.ORPHAN_GRACE + 30
    while time.monotonic() < end and (Path(folder).exists() or any(map(_alive, map(int, numbers)))):
        time.sleep(0.2)
    assert not Path(folder).exists() and not any(map(_alive, map(int, numbers)))


def _alive(number):
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_probe_whose_parent_is_gone_prints_nothing(capfd):
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    worker_process.probe_main(theirs)
    assert capfd.readouterr().err == ""
