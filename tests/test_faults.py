"""Whatever happens to `bench run`, the same command again finishes the grid: every cell once, as if nothing had been.

BENCH_FAULTS says how many faults the campaign is to have: 200 for the full one, which takes minutes.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import local_hub
import pytest
from faults import checks
from faults.campaign import campaign, table
from faults.grid import make_toy, undisturbed
from faults.process import Run

pytestmark = pytest.mark.long
FAULTS = int(os.environ.get("BENCH_FAULTS", "12"))
MODEL = "distilbert/distilbert-base-uncased"


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    return undisturbed(make_toy(folder / "toy"), folder / "undisturbed")


@pytest.fixture
def start(grid, tmp_path):
    """start(label, **more) -> a run of the grid into tmp_path/results; none outlives the test."""
    runs = []
    (tmp_path / "notes").mkdir()

    def make(label, *more, results=tmp_path / "results"):
        plan = {"folder": str(tmp_path / "notes"), "label": label, "faults": []}
        runs.append(Run([*grid.arguments, *more, "--results", str(results)], tmp_path, label, plan, grid.environment))
        return runs[-1]

    yield make
    for run in runs:
        run.end()


def until(run, ready, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        assert run.running() and time.monotonic() < end, run.text()
        time.sleep(0.02)


def test_a_campaign_of_faults_leaves_every_grid_intact(grid, tmp_path):
    tally = campaign(grid, tmp_path, FAULTS, seed=int(os.environ.get("BENCH_FAULTS_SEED", "0")))
    print(table(tally))
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.enough()


def test_two_runs_at_once_begin_no_cell_twice(grid, start, tmp_path):
    runs = [start("one"), start("two")]
    assert [run.wait(200) for run in runs] == [0, 0]
    assert set(checks.begun(checks.log(tmp_path / "notes")).items()) == {(cell, 1) for cell in grid.cells()}
    assert checks.deviations(grid, tmp_path / "results") == []


@pytest.mark.parametrize("what", [signal.SIGINT, signal.SIGTERM])
def test_what_all_processes_are_sent_while_the_libraries_load_ends_them_in_silence(start, what):
    run = start("loading")
    until(run, run.servers)
    time.sleep(1)
    for process in run.members():
        process.send_signal(what)
    assert run.wait(60) == 130 and "Traceback" not in run.text()
    time.sleep(0.5)
    assert run.members() == [], "a fork server that has no parent would go on loading"


def test_a_full_disk_ends_the_run_in_plain_words_and_nothing_finished_is_lost(grid, start, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here: that needs root")
    try:
        results = place / "here" / "results"
        run = start("full", results=results)
        until(run, lambda: "[1/6" in run.text())
        over = threading.Event()
        filler = threading.Thread(target=fill, args=(place / "ballast", over))
        filler.start()
        status = run.wait(120)
        over.set()
        filler.join()
        assert status == 1 and "the disk is full" in run.text() and "Traceback" not in run.text(), run.text()
        assert "make room, then" in run.text() and run.left_alive() == []
        kept = checks.finished(results)
        assert 1 <= len(kept) < 6
        (place / "ballast").unlink()
        again = start("again", results=results)
        assert again.wait(120) == 0, again.text()
        assert kept.items() <= checks.finished(results).items()
        assert checks.deviations(grid, results) == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path, over):
    """Take all the room there is, and whatever becomes free."""
    with path.open("wb", buffering=0) as file:
        while not over.is_set():
            for size in (2**20, 2**12):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
            time.sleep(0.005)


def test_a_hub_that_stumbles_and_goes_away_costs_time_only(shared, tmp_path):
    tools, root = shared / "tools", tmp_path / "root"
    if not tools.is_dir():
        pytest.skip("no local Hub beside this checkout")
    local_hub.make(tools, root, [MODEL])
    arguments = [*make_toy(tmp_path / "toy", seeds=1), "--models", MODEL, "--set", "recipe.epochs=4"]

    def client(environment):
        return {name: environment[name] for name in ("HF_ENDPOINT", "HF_HOME", "NO_PROXY")} | {"BENCH_CACHE": "off"}

    with local_hub.listen(tools, root, tmp_path / "home") as environment:
        whole = undisturbed(arguments, tmp_path / "undisturbed", environment=client(environment))
    command, results = (
        [*whole.arguments, "--results", str(tmp_path / "here" / "results")],
        tmp_path / "here" / "results",
    )
    with local_hub.listen(tools, root, tmp_path / "other", "--fail-rate", "0.5", "--seed", "1") as environment:
        run = Run(command, tmp_path / "runs", "stumbling", None, client(environment))
        time.sleep(3)  # some answers, some refusals; then nobody answers
    time.sleep(3)
    # The clients' patience times our own is minutes; whoever has less of it ends the run.
    if run.running():
        run.process.send_signal(signal.SIGINT)
    assert run.wait(60) in (0, 1, 2, 130) and "Traceback" not in run.text(), run.text()
    assert run.left_alive() == []
    with local_hub.listen(tools, root, tmp_path / "other", "--fail-rate", "0.2", "--seed", "2") as environment:
        again = Run(command, tmp_path / "runs", "again", None, client(environment))
        assert again.wait(200) == 0, again.text()
    assert checks.deviations(whole, results) == []


def test_the_checks_see_what_they_are_for(grid, tmp_path):
    results = tmp_path / "here" / "results"
    shutil.copytree(grid.undisturbed, results)
    assert checks.deviations(grid, results) == []
    first, second, third = grid.cells()[:3]
    record = json.loads((results / "cells" / first / "record.json").read_text())
    record["training"]["history"][0]["loss"] += 1e-9
    (results / "cells" / first / "record.json").write_text(json.dumps(record))
    (results / "cells" / second / "predictions.jsonl").write_text("")
    for stray in (".claim", ".record.json.host.1.tmp", "checkpoint.safetensors"):
        (results / "cells" / third / stray).touch()
    (results.parent / ".leaderboard.md.host.1.tmp").touch()
    found = checks.deviations(grid, results)
    assert f"{first}: other training" in found and f"{second}: other predictions" in found and len(found) == 6
    steps = [("run", "begins", "c", 0), *(("run", "step", "c", step) for step in range(25))]
    again = [("next", "begins", "c", 0), ("next", "step", "c", 14)]
    assert checks.lost_too_much([*steps, *again], set()) and not checks.lost_too_much([*steps, *again], {"c"})
    assert not checks.lost_too_much([*steps, ("next", "begins", "c", 0), ("next", "step", "c", 20)], set())
