"""The plugin road: a package that declares a task, a model and a baseline is installed and run, with no line of bench changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory, checkpoints):
    """An environment in which the plugin is installed beside bench."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(PLUGIN, source)
    shutil.copytree(checkpoints("bert"), source / "bench_plugin_parity/checkpoint")
    site = tmp_path_factory.mktemp("site")
    install = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site), str(source)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    return {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


def bench(environment, folder, *words):
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)


def test_what_the_plugin_declares_is_listed(environment, tmp_path):
    listed = json.loads(bench(environment, tmp_path, "tasks", "--json").stdout)
    assert "parity" in [family["family"] for family in listed["families"]]
    assert "dogs" in [task["task"] for task in listed["tasks"]]
    models = json.loads(bench(environment, tmp_path, "models", "--json").stdout)
    assert {"tiny-plugin", "counting"} <= {model["model"] for model in models}


def test_its_task_runs_on_its_model(environment, tmp_path):
    done = bench(
        environment, tmp_path, "run", "--models", "tiny-plugin", "--tasks", "dogs", "--set", "recipe.epochs=2", "--json"
    )
    assert done.returncode == 0, done.stderr
    (cell,) = json.loads(done.stdout)
    assert cell["status"] == "ok" and cell["id"].startswith("dogs--tiny-plugin--full--s0--")
    record = json.loads((tmp_path / "bench-results/cells" / cell["id"] / "record.json").read_text())
    assert record["task"]["rows"] == {"train": 64, "validation": 16, "test": 32}
    assert "dogs" in (tmp_path / "bench-results/leaderboard.md").read_text()


def test_its_baseline_runs_beside_it(environment, tmp_path):
    wanted = {**environment, "BENCH_BASELINES": "true"}
    done = bench(
        wanted, tmp_path, "run", "--models", "tiny-plugin", "--tasks", "dogs", "--set", "recipe.epochs=1", "--json"
    )
    assert done.returncode == 0, done.stderr
    baseline, model = json.loads(done.stdout)
    assert baseline["id"].startswith("dogs--counting--baseline--s0--") and baseline["score"] == 100.0
    assert model["id"].startswith("dogs--tiny-plugin--full--s0--")
    assert "| *counting* " in (tmp_path / "bench-results/leaderboard.md").read_text()
