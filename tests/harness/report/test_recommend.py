"""Recommendations from boards whose best, cheapest and ties are known."""

import json

import pytest
from made_records import record
from typer.testing import CliRunner

from harness.amount import amount
from harness.cli.main import app
from harness.errors import BenchError
from harness.report.board import Board, Standings
from harness.report.entries import Standing
from harness.report.groups import place
from harness.report.recommend import Limits, recommend
from harness.store import Store

# model -> (score on films, score on books, parameters, seconds of training, letters on films, letters on books)
MODELS = {
    "large": (92.0, 90.5, 300_000_000, 600.0, "a", "ab"),
    "base": (91.0, 91.0, 100_000_000, 200.0, "a", "a"),
    "small": (90.0, 85.0, 10_000_000, 20.0, "ab", "b"),
    "tiny": (70.0, 50.0, 1_000_000, 2.0, "c", "c"),
}


def records():
    for name, (films, books, parameters, seconds, *_) in MODELS.items():
        for task, score in (("films", films), ("books", books)):
            cost = {"train_seconds": seconds, "peak_memory_bytes": parameters * 10}
            yield record(task, name, score, model_facts={"parameters": parameters}, cost=cost)
    yield record("films", "half", 99.0)


def board():
    made = list(records())
    places = place(made)
    found = {
        where: Standing(MODELS[where.model][4 + (where.task == "books")], 0.0, 1.0)
        for where in places[0]
        if where.model in MODELS
    }
    return Board.of(made, standings=Standings(found, [], places))


def names(found):
    return [one.row.model for one in found.candidates]


def test_the_best_average_and_what_no_task_tells_apart_from_it():
    found = recommend(board(), Limits())
    assert found.best.row.model == "large" and names(found) == ["large", "base", "small", "tiny"]
    assert found.cheaper.row.model == "small"  # a with ab on films, ab with b on books
    assert [one.tied for one in found.candidates] == [True, True, True, False]
    assert found.missing == ("half",) and found.tasks == ("books", "films")
    assert not found.candidates[3].useful or found.candidates[3].row.entries["books"].mean > 50


def test_limits_hold_for_every_task():
    found = recommend(board(), Limits(parameters=100e6))
    assert found.best.row.model == "base" and names(found)[-1] == "large" and not found.candidates[-1].fits
    assert found.cheaper is None or found.cheaper.row.model != "tiny"
    assert recommend(board(), Limits(train_seconds=30.0)).best.row.model == "small"
    assert recommend(board(), Limits(memory=5e8)).best.row.model == "small"


def test_tasks_can_be_chosen():
    found = recommend(board(), Limits(), ["films"])
    assert found.best.row.model == "half" and found.missing == ()
    assert not any(one.tied for one in found.candidates[1:])  # nobody knows how sure its score is


def test_what_cannot_be_recommended_is_said():
    with pytest.raises(BenchError, match=r"keeps to the limits .*smallest has 1,000,000 parameters.*; loosen a limit"):
        recommend(board(), Limits(parameters=1e5))
    with pytest.raises(BenchError, match="unknown task 'film'; did you mean 'films'"):
        recommend(board(), Limits(), ["film"])
    with pytest.raises(BenchError, match="no model has a score on each of"):
        recommend(Board.of([record("films", "a", 80.0), record("books", "b", 80.0)]), Limits())


def test_no_better_than_trivial_is_never_recommended():
    made = [record("films", "good", 60.0), record("films", "bad", 50.0)]
    found = recommend(Board.of(made), Limits())
    assert found.best.row.model == "good" and [one.useful for one in found.candidates] == [True, False]
    with pytest.raises(BenchError, match="beats the trivial answer"):
        recommend(Board.of(made[1:]), Limits())


@pytest.mark.parametrize(
    ("text", "value"), [("100M", 1e8), ("1.5b", 1.5e9), ("8GiB", 8 * 2**30), ("8 GB", 8e9), ("500", 500)]
)
def test_amounts(text, value):
    assert amount("--max-parameters", text, "100M") == value


@pytest.mark.parametrize("text", ["", "lots", "-1M", "0", "5 parsecs"])
def test_what_is_no_amount(text):
    with pytest.raises(BenchError, match=r"^--max-parameters .*: must be an amount such as 100M$"):
        amount("--max-parameters", text, "100M")


@pytest.mark.parametrize("width", ["80", "160"])
def test_the_command(tmp_path, width):
    store = Store(tmp_path)
    for one in records():
        store.write(one)
    words = ["recommend", "--results", str(tmp_path), "--max-parameters", "100M"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": width})
    assert done.exit_code == 0, done.output
    assert "Fine-tune base: 91.00 on 2 tasks, the best that fits." in done.output
    assert "beyond the limits" in done.output and "not on every task: half" in done.output
    assert "training: of all 2 tasks together; --max-train-minutes is for each of them" in " ".join(done.output.split())
    one = CliRunner().invoke(app, [*words, "--task", "films"], env={"COLUMNS": width})
    assert one.exit_code == 0 and "together" not in one.output
    assert max(map(len, done.output.splitlines())) <= int(width)
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).output)["recommended"] == "base"
