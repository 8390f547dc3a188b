"""Texts of test rows: those of the record's data or none."""

import csv
import json
from pathlib import Path

import pytest
from made_records import record
from typer.testing import CliRunner

from harness import registry
from harness.cell import Cell
from harness.cli.main import app
from harness.data.source import HubSource
from harness.model import Checkpoint
from harness.origins import write_notes
from harness.planning.quick import quick_task
from harness.planning.taskfile import read_task
from harness.predictions import prediction_lines
from harness.recipe import Recipe
from harness.report.row_texts import texts_of_rows
from harness.store import Store
from harness.task import Task
from harness.task_data import load_data, load_splits

RESULTS = Path(__file__).resolve().parents[3] / "results"
FAMILY = "sentiment"


def real(name="mini-sentiment"):
    """The `task` and the predictions of a record in results/."""
    store = Store(RESULTS)
    found = next(one for one in store.records() if one["task"]["name"] == name)
    return found["task"], store.predictions(found["id"])


def test_texts_of_a_registered_task_are_those_of_the_rows():
    facts, predictions = real()
    found, why = texts_of_rows(facts, predictions, RESULTS)
    assert why == "" and len(found) == len(predictions) and all(found.values())
    row = load_data(registry.tasks()["mini-sentiment"], registry.family(FAMILY)).splits["test"][3]
    assert found[row["id"]] == row["text"]
    both, _ = texts_of_rows(*real("mini-qa"), RESULTS)
    assert "question: " in both["test-0000"] and "context: " in both["test-0000"]


def test_a_subset_of_a_registered_task():
    facts, predictions = real()
    task = registry.tasks()["mini-sentiment"].limited(100)
    kept = {row["id"] for row in load_splits(task, registry.family(FAMILY))["test"]}
    found, why = texts_of_rows(
        {**facts, "name": "mini-sentiment@100"}, [line for line in predictions if line["id"] in kept], RESULTS
    )
    assert why == "" and set(found) == kept and set(found.items()) < set(texts_of_rows(facts, predictions, RESULTS)[0].items())
    assert texts_of_rows({**facts, "name": "mini-sentiment@100"}, predictions, RESULTS)[0] == {}  # others than the data has


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"fingerprint": "0" * 64}, "not those of the records"),
        ({"version": 99}, "not those"),
        ({"name": "mine"}, "not registered"),
    ],
)
def test_no_texts_of_other_data(wrong, why):
    facts, predictions = real()
    found, said = texts_of_rows({**facts, **wrong}, predictions, RESULTS)
    assert found == {} and why in said


def test_no_texts_if_the_rows_are_not_those_of_the_predictions():
    facts, predictions = real()
    other = {**predictions[5], "reference": "neither"}
    found, why = texts_of_rows(facts, [*predictions[:5], other], RESULTS)
    assert found == {} and "other test rows" in why


@pytest.fixture
def folder(tmp_path):
    """A folder with a CSV."""
    rows = [(f"number {number} is {word}", word) for number in range(20) for word in ("good", "bad")]
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return tmp_path


def quick(folder):
    return quick_task(registry.family(FAMILY), str(folder / "reviews.csv"))


def from_file(folder):
    content = {
        "family": FAMILY, "data": {"format": "csv", "files": {"all": "reviews.csv"}}, "labels": {"good": "yes", "bad": "no"},
    }  # fmt: skip
    return read_task(content, folder / "mine.yaml")


def ran(folder, task):
    """What a run of the task leaves: a record, predictions, a note. Returns the record's id."""
    model = Checkpoint("m", "./m", "/m", None, None, "encoder", "d")
    cell = Cell(model, task, task.source.fingerprint(), 1, "full", 0, Recipe(), "own")
    family = registry.family(FAMILY)
    test = load_splits(task, family)["test"]
    store = Store(folder / "results")
    made = record(id=cell.id)
    store.write({**made, "task": {**made["task"], **cell.facts()["task"]}}, prediction_lines(cell, family, test, ["good"] * len(test)))
    write_notes(store.root, [cell])
    return cell.id


def shown(*words):
    done = CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("task_of", [quick, from_file])
@pytest.mark.parametrize("limit", [None, 5])
def test_own_files_are_found_again(folder, task_of, limit):
    results, task = folder / "results", task_of(folder).limited(limit)
    name = ran(folder, task)
    rows = {row["id"]: row["text"] for row in load_splits(task, registry.family(FAMILY))["test"]}
    kept = Store(results).record(name)
    assert texts_of_rows(kept["task"], Store(results).predictions(name), results) == (rows, "")
    told = shown("show", name, "--results", results)
    assert next(iter(rows.values())) in told and "no texts" not in told
    page = folder / "page.html"
    shown("leaderboard", "--results", results, "--format", "html", "--with-texts", "--output", page)
    assert all(text in page.read_text() for text in rows.values())
    shown("leaderboard", "--results", results, "--format", "html", "--output", page)
    assert not any(text in page.read_text() for text in rows.values())
    assert str(folder) not in json.dumps(kept)  # which may be given to others


def test_changed_or_deleted_data_are_not_shown(folder):
    name, data = ran(folder, quick(folder)), folder / "reviews.csv"
    content = data.read_bytes()
    data.write_bytes(content.replace(b"number 1 is", b"another 1 is"))
    told = shown("show", name, "--results", folder / "results")
    assert "no texts: the data here (csv: reviews.csv) are not those of the records" in told and "another 1" not in told
    data.rename(folder / "moved.csv")
    told = shown("show", name, "--results", folder / "results")
    assert "no texts: the data (csv: reviews.csv) cannot be read any more" in told
    page = folder / "page.html"
    shown("leaderboard", "--results", folder / "results", "--format", "html", "--with-texts", "--output", page)
    assert "cannot be read any more" in page.read_text() and str(folder) not in page.read_text()
    data.write_bytes(content)
    assert "no texts" not in shown("show", name, "--results", folder / "results")


def test_the_hub_is_read_only_on_request(tmp_path, monkeypatch):
    def asked(*words):
        raise AssertionError("the Hub was asked")

    monkeypatch.setattr(HubSource, "pinned", asked)
    monkeypatch.setattr(HubSource, "fingerprint", asked)
    model = Checkpoint("m", "./m", "/m", None, None, "encoder", "d")
    cell = Cell(model, Task("t", FAMILY, HubSource("a/b", revision="c" * 40)), "f", 1, "full", 0, Recipe(), "own")
    write_notes(tmp_path, [cell])
    found, why = texts_of_rows(cell.facts()["task"], [], tmp_path, fetch=False)
    assert found == {} and "--with-texts" in why
    with pytest.raises(AssertionError, match="was asked"):
        texts_of_rows(cell.facts()["task"], [], tmp_path)
