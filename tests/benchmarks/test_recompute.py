"""The independent script agrees with the board, and notices each figure that is falsified."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_boards import write_board
from made_curves import write_curve
from typer.testing import CliRunner

from harness.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from recompute import recompute  # noqa: E402


def board(folder):
    done = CliRunner().invoke(app, ["leaderboard", "--results", str(folder), "--format", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("made")
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        write_board(folder / "results", models=4, tasks=6, words=True)
        return board(folder / "results"), folder / "results"


def test_it_imports_nothing_of_the_harness():
    for path in (ROOT / "benchmarks").glob("recompute*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.strip().startswith(("import harness", "from harness"))], path


def test_a_made_board_is_right(made):
    check = recompute(*made)
    assert not check.different and check.compared > 500 and not check.left_out


def test_learning_curves_are_recomputed_and_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    store = write_curve(tmp_path / "results", {"a": [0.7, 0.8], "b": [0.6, 0.9]}, (100, None), rows=40)
    for one in list(store.records()):  # the made-up records have one metric only
        right = one["metrics"]["test"]["accuracy"] = one["score"] / 100
        one["metrics"]["test"] = {"accuracy": right}
        store.write(one)
    shown = board(store.root)
    whole = recompute(shown, store.root)
    told = [line for line in whole.different if "learning curve" in line or "mean" in line]
    assert not told and whole.compared > 30
    shown["curves"][0]["lines"][1]["points"][0]["mean"] += 0.01
    assert len(recompute(shown, store.root).different) == len(whole.different) + 1


@pytest.mark.long
def test_the_repositorys_own_board_is_right(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    check = recompute(board(ROOT / "results"), ROOT / "results")
    assert not check.different and check.compared > 1800 and not check.left_out


def at(shown, path):
    """The mapping that a path leads to, and its last key."""
    *keys, last = path
    for key in keys:
        shown = shown[key]
    return shown, last


FALSIFIED = [
    (("rows", 0, "average"), 0.01),
    (("rows", 1, "entries", "task-0", "mean"), 0.001),
    (("rows", 1, "entries", "task-0", "sd"), 0.001),
    (("rows", 1, "entries", "task-0", "scores", "1"), 0.001),
    (("rows", 2, "entries", "task-3", "metrics", "macro_f1"), 0.001),
    (("rows", 2, "entries", "task-3", "train_seconds"), 1.0),
    (("rows", 2, "entries", "task-3", "standing", "low"), -1.5),
    (("rows", 1, "entries", "task-2", "standing", "ranks", 1), 1),
    (("columns", 4, "trivial"), 0.5),
    (("rows", 1, "entries", "task-0", "slices", "label", "bad", "recall"), 0.001),
    (("rows", 1, "entries", "task-5", "slices", "label", "good", "score"), 0.01),
    (("rows", 1, "entries", "task-0", "slices", "length", "1-8", "score"), 0.01),
    (("columns", 0, "slices", "length", "1-8"), 1),
    (("overall", "rows", 0, "rank", "value"), 0.2),
    (("overall", "rows", 0, "score", "value"), 0.01),
    (("overall", "rows", 3, "wins", "value"), 0.01),
    (("overall", "rows", 1, "rank", "high"), 0.3),
    (("overall", "rows", 2, "score", "low"), -0.1),
    (("overall", "friedman", "p"), 0.001),
    (("overall", "friedman", "critical_difference"), 0.1),
]


@pytest.mark.parametrize(
    ("path", "off"), FALSIFIED, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else ""
)
def test_a_falsified_figure_is_noticed(made, path, off):
    shown = copy.deepcopy(made[0])
    inside, last = at(shown, path)
    inside[last] += off
    assert recompute(shown, made[1]).different


def test_falsified_letters_are_noticed(made):
    for inside, key in (
        at(made[0], ("rows", 0, "entries", "task-0", "standing", "letters")),
        at(made[0], ("overall", "rows", 0, "letters")),
    ):
        true = inside[key]
        inside[key] = "z"  # apart from all others
        apart = recompute(*made).different
        inside[key] = "abcdefgh"  # with all others
        together = recompute(*made).different
        inside[key] = true
        assert apart or together


def test_a_record_that_does_not_fit_its_predictions_is_noticed(made, tmp_path):
    shown, folder = made
    path = next(folder.glob("cells/*/record.json"))
    text = path.read_text()
    record = json.loads(text)
    path.write_text(json.dumps({**record, "score": record["score"] + 1}))
    try:
        assert any("score" in line for line in recompute(shown, folder).different)
    finally:
        path.write_text(text)


def test_a_record_whose_slices_do_not_fit_its_predictions_is_noticed(made):
    shown, folder = made
    path = next(folder.glob("cells/task-0*/record.json"))
    text = path.read_text()
    record = json.loads(text)
    record["metrics"]["slices"]["length"]["1-8"]["accuracy"] += 0.01
    path.write_text(json.dumps(record))
    try:
        assert any("length 1-8: accuracy" in line for line in recompute(shown, folder).different)
    finally:
        path.write_text(text)


def test_the_script_ends_with_a_status(made, tmp_path):
    shown, folder = made
    for off, status in ((0.0, 0), (0.5, 1)):
        shown = copy.deepcopy(shown)
        shown["rows"][0]["average"] += off
        (tmp_path / "board.json").write_text(json.dumps(shown))
        command = [sys.executable, str(ROOT / "benchmarks/recompute.py"), "--results", str(folder), "--board"]
        done = subprocess.run([*command, str(tmp_path / "board.json")], capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        assert ("average" in done.stdout) == bool(status)
