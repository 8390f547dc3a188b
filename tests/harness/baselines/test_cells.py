"""Baselines as cells: planned, identified, estimated, run and recorded."""

import json
import os
import subprocess
import sys

import pytest
import toy
from typer.testing import CliRunner

from harness import registry
from harness.baselines.run import run_baseline
from harness.cell import Cell
from harness.cli.main import app
from harness.errors import BenchError
from harness.estimate.estimator import ROWS, check_disk, estimate_cells
from harness.estimate.grid_estimate import describe_time
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.recipe import Recipe
from harness.stats.column_statistics import ScoredRecord
from harness.stats.row_comparison import compare
from harness.store import Store

MINI = {
    "mini-sentiment": ["majority", "tfidf-lr"],
    "mini-topics": ["majority", "tfidf-lr"],
    "mini-ner": ["all-o", "frequent-tag"],
    "mini-qa": ["sliding-window"],
    "mini-translation": ["copy", "dictionary"],
}


def cell(name, task=None, seed=0, **recipe):
    return Cell(
        registry.baselines()[name].checkpoint(), task or toy.task(), "toy", 1, "baseline", seed, Recipe(**recipe), "toy"
    )


def planned(*models, **more):
    more = {"tasks": ["all"], "baselines": True, **more}
    return [(one.task.name, one.model.name, one.method) for one in make_plan(Request(models, **more)).cells]


def test_every_task_gets_the_baselines_of_its_family_first():
    found = planned("bert-mini", methods=["lora", "full"])
    for task, names in MINI.items():
        mine = [(model, method) for where, model, method in found if where == task]
        assert mine == [*((name, "baseline") for name in names), ("bert-mini", "lora"), ("bert-mini", "full")]
    assert not [one for one in planned("bert-mini", baselines=False) if one[2] == "baseline"]


def test_each_seed_has_a_baseline_cell():
    plan = make_plan(Request(["bert-mini"], ["mini-qa"], seeds=[0, 4], baselines=True))
    assert [(one.model.name, one.seed) for one in plan.cells] == [
        ("sliding-window", 0), ("bert-mini", 0), ("sliding-window", 4), ("bert-mini", 4),
    ]  # fmt: skip


def test_named_baselines_replace_the_default_ones():
    assert planned("bert-mini", "copy", tasks=["mini-translation"]) == [
        ("mini-translation", "bert-mini", "full"), ("mini-translation", "copy", "baseline"),
    ]  # fmt: skip
    assert planned("tfidf-lr", baselines=False) == [
        ("mini-sentiment", "tfidf-lr", "baseline"), ("mini-topics", "tfidf-lr", "baseline"),
    ]  # fmt: skip
    assert not make_plan(Request(["tfidf-lr"], ["all"])).impossible


def test_an_unused_baseline_gives_a_note():
    plan = make_plan(Request(["copy", "majority"], ["mini-sentiment"]))
    assert plan.impossible == ("copy is a baseline for translation only, and no task is of that",)
    with pytest.raises(BenchError, match="nothing to run: copy is a baseline for translation only"):
        make_plan(Request(["copy"], ["mini-sentiment"]))


def test_impossible_models_are_an_error_also_with_baselines(monkeypatch):
    from harness.planning import plan as plan

    monkeypatch.setattr(plan, "cannot", lambda checkpoint, task: None if checkpoint.kind == "baseline" else "no head")
    with pytest.raises(BenchError, match="nothing to run: no head"):
        make_plan(Request(["bert-mini"], ["mini-qa"], baselines=True))


def test_wrong_names_and_settings():
    with pytest.raises(BenchError, match="unknown model 'tfidf'; did you mean 'tfidf-lr'"):
        make_plan(Request(["tfidf"], ["mini-sentiment"]))
    with pytest.raises(BenchError, match=r"--set recipe\.epochs=9: baselines have no recipe"):
        make_plan(Request(["tfidf-lr"], ["mini-sentiment"], settings={"recipe.epochs": "9"}))
    with pytest.raises(BenchError, match="unknown method 'baseline'"):
        make_plan(Request(["bert-mini"], ["mini-sentiment"], methods=["baseline"]))


def test_id_depends_on_task_and_seed_but_not_on_the_recipe():
    one = cell("majority")
    assert one.id.startswith("toy-sentiment--majority--baseline--s0--") and one.settings() == {}
    assert cell("majority", epochs=9).id == one.id
    assert len({one.id, cell("tfidf-lr").id, cell("majority", seed=1).id}) == 3
    assert cell("majority", toy.task(limit=5)).id != one.id


def test_estimates_work_without_an_architecture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("no model's")
    cells = [cell("tfidf-lr"), cell("majority")]
    grid = estimate_cells(cells, Store(tmp_path), "cpu", 1, 1)
    assert [one.source for one in grid.cells] == [ROWS, ROWS] and grid.start == 0 and 0 < grid.seconds < 60
    assert grid.cells[0].seconds > grid.cells[1].seconds and "from the number of rows" in describe_time(grid)
    assert check_disk(tmp_path, cells, 2, 60) == ""
    run_baseline(cells[0], Store(tmp_path), lambda event: None)
    assert estimate_cells([cell("tfidf-lr", seed=1)], Store(tmp_path), "cpu", 1, 1).cells[0].seconds < 30


@pytest.mark.parametrize("name", registry.baselines())
def test_record_has_the_keys_of_a_model_and_its_predictions_give_the_score(tmp_path, name):
    family = registry.baselines()[name].families[0]
    toys = {"sentiment": toy.sentiment, "ner": toy.names, "qa": toy.questions, "translation": toy.pairs}
    if family not in toys:
        pytest.skip("a plugin's family")
    made, events = cell(name, toy.task(toys[family], family)), []
    record = run_baseline(made, Store(tmp_path), events.append)
    assert record["status"] == "ok" and 0 <= record["score"] <= 100 and record["recipe"] == {}
    assert record["model"]["architecture"] == record["method"] == "baseline"
    cost = record["cost"]
    assert record["model"]["parameters"] == cost["trainable_parameters"] and cost["peak_memory_bytes"] > 0
    assert 0 <= cost["train_seconds"] <= cost["total_seconds"] and cost["train_tokens"] == 0
    assert "precision" not in record["environment"] and record["environment"]["device_type"] == "cpu"
    assert {event["event"] for event in events} == {"phase", "warnings"}
    stored = Store(tmp_path).record(made.id)
    assert {name: stored[name] for name in record} == json.loads(json.dumps(record))
    ScoredRecord(Store(tmp_path), stored)  # raises where they do not give the score


def test_too_few_predictions_are_an_error(tmp_path, monkeypatch):
    from tasks.baselines.majority import Constant

    monkeypatch.setattr(Constant, "predict", lambda self, rows: ["good"])
    with pytest.raises(BenchError, match="baseline 'majority' gives 1 predictions for the 16 rows of validation"):
        run_baseline(cell("majority"), Store(tmp_path), lambda event: None)


def bench(folder, *words):
    """The command, with baselines."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "BENCH_BASELINES": "true"}
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_no_model_code_is_imported():
    code = (
        "import sys, tempfile, toy\n"
        "from test_cells import cell\n"
        "from harness.baselines.run import run_baseline\n"
        "from harness.store import Store\n"
        "run_baseline(cell('tfidf-lr'), Store(tempfile.mkdtemp()), lambda event: None)\n"
        "heavy = {'harness.models.load', 'harness.heads.base', 'harness.cache.encoded', 'harness.training.worker'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    here = os.path.dirname(__file__)
    path = os.pathsep.join([here, os.path.dirname(os.path.dirname(here)), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_from_the_command_line_to_the_board(tmp_path):
    words = ["run", "--models", "bert", "--tasks", "mini-sentiment", "--limit", "40", "--set", "recipe.epochs=1"]
    done = bench(tmp_path, *words)
    assert done.returncode == 0 and "3 cells: 0 finished, 3 to run" in done.stdout, done.stdout + done.stderr
    again = bench(tmp_path, *words)
    assert "3 cells: 3 finished, 0 to run" in again.stdout
    assert "1 cells: 1 finished" in bench(tmp_path, *words, "--no-baselines").stdout
    board = (tmp_path / "bench-results/leaderboard.md").read_text()
    assert "| *tfidf-lr* " in board and "--models bert --tasks" in board and "--methods full" in board
    found = compare(Store(tmp_path / "bench-results"), "tfidf-lr", "bert-mini")
    assert [one.task for one in found] == ["mini-sentiment@40"]


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--devices-per-cell", "2"], ["--engine", "inline"]])
@pytest.mark.long
def test_other_engines(tmp_path, words):
    done = bench(tmp_path, "run", "--models", "majority", "--tasks", "mini-sentiment", "--devices", "cpu", *words)
    assert done.returncode == 0 and "48.67" in done.stdout, done.stdout + done.stderr


def test_baselines_are_listed():
    listed = {one["model"]: one for one in json.loads(CliRunner().invoke(app, ["models", "--json"]).output)}
    assert listed["dictionary"]["architecture"] == "baseline" and listed["dictionary"]["families"] == ["translation"]
    shown = CliRunner().invoke(app, ["models"], env={"COLUMNS": "80"}).output
    assert "sliding-window" in shown and max(map(len, shown.splitlines())) <= 80


def test_a_baseline_has_no_tokens_to_count():
    done = CliRunner().invoke(app, ["task", "check", "mini-qa", "--model", "sliding-window"])
    assert "is a baseline and has no tokeniser; name a model" in str(done.exception)
