"""Recommendations from boards whose best, cheapest and ties are known."""

import json

import pytest
from made_records import failed, record
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import BenchError
from harness.grouping.groups import records_by_place
from harness.quantities import parse_amount
from harness.report.board import Board
from harness.report.model_choice import Limits, recommend
from harness.stats.standings import Standing, Standings
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
    places = records_by_place(made)
    found = {
        where: Standing(MODELS[where.model][4 + (where.task == "books")], 0.0, 1.0)
        for where in places[0]
        if where.model in MODELS
    }
    return Board.of(made, standings=Standings(found, [], places))


def names(found):
    return [one.row.model for one in found.candidates]


def test_best_average_and_rows_tied_with_it():
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


def test_errors_say_why_nothing_can_be_recommended():
    with pytest.raises(BenchError, match=r"keeps to the limits .*smallest has 1,000,000 parameters.*; loosen a limit"):
        recommend(board(), Limits(parameters=1e5))
    with pytest.raises(BenchError, match="unknown task 'film'; did you mean 'films'"):
        recommend(board(), Limits(), ["film"])
    with pytest.raises(BenchError, match="no model has a score on each of"):
        recommend(Board.of([record("films", "a", 80.0), record("books", "b", 80.0)]), Limits())


def test_recommended_row_must_beat_the_trivial_answer():
    made = [record("films", "good", 60.0), record("films", "bad", 50.0)]
    found = recommend(Board.of(made), Limits())
    assert found.best.row.model == "good" and [one.useful for one in found.candidates] == [True, False]
    with pytest.raises(BenchError, match="beats the trivial answer"):
        recommend(Board.of(made[1:]), Limits())


def baseline(score):
    return record("films", "tfidf", score, method="baseline", recipe={}, model_facts={"architecture": "baseline"})


def say(tmp_path, *made):
    """What the command says of these records, and its JSON."""
    store = Store(tmp_path)
    for one in made:
        store.write(one)
    words = ["recommend", "--results", str(tmp_path)]
    said, facts = (CliRunner().invoke(app, [*words, *more], env={"COLUMNS": "200"}) for more in ([], ["--json"]))
    assert said.exit_code == facts.exit_code == 0, said.output
    return " ".join(said.output.split()), json.loads(facts.output)


def test_baseline_is_enough_only_if_every_model_was_trained_well(tmp_path):
    said, facts = say(tmp_path, record("films", "good", 60.0), record("films", "other", 50.5), baseline(70.0))
    assert "No model that was tried beats the baseline tfidf: it has 70.00 on films." in said
    assert "no sign of trouble" in said and facts["recommended"] == "tfidf" and facts["baseline"]


def test_failed_training_leaves_the_choice_open(tmp_path):
    bad = record("films", "bad", 50.0, constant=True)
    said, facts = say(tmp_path, record("films", "good", 60.0), bad, baseline(70.0))
    assert "No model can be recommended yet: the baseline tfidf has the highest score (70.00 on films)" in said
    assert "bad: its training failed (the same prediction for every test row, not better than" in said
    assert "Try: --search auto." in said and "Trained without such signs, and below the baseline: good." in said
    assert "nothing" not in said.replace("says nothing about these models", "")
    assert facts["recommended"] is None
    (told,) = (one for one in facts["candidates"] if one["model"] == "bad")
    assert told["failed"] and told["trouble"][0] == {
        "task": "films", "kind": "constant", "text": "the same prediction for every test row", "cure": "--search auto",
        "failed": True,
    }  # fmt: skip


def test_training_that_fell_short_leaves_the_choice_open(tmp_path):
    history = [{"step": step, "loss": 1 / step, "score": score} for step, score in ((100, 40.0), (200, 60.0))]
    short = record("films", "short", 60.0, training={"steps": 200, "history": history})
    said, facts = say(tmp_path, short, baseline(70.0))
    assert "short: its training may have fallen short, so it may be better than this (validation still rose by 20.0" in said
    assert "Try: --set recipe.epochs=6." in said and facts["recommended"] is None


def test_model_without_a_score_leaves_the_choice_open(tmp_path):
    said, facts = say(tmp_path, record("films", "good", 60.0), failed("films", "broken"), baseline(70.0))
    assert "broken: cells failed" in said and facts["recommended"] is None


def test_collapsed_seeds_of_the_recommended_model_are_named(tmp_path):
    made = [record("films", "good", score, seed) for seed, score in enumerate((90.0, 50.5, 91.0))]
    said, facts = say(tmp_path, *made, baseline(60.0))
    assert "Fine-tune good: 77.17 on films" in said and "1 of 3 seeds collapsed: 50.5, the others 90.0 to 91.0" in said
    assert facts["recommended"] == "good" and facts["candidates"][0]["failed"]


def test_error_says_that_all_trainings_failed():
    with pytest.raises(BenchError, match=r"their trainings failed \(bad: the same prediction .*\); try --search auto"):
        recommend(Board.of([record("films", "bad", 50.0, constant=True)]), Limits())


@pytest.mark.parametrize(
    ("text", "value"), [("100M", 1e8), ("1.5b", 1.5e9), ("8GiB", 8 * 2**30), ("8 GB", 8e9), ("500", 500)]
)
def test_amounts(text, value):
    assert parse_amount("--max-parameters", text, "100M") == value


@pytest.mark.parametrize("text", ["", "lots", "-1M", "0", "5 parsecs"])
def test_invalid_amounts(text):
    with pytest.raises(BenchError, match=r"^--max-parameters .*: must be an amount such as 100M$"):
        parse_amount("--max-parameters", text, "100M")


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
