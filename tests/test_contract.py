"""Contracts of everything that is registered: a new task, family or model is tested the moment it is registered."""

import json
import math
from dataclasses import replace

import pytest

from harness import registry
from harness.data.source import HubSource
from harness.family import ARCHITECTURES, TaskFamily
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.planning.suite import load_suite
from harness.store import Store
from harness.task_data import load_splits
from harness.training.worker import run_cell

# What needs a network is tested in tests/tasks/standard, on a Hub of its own.
HERE = [name for name, task in registry.tasks().items() if not isinstance(task.source, HubSource)]
MODELS = {"encoder": "bert-mini", "decoder": "gpt2-mini", "encoder-decoder": "t5-mini"}
RECORD = {
    "schema", "id", "status", "suite", "typed", "model", "task", "method", "seed", "recipe", "protocol", "metrics", "primary_metric",
    "score", "trivial_score", "constant", "answers", "fitted", "training", "cost", "environment", "started", "finished", "error",
}  # fmt: skip
COST = {
    "train_seconds",
    "evaluate_seconds",
    "total_seconds",
    "peak_memory_bytes",
    "train_tokens",
    "trainable_parameters",
}


def test_what_is_registered():
    """Nothing may vanish unnoticed. Plugins that happen to be installed may add to it."""
    assert set(registry.families()) >= {"sentiment", "text-classification", "ner", "qa", "translation"}
    assert set(registry.tasks()) >= {f"mini-{name}" for name in ("sentiment", "topics", "ner", "qa", "translation")}
    assert set(registry.models()) >= {*MODELS.values(), "bert", "distilbert", "roberta", "gpt2", "t5"}
    assert set(registry.tasks()) >= {
        "sst2",
        "ag_news",
        "conll2003",
        "squad",
        "squad_v2",
        "multi30k-en-de",
        "wmt16-en-ro",
    }
    assert set(registry.suites()) >= {"mini", "standard"}


@pytest.mark.parametrize("name", registry.families())
def test_a_family_says_what_it_is(name):
    family = registry.family(name)
    assert isinstance(family, TaskFamily) and family.name == name and family.description
    assert family.columns and set(family.usual_names) <= {*family.columns, *family.optional_columns}
    assert set(family.architectures) <= set(ARCHITECTURES)


@pytest.mark.parametrize("name", registry.tasks())
def test_the_options_of_a_task_are_its_family_s(name):
    task = registry.tasks()[name]
    family = registry.family(task.family)
    family.accept(task)


@pytest.mark.parametrize("name", HERE)
def test_the_data_of_a_task(name):
    """Rows are complete, ids are unique, no test row stands in another split, and the trivial answer can be scored."""
    task = registry.tasks()[name]
    family = registry.family(task.family)
    splits = load_splits(task, family)
    assert all(splits.values())
    ids = [row["id"] for rows in splits.values() for row in rows]
    assert len(set(ids)) == len(ids)
    for rows in splits.values():
        assert all(set(family.columns) <= set(row) for row in rows)
    inputs = {
        split: {json.dumps(family.example(row, task), sort_keys=True) for row in rows} for split, rows in splits.items()
    }
    assert not inputs["test"] & (inputs["train"] | inputs["validation"])
    references = [family.reference(row, task) for row in splits["test"]]
    trivial = family.score(family.trivial(splits["train"], splits["test"], task), references, task)
    assert 0 <= family.metric(task).score(trivial) < 75


@pytest.mark.parametrize("name", HERE)
def test_expected_predictions_score_full_marks(name):
    """A family whose references are not reached by what it calls right measures something else."""
    task = registry.tasks()[name]
    family = registry.family(task.family)
    rows = load_splits(task, family)["test"]
    predictions = [family.expected(row, task) for row in rows]
    score = family.score(predictions, [family.reference(row, task) for row in rows], task)
    assert family.metric(task).score(score) == pytest.approx(100)


@pytest.mark.parametrize("architecture", MODELS)
@pytest.mark.parametrize("name", HERE)
def test_every_task_runs_on_every_architecture(name, architecture, tmp_path):
    request = Request(
        [MODELS[architecture]], [name], limit=40, settings={"recipe.epochs": "1", "recipe.max_target_length": "16"}
    )
    (cell,) = make_plan(request).cells
    assert cell.model.architecture == architecture
    store, events = Store(tmp_path), []
    run_cell(cell, "cpu", store, events.append)
    record, predictions = store.record(cell.id), store.predictions(cell.id)
    assert set(record) == RECORD and set(record["cost"]) >= COST
    assert record["status"] == "ok" and 0 <= record["score"] <= 100
    assert (
        record["task"]["rows"] == {"train": 40, "validation": 40, "test": 40} and record["task"]["name"] == f"{name}@40"
    )
    assert len(predictions) == 40 and all({"id", "prediction", "reference"} <= set(line) for line in predictions)
    assert registry.family(cell.task.family).metric(cell.task).score(record["metrics"]["test"]) == record["score"]
    assert record["cost"]["train_tokens"] > 0 and record["cost"]["train_seconds"] > 0
    assert all(math.isfinite(entry["loss"]) for entry in record["training"]["history"])
    assert {"phase", "validation", "evaluate"} <= {event["event"] for event in events}
    if all("phenomenon" in line for line in predictions):
        assert sum(part["rows"] for part in record["metrics"]["phenomena"].values()) == 40
    # The saved predictions are what was scored: whoever recomputes the metric from them gets the record's number.
    family = registry.family(cell.task.family)
    again = family.score(
        [line["prediction"] for line in predictions], [line["reference"] for line in predictions], cell.task
    )
    assert again == record["metrics"]["test"]


@pytest.mark.parametrize("name", registry.suites())
def test_a_suite_can_be_planned(name):
    suite = load_suite(name)
    assert suite.description and suite.tasks and suite.models
    if name == "mini":
        plan = make_plan(Request(["all"], ["all"], suite=name, methods=["full", "scratch"], seeds=[0, 1]))
        assert len(plan.cells) == len(suite.tasks) * len(suite.models) * 4 and not plan.impossible
        parts = make_plan(Request(["all"], ["all"], suite=name, methods=["lora", "frozen"]))
        assert len(parts.cells) == len(suite.tasks) * len(suite.models) * 2
        assert {(cell.method, cell.recipe.learning_rate) for cell in parts.cells} == {("lora", 1e-2), ("frozen", 3e-2)}


def test_a_renamed_task_is_another_cell():
    (cell,) = make_plan(Request(["bert-mini"], ["mini-ner"])).cells
    assert replace(cell, task=replace(cell.task, name="other")).id != cell.id
