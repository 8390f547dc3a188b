"""Sizes of learning curves: which a plan has, what a cell learns from, and that nothing else changes."""

import csv
import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness import registry
from harness.baselines.run import run_baseline
from harness.cli.main import app
from harness.data.source import FileSource, HubSource
from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.request import Request, read_request
from harness.store import Store
from harness.task import Task
from harness.task_data import load_data
from harness.train_rows import available_sizes, draw_train_rows

MINI = registry.tasks()["mini-sentiment"]
TASKS = [registry.tasks()[f"mini-{name}"] for name in ("sentiment", "topics", "ner", "qa", "translation")]


def loaded(task):
    return load_data(task, registry.family(task.family)), registry.family(task.family)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_subset_is_of_training_rows_alone_and_says_of_how_many(task):
    data, family = loaded(task)
    assert draw_train_rows(data, family, None, 0) is data
    part = draw_train_rows(data, family, 50, 0)
    assert part.available == len(data.splits["train"]) and len(part.splits["train"]) == 50
    assert part.splits["test"] is data.splits["test"] and part.splits["validation"] is data.splits["validation"]
    ids = {row["id"] for row in part.splits["train"]}
    assert ids < {row["id"] for row in data.splits["train"]}
    assert ids < {row["id"] for row in draw_train_rows(data, family, 200, 0).splits["train"]}
    assert ids != {row["id"] for row in draw_train_rows(data, family, 50, 1).splits["train"]}


def test_labels_are_in_proportion_and_contexts_together():
    data, family = loaded(MINI)
    labels = [row["label"] for row in draw_train_rows(data, family, 100, 3).splits["train"]]
    share = sum(row["label"] == labels[0] for row in data.splits["train"]) / len(data.splits["train"])
    assert abs(labels.count(labels[0]) / 100 - share) <= 0.01
    rows = [{"id": str(n), "group": str(n // 4)} for n in range(40)]
    part = draw_train_rows(replace(data, splits={**data.splits, "train": rows}), family, 8, 0)
    groups = [row["group"] for row in part.splits["train"]]
    assert sorted(map(groups.count, set(groups))) == [4, 4]


def test_more_rows_than_there_are_is_not_the_same_as_all(tmp_path):
    with (tmp_path / "a.csv").open("w") as file:
        csv.writer(file).writerows([("text", "label"), *((f"t{n}", "ab"[n % 2]) for n in range(50))])
    task = Task("mine", "sentiment", FileSource("csv", {"all": tmp_path / "a.csv"}))  # 30 of 50 are for training
    sizes, notes = available_sizes([task], (10, 30, 31, None))
    assert sizes == {"mine": (10, None)} and notes == ["mine: left out: 31 training rows are asked for, there are 30"]
    assert available_sizes([task.limited(5)], (10, 5, 3)) == (
        {"mine@5": (None, 3)},
        ["mine@5: left out: 10 training rows are asked for, there are 5"],
    )
    with pytest.raises(
        BenchError, match="nothing to run: mine: left out: 31 training rows are asked for, there are 30; name smaller"
    ):
        available_sizes([task], (31,))
    [cell] = make_plan(Request(["majority"], [f"sentiment:{tmp_path / 'a.csv'}"])).cells
    with pytest.raises(BenchError, match="31 training rows are asked for"):  # as a cell of the Hub's data finds out
        run_baseline(replace(cell, train_rows=31), Store(tmp_path), lambda event: None)
    data, family = loaded(task)
    with pytest.raises(BenchError, match="31 training rows are asked for, there are 30; name smaller"):
        draw_train_rows(data, family, 31, 0)


def test_data_of_the_hub_are_not_read_before_a_run():
    hub = replace(MINI, source=HubSource("nobody/nothing"))
    assert available_sizes([hub], (10, 10**9, None)) == ({hub.title: (10, 10**9, None)}, [])


def test_a_plan_has_each_size_and_the_ids_of_whole_cells_stay():
    whole = make_plan(Request(["bert-mini"], ["mini-sentiment"], seeds=[0, 1], baselines=True))
    plan = make_plan(
        Request(["bert-mini"], ["mini-sentiment"], seeds=[0, 1], baselines=True, train_sizes=(20, 1800, 5000, None))
    )
    assert {cell.id for cell in plan.cells if not cell.train_rows} == {cell.id for cell in whole.cells}
    small = [cell for cell in plan.cells if cell.train_rows]
    assert {cell.train_rows for cell in small} == {20} and len(small) == len(whole.cells)
    assert len({cell.id for cell in plan.cells}) == len(plan.cells) == 2 * len(whole.cells)
    cell = next(cell for cell in small if cell.model.name == "bert-mini" and cell.seed == 1)
    assert cell.id.startswith("mini-sentiment--bert-mini--full--20rows--s1--")
    assert cell.title == "mini-sentiment (20 train rows)" and cell.facts()["task"]["train_rows"] == 20
    assert "train_rows" not in whole.cells[0].facts()["task"]
    assert any("left out: 5,000 training rows" in note for note in plan.notes)
    assert any(note.startswith(f"few steps of training: {cell.recipe.epochs} at 20 rows;") for note in plan.notes)
    assert not any(note.startswith("few steps") for note in whole.notes)


def test_the_option_is_read_or_refused():
    def sizes(text):
        return read_request(suite="mini", methods="full", seeds="1", train_sizes=text).train_sizes

    assert sizes("all") == (None,) and sizes("1000, all,100") == (100, 1000, None)
    for wrong in ("", "0", "1", "-5", "x", "100,100", "1e3", "all,all"):
        with pytest.raises(BenchError, match=r"--train-sizes .*must be different numbers of rows, 2 or more, or all"):
            sizes(wrong)


@pytest.mark.slow
def test_a_run_learns_from_so_many_rows_and_is_tested_on_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "--models",
        "bert-mini",
        "--tasks",
        "mini-sentiment",
        "--train-sizes",
        "20,all",
        "--limit",
        "60",
        "--seeds",
        "2",
    ]
    words += ["--set", "recipe.epochs=1", "--results", "results", "--baselines"]
    ran = CliRunner().invoke(app, ["run", *words, "--engine", "inline"], env={"COLUMNS": "160"})
    assert ran.exit_code == 0, ran.output
    assert "mini-sentiment@60 (20 train rows) · bert-mini · seed 1" in ran.output
    assert "20 rows" in ran.output and "all 60" in ran.output
    store = Store("results")
    records = list(store.records())
    assert len(records) == 2 * 2 * 3  # seeds × sizes × a model and two baselines
    for record in records:
        task, small = record["task"], record["task"].get("train_rows")
        assert task["rows"]["train"] == (small or 60) and task["rows"]["test"] == 60
        assert (small, task.get("train_rows_available")) in ((20, 60), (None, None))
        tested = [line["id"] for line in store.predictions(record["id"])]
        like = next(one for one in records if one["task"]["name"] == task["name"])
        assert tested == [line["id"] for line in store.predictions(like["id"])]
        if record["method"] == "full":
            assert record["training"]["steps"] == (1 if small else 2)
    planned = CliRunner().invoke(app, ["plan", *words, "--json"])
    cells = json.loads(planned.output)["cells"]
    assert all(cell["finished"] for cell in cells) and {cell["id"] for cell in cells} == {r["id"] for r in records}
    again = CliRunner().invoke(app, ["leaderboard", "--results", "results"]).output
    assert "--limit 60 --train-sizes 20,all" in again and "### Learning curve of mini-sentiment@60 (accuracy)" in again
    small = next(one for one in records if one["task"].get("train_rows"))
    assert (
        "20 of 60 training rows, drawn by the seed"
        in CliRunner().invoke(app, ["show", small["id"], "--results", "results"]).output
    )
