"""Interrupted runs go on with the same command."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from harness.store import Store

pytestmark = pytest.mark.slow
SUITE = """
name: mine
models: {{b: {bert}, l: {llama}}}
tasks:
  - {{name: reviews, family: sentiment, data: {{format: csv, files: reviews.csv}}}}
  - {{name: tiny, family: sentiment, data: {{format: csv, files: tiny.csv}}}}
recipes:
  - {{epochs: 60, patience: 0, batch_size: 4, precision: fp32}}
  - {{when: {{task: tiny}}, epochs: 1}}
"""
RUN = ["run", "--suite", "mine.yaml", "--devices", "cpu", "--jobs", "2"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, checkpoints):
    folder = tmp_path_factory.mktemp("inputs")
    for name, count in (("reviews", 20), ("tiny", 6)):
        rows = "\n".join(f'"the cat is {word}",{word}' for _ in range(count) for word in ("good", "bad"))
        (folder / f"{name}.csv").write_text("text,label\n" + rows)
    (folder / "mine.yaml").write_text(SUITE.format(bert=checkpoints("bert"), llama=checkpoints("llama")))
    return folder


@pytest.fixture
def work(inputs, tmp_path):
    for path in inputs.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


class Bench:
    """A `bench` that runs in a session of its own, as in a terminal."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", *RUN, *words], cwd=folder, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
        )  # fmt: skip

    def until(self, text):
        """Read lines until one contains the text."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError(f"no {text!r} in {''.join(lines)}")

    def until_trained(self):
        """Wait until the long cells have made some steps."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if len(list(self.folder.glob("bench-results/cells/reviews*/checkpoint.safetensors"))) == 2:
                return
            time.sleep(0.05)
        raise AssertionError("no checkpoints within 60 s")

    def family(self):
        return [one for one in psutil.process_iter() if _session(one.pid) == self.process.pid]

    def end(self):
        """Its output and status, after a look for processes that it left."""
        output, _ = self.process.communicate(timeout=120)
        left = psutil.wait_procs(self.family(), timeout=10)[1]
        assert not left, left
        return output, self.process.returncode


def _session(number):
    try:
        return os.getsid(number)
    except (ProcessLookupError, PermissionError):
        return None


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    for path in inputs.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    output, status = Bench(folder).end()
    assert status == 0, output
    return facts(folder)


def facts(folder):
    store = Store(folder / "bench-results")
    return {
        record["id"]: (
            record["score"],
            record["metrics"],
            record["training"]["history"],
            store.predictions(record["id"]),
        )
        for record in store.records()
    }


def left_over(folder):
    usual = {"record.json", "predictions.jsonl", "log.txt"}
    return [path for path in folder.glob("bench-results/cells/*/*") if path.name not in usual] + list(
        folder.glob(".*.tmp")
    )


def signal_parent(bench, number):
    os.kill(bench.process.pid, number)


def signal_all(bench, number):
    os.killpg(bench.process.pid, number)


@pytest.mark.parametrize(
    ("send", "number", "status"),
    [
        (signal_all, signal.SIGINT, 130),
        pytest.param(signal_parent, signal.SIGTERM, 130, marks=pytest.mark.long),
        pytest.param(signal_parent, signal.SIGHUP, 130, marks=pytest.mark.long),
        pytest.param(signal_parent, signal.SIGKILL, -9, marks=pytest.mark.long),
        (signal_all, signal.SIGKILL, -9),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "kill -9 of the parent", "kill -9 of all"],
)
def test_the_same_command_resumes_and_gives_the_same_results(work, undisturbed, send, number, status):
    bench = Bench(work, "--checkpoint-every", "10steps")
    bench.until_trained()
    send(bench, number)
    output, code = bench.end()
    assert code == status
    if status == 130:
        assert "saving the cells that run (Ctrl-C again ends them at once)" in output
        assert output.endswith(
            "interrupted; finished cells are kept in bench-results, the others go on from there: run it again\n"
        )
        assert not list(work.glob("bench-results/cells/*/.claim"))
    output, code = Bench(work).end()
    assert code == 0, output
    assert output.count("goes on reviews") == 2 and "FAILED" not in output
    assert facts(work) == undisturbed and left_over(work) == []


def suspend_workers(bench):
    """Stop them, so that they answer nobody."""
    workers = [one for server in psutil.Process(bench.process.pid).children() for one in server.children()]
    assert len(workers) == 2
    for worker in workers:
        worker.suspend()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfds (Linux)")
@pytest.mark.long
def test_no_worker_outlives_its_parent_even_when_it_is_stopped(work, undisturbed):
    bench = Bench(work, "--checkpoint-every", "10steps")
    bench.until_trained()
    suspend_workers(bench)
    os.kill(bench.process.pid, signal.SIGKILL)
    assert bench.end()[1] == -9
    output, code = Bench(work).end()
    assert code == 0 and output.count("goes on reviews") == 2, output
    assert facts(work) == undisturbed and left_over(work) == []


def test_a_second_interrupt_ends_at_once(work):
    bench = Bench(work, "--checkpoint-every", "10steps")
    bench.until_trained()
    suspend_workers(bench)
    os.kill(bench.process.pid, signal.SIGINT)
    bench.until("saving the cells")
    begun = time.monotonic()
    os.kill(bench.process.pid, signal.SIGINT)
    _, code = bench.end()
    assert code == 130 and time.monotonic() - begun < 10


@pytest.mark.long
def test_two_runs_on_one_folder_share_the_work(work, undisturbed):
    first, second = Bench(work), Bench(work)
    for output, code in (first.end(), second.end()):
        assert code == 0, output
    assert facts(work) == undisturbed and left_over(work) == []
    logs = [path.read_text() for path in work.glob("bench-results/cells/*/log.txt")]
    assert len(logs) == 4 and all(log.count("LOAD REPORT") == 1 for log in logs)  # begun once each


@pytest.mark.long
def test_a_permanent_failure_is_rerun_only_on_request(work):
    words = ["--tasks", "tiny", "--models", "b"]
    assert Bench(work, *words).end()[1] == 0
    (path,) = work.glob("bench-results/cells/tiny*/record.json")
    failed = json.loads(path.read_text()) | {"status": "failed", "score": None}
    for stays in (True, False):  # the person's mistake; anything else
        error = {
            "type": "BenchError",
            "message": "no such column",
            "traceback": "",
            **({"stays": True} if stays else {}),
        }
        path.write_text(json.dumps(failed | {"error": error}))
        output, code = Bench(work, *words).end()
        if stays:
            assert code == 1 and "0 to run, 1 failed for a reason that stays (--rerun-failed runs them)" in output
            output, code = Bench(work, *words, "--rerun-failed").end()
        assert code == 0 and "1 to run" in output and json.loads(path.read_text())["status"] == "ok"


def test_json_output_is_valid_with_the_inline_engine(work):
    done = subprocess.run(
        [sys.executable, "-m", "harness", *RUN, "--tasks", "tiny", "--models", "b", "--json", "--engine", "inline"],
        cwd=work, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [cell["status"] for cell in json.loads(done.stdout)] == ["ok"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkpoint-every", "soon"], "bench: --checkpoint-every soon: must be a time (5m), a number of steps (200steps)"),
        (["--timeout", "0"], "bench: --timeout 0: must be a time such as 90s, 5m or 2h"),
        (["--engine", "inline", "--devices-per-cell", "2"], "bench: --devices-per-cell 2: the engine inline gives a cell one device"),
    ],
)  # fmt: skip
def test_invalid_options_are_one_line(work, words, message):
    output, code = Bench(work, *words).end()
    assert code == 2 and message in output and "Traceback" not in output
