"""Whole runs with results behind a URL: interrupted, killed and cut off from the store, on one machine and another."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from harness.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.long]
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
RUN = ["run", "--suite", "mine.yaml", "--devices", "cpu", "--jobs", "2", "--checkpoint-every", "10steps"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, checkpoints):
    folder = tmp_path_factory.mktemp("inputs")
    for name, count in (("reviews", 20), ("tiny", 6)):
        rows = "\n".join(f'"the cat is {word}",{word}' for _ in range(count) for word in ("good", "bad"))
        (folder / f"{name}.csv").write_text("text,label\n" + rows)
    (folder / "mine.yaml").write_text(SUITE.format(bert=checkpoints("bert"), llama=checkpoints("llama")))
    return folder


def start(inputs, results, machine, *words):
    """A `bench run` in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *RUN, "--results", results, *words], cwd=inputs, text=True,
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", "BENCH_CACHE": str(machine)},
    )  # fmt: skip


def whole(inputs, results, machine, *words):
    process = start(inputs, results, machine, *words)
    return process.communicate(timeout=240)[0], process.returncode


def kill_all(process):
    """All of its processes."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def facts(folder):
    store = Store(folder)
    return {
        record["id"]: (
            record["score"],
            record["metrics"],
            record["training"]["history"],
            store.predictions(record["id"]),
        )
        for record in store.records()
    }


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    output, status = whole(inputs, str(folder / "results"), folder / "cache")
    assert status == 0, output
    return facts(folder / "results")


def left_over(remote):
    usual = {"record.json", "predictions.jsonl", "log.txt", "leaderboard.md"}
    return [path for path in remote.rglob("*") if path.is_file() and path.name not in usual]


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    "same", [pytest.param(True, marks=pytest.mark.long), False], ids=["the same machine", "another machine"]
)
def test_a_run_killed_with_kill_9_resumes(inputs, undisturbed, tmp_path, same):
    remote, url = tmp_path / "remote", f"file://{tmp_path}/remote"
    process = start(inputs, url, tmp_path / "a")
    until(lambda: len(list(remote.glob("cells/reviews*/checkpoint.safetensors"))) == 2)
    kill_all(process)
    assert not list(remote.glob("cells/reviews*/record.json"))
    output, status = whole(inputs, url, tmp_path / ("a" if same else "b"))
    assert status == 0, output
    assert output.count("goes on reviews") == 2, output
    assert facts(remote) == undisturbed and left_over(remote) == []
    output, status = whole(inputs, url, tmp_path / "c")
    assert status == 0 and "4 cells: 4 finished, 0 to run" in output


def test_another_machine_resumes_an_interrupted_run(inputs, undisturbed, tmp_path):
    remote, url = tmp_path / "remote", f"file://{tmp_path}/remote"
    process = start(inputs, url, tmp_path / "a", "--tasks", "reviews", "--checkpoint-every", "5m")
    until(lambda: (found := list((tmp_path / "a").rglob("log.txt"))) and len(found) == 2)
    time.sleep(1.5)
    os.kill(process.pid, signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    output, status = whole(inputs, url, tmp_path / "b")
    assert status == 0, output
    assert facts(remote) == undisturbed and left_over(remote) == []
    assert output.count("goes on reviews") == len(list(remote.glob("cells/reviews*/log.txt"))) == 2


def test_finished_cells_are_kept_if_the_store_disappears(inputs, undisturbed, tmp_path):
    """While the cells run, a file stands where the folder of the cells was to be."""
    remote, url = tmp_path / "remote", f"file://{tmp_path}/remote"
    remote.mkdir()
    (remote / "cells").write_text("")
    output, status = whole(inputs, url, tmp_path / "a", "--tasks", "tiny", "--json")
    assert status == 1 and "Traceback" not in output, output
    assert output.count("not sent tiny") == 2
    assert f"--results {url}: cannot be written: " in output and "2 finished cells wait in " in output
    assert "2 to run" in output and '"score":' in output
    (remote / "cells").unlink()
    output, status = whole(inputs, url, tmp_path / "a", "--tasks", "tiny")
    assert status == 0 and "2 cells: 2 finished, 0 to run" in output, output
    assert facts(remote) == {name: facts for name, facts in undisturbed.items() if name.startswith("tiny")}


@pytest.mark.long
def test_two_runs_on_one_machine_run_no_cell_twice_and_two_machines_agree(inputs, undisturbed, tmp_path):
    remote, url = tmp_path / "remote", f"file://{tmp_path}/remote"
    runs = [start(inputs, url, tmp_path / name) for name in ("a", "a", "b")]
    for process in runs:
        output = process.communicate(timeout=300)[0]
        assert process.returncode == 0, output
    assert facts(remote) == undisturbed and left_over(remote) == []
    for path in (tmp_path / "a").rglob("log.txt"):
        assert path.read_text().count("LOAD REPORT") == 1


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_any_moment(inputs, undisturbed, tmp_path, seed):
    draw, remote, url = random.Random(seed), tmp_path / "remote", f"file://{tmp_path}/remote"
    seen = {}
    for _ in range(6):
        process = start(inputs, url, tmp_path / draw.choice("ab"), "--checkpoint-every", "3steps")
        try:
            process.communicate(timeout=draw.uniform(4, 14))
        except subprocess.TimeoutExpired:
            kill_all(process)
        for path in remote.glob("cells/*/record.json"):
            content = path.read_text()
            assert seen.setdefault(path.parent.name, content) == content  # written once
    output, status = whole(inputs, url, tmp_path / "a")
    assert status == 0, output
    assert facts(remote) == undisturbed
    output, status = whole(inputs, url, tmp_path / "a")  # sweeps up what the others left after this one had begun
    assert status == 0 and left_over(remote) == []


def test_baselines_are_sent_too(inputs, tmp_path):
    behind = tmp_path / "behind"
    output, status = whole(
        inputs, f"file://{behind}", tmp_path / "cache", "--models", "majority,tfidf-lr", "--tasks", "tiny"
    )
    assert status == 0, output
    store = Store(behind)
    found = {record["model"]["name"]: record["status"] for record in store.records()}
    assert found == {"majority": "ok", "tfidf-lr": "ok"}
    assert all(store.predictions(record["id"]) for record in store.records())
