"""Estimates of time and memory in `bench plan` and `bench run`."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.estimate import machine as machine_module
from harness.estimate.estimator import RunEstimates
from harness.estimate.grid_estimate import (
    CALIBRATION,
    RECORDS,
    SIMILAR,
    CellEstimate,
    GridEstimate,
    describe_memory,
    describe_seconds,
    describe_time,
)
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.store import Store


def bench(folder, *asked):
    return subprocess.run(
        [sys.executable, "-m", "harness", *asked], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", "BENCH_CACHE": str(folder / "cache"), "BENCH_ESTIMATE": "true"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A results folder with a record of how long bert-mini takes for mini-ner on this machine."""
    from harness.engines.local import available_cores, make_slots
    from harness.estimate.machine import processor_names

    path = tmp_path_factory.mktemp("plan")
    slots = make_slots(["cpu"], None, available_cores())
    environment = {"device_type": "cpu", "device": (processor_names() or ["any"])[0], "threads": slots[0].threads}
    store = Store(path / "bench-results")
    for cell in make_plan(Request(["bert"], ["mini-ner"], seeds=(3, 4))).cells:
        store.write(
            {
                **cell.facts(), "status": "ok", "score": 50.0, "primary_metric": "f1", "environment": environment,
                "cost": {"total_seconds": 300.0, "peak_memory_bytes": 2**30},
            }
        )  # fmt: skip
    return path


def test_the_plan_estimates_time_and_memory(folder):
    done = bench(folder, "plan", "--models", "bert", "--tasks", "mini-ner", "--seeds", "4", "--devices", "cpu")
    assert done.returncode == 0, done.stderr
    assert "4 cells, 1 finished, 3 to run" in done.stdout
    first = done.stdout.splitlines()
    assert first[0].split()[-1] == "estimate" and sum(line.endswith("5 min") for line in first) == 3
    assert "measuring" not in done.stderr and not list((folder / "cache").glob("machine/*"))


def test_the_plan_as_json_and_without_estimates(folder):
    words_ = ["plan", "--models", "bert", "--tasks", "mini-ner", "--seeds", "4", "--devices", "cpu", "--json"]
    told = json.loads(bench(folder, *words_).stdout)
    estimates = {cell["seed"]: cell["estimate"] for cell in told["cells"]}
    assert estimates[0] == {"seconds": 300.0, "peak_memory_bytes": 2**30, "source": "records"} and estimates[3] is None
    assert told["estimate"]["records"] == 2 and told["estimate"]["unknown"] == 0 and told["estimate"]["seconds"] >= 300
    told = json.loads(bench(folder, *words_, "--no-estimate").stdout)
    assert told["estimate"] is None and {cell["estimate"] for cell in told["cells"]} == {None}


def test_a_run_prints_the_plans_estimate_and_never_measures(folder, monkeypatch):
    monkeypatch.setattr(machine_module, "_measure", lambda *asked: pytest.fail("a run waited for a measurement"))
    estimates = RunEstimates(Store(folder / "bench-results"), "cpu", None, 1)
    known = make_plan(Request(["bert-mini"], ["mini-ner"])).cells
    other = make_plan(Request(["bert-mini"], ["mini-topics"])).cells
    assert estimates.summary(list(known)).startswith("; about 5 min on ") and "rough" not in estimates.summary(list(known))
    assert estimates.expected_seconds(known) == {known[0].id: 300.0}
    both = estimates.summary([*known, *other])
    assert "rough" in both or "records of like cells" in both
    assert estimates.expected_seconds(other)[other[0].id] > 1
    assert estimates.summary([]) == ""


def test_a_trial_of_a_later_round_is_expected_to_take_as_long_as_an_earlier_one(folder):
    estimates = RunEstimates(Store(folder / "bench-results"), "cpu", None, 1)
    [first] = make_plan(Request(["bert-mini"], ["mini-ner"])).cells
    estimates.summary([first])
    later = replace(first, recipe=replace(first.recipe, learning_rate=1e-6))
    assert later.id != first.id and estimates.expected_seconds([later]) == {later.id: 300.0}


def test_a_run_continues_without_an_estimate(folder, monkeypatch):
    monkeypatch.setattr("harness.estimate.estimator.estimate_cells", lambda *asked: 1 / 0)
    estimates = RunEstimates(Store(folder / "bench-results"), "cpu", None, 1)
    [cell] = make_plan(Request(["bert-mini"], ["mini-ner"])).cells
    assert estimates.summary([cell]) == "" and estimates.expected_seconds([cell]) == {cell.id: None}


def test_a_run_prints_its_estimate_and_that_workers_start(folder):
    words_ = ("--models", "majority,tfidf-lr", "--tasks", "mini-topics", "--limit", "20", "--results", "other")
    done = bench(folder, "run", *words_)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if " to run" in line)
    assert "2 to run; about " in lines[place] and "(from the number of rows)" in lines[place]
    assert lines[place + 1] == "starting the workers" and lines[place + 2].startswith("start ")


def test_times_are_rounded():
    seconds = (0.2, 42.4, 89, 91, 3600, 20_000, 300_000)
    assert [describe_seconds(one) for one in seconds] == [
        "1 s", "42 s", "89 s", "2 min", "60 min", "5.6 h", "3.5 days",
    ]  # fmt: skip


def test_the_source_of_an_estimate():
    def line(*sources, records=0):
        return describe_time(GridEstimate(tuple(CellEstimate(9.0, None, source, 1) for source in sources), 1, 1.0, records))

    assert line(RECORDS, records=1) == "about 10 s on 1 slot (from 1 past record)"
    assert "(from a calibration of this machine)" in line(CALIBRATION)
    assert "(from 4 past records and a calibration of this machine)" in line(CALIBRATION, RECORDS, records=4)
    assert "(from 2 past records of like cells)" in line(SIMILAR, records=2)
    assert describe_memory(GridEstimate((None,), 2, 0.0, 0)) == "memory: unknown"


def test_the_plan_prints_the_recipes_that_the_worker_will_find(tmp_path):
    from harness import registry
    from harness.estimate.estimator import CellInfo
    from harness.heads.make import fitted_head
    from harness.plan_report import RECIPES, PlanReport
    from harness.planning.plan import Plan
    from harness.planning.suite import NONE
    from harness.recipe_rules import fitted_fields
    from harness.task_data import load_data

    rows = "".join(f"the garden number {number} is very {word} and warm,{word}\n" for number in range(80) for word in ("good", "bad"))
    (tmp_path / "gardens.csv").write_text(f"text,label\n{rows}")
    made = make_plan(Request(["bert-mini"], [f"sentiment:{tmp_path}/gardens.csv"]))
    (cell,) = made.cells
    recipe, why = CellInfo([]).fitted(cell)
    family = registry.family(cell.task.family)
    splits = load_data(cell.task, family).splits
    told = fitted_head(cell, family, family.labels(splits, cell.task), splits)
    assert (recipe, why) == (told.recipe, told.why) and {"epochs", "max_length"} <= set(why)
    cells = [replace(cell, model=replace(cell.model, name=f"bert-{number}")) for number in range(RECIPES + 3)]
    estimate = CellEstimate(1.0, None, CALIBRATION, 0, fitted_fields(recipe, why, cell.why, "bf16"))
    grid = GridEstimate((*[estimate] * len(cells), None), 1, 0.0, 0)
    report = PlanReport(Plan(NONE, (*cells, cell)), Store(tmp_path / "results"), frozenset(), grid=grid)
    said = "\n".join(line for line, _ in report.lines())
    assert said.count("recipe gardens · bert-") == RECIPES and "and 3 more recipes" in said
    assert f"up to {recipe.epochs} epochs of batches of {recipe.batch_size} (96 training rows); {recipe.max_length} tokens" in " ".join(said.split())
