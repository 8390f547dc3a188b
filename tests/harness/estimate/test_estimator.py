"""Estimates of cells with all kinds of records, and without any."""

import subprocess
import sys
from dataclasses import replace

import pytest

import harness.estimate.estimator as estimator_module
import harness.estimate.machine as machine_module
from harness.data.source import HubSource
from harness.estimate.estimator import estimate_cells
from harness.estimate.grid_estimate import (
    CALIBRATION,
    RECORDS,
    SIMILAR,
    USUAL,
    describe_memory,
    describe_time,
    makespan,
)
from harness.estimate.history import shape_from_record, sizes_from_record
from harness.estimate.machine import Machine, Speed, nearest_width, processor_names
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.store import Store

SPEED = Speed(3e-4, 2e-11, 2e-9, 1e-3, 2e-11, 2e-8, 3e-9)
HERE = {"device_type": "cpu", "device": (processor_names() or ["CPU"])[0], "threads": 1, "precision": "fp32"}


@pytest.fixture
def plan():
    return make_plan(Request(["bert"], ["mini-ner", "mini-qa"], seeds=(0, 1))).cells


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The machine is as fast as `SPEED` says; gives what was asked for: device, threads, and each precision and width."""
    asked = []

    def measured_machine(device, threads, keys, say):
        asked.append((device, threads, set(keys)))
        return Machine(device, dict.fromkeys(((mode, nearest_width(width)) for mode, width in keys), SPEED))

    monkeypatch.setattr(estimator_module, "measured_machine", measured_machine)
    return asked


def record(cell, seed, seconds, environment=HERE, **cost):
    """What a cell left behind for another seed."""
    cell = replace(cell, seed=seed)
    return {
        **cell.facts(),
        "status": "ok", "score": 50.0, "primary_metric": "f1",
        "environment": environment,
        "training": {"steps": 100},
        "task": {**cell.facts()["task"], "rows": {"train": 640, "validation": 100, "test": 100}},
        "cost": {"total_seconds": seconds, **cost},
    }


def estimates(store, cells, **more):
    return estimate_cells(cells, store, "cpu", 1, 2, **more)


def test_without_records_the_calibration_is_used(tmp_path, plan, measured):
    grid = estimates(Store(tmp_path), plan)
    assert {one.source for one in grid.cells} == {CALIBRATION} and grid.unknown == grid.records == 0
    assert grid.cells[0] == grid.cells[2] and grid.cells[0].seconds > 1
    assert grid.seconds == pytest.approx(estimator_module.LIBRARY_SECONDS + makespan([one.seconds for one in grid.cells], 2))
    assert 4e8 < grid.memory < 2e9
    assert measured == [("cpu", 1, {("fp32", 128)})]
    assert "2 slots (from a calibration of this machine)" in describe_time(grid)


def test_records_with_other_seeds_are_used_first(tmp_path, plan, measured):
    store = Store(tmp_path)
    for seed, seconds in ((5, 10.0), (6, 90.0), (7, 20.0)):
        for cell in plan[:2]:
            store.write(record(cell, seed, seconds, peak_memory_bytes=5 * 10**8 + seed))
    grid = estimates(store, plan)
    assert {(one.seconds, one.memory, one.source) for one in grid.cells} == {(20.0, 5 * 10**8 + 7, RECORDS)}
    assert grid.records == 6 and measured == [("cpu", 1, set())]
    assert describe_time(grid) == "about 40 s on 2 slots (from 6 past records)"
    assert describe_memory(grid) == "about 0.5 GiB a cell at most, 2 at once"
    assert grid.facts()["seconds"] == 40.0


def test_another_recipe_machine_thread_count_or_a_failure_is_not_the_same_cell(tmp_path, plan):
    store, cell = Store(tmp_path), plan[0]
    store.write(record(cell, 5, 1000.0, {**HERE, "device": "Abacus 3000"}))
    store.write(record(cell, 6, 1000.0, {**HERE, "threads": 2}))
    store.write({**record(cell, 7, 1000.0), "status": "failed", "error": {"type": "ValueError"}, "environment": {}})
    store.write(record(replace(cell, recipe=replace(cell.recipe, epochs=50)), 8, 1000.0))
    assert estimates(store, [cell]).cells[0].source == CALIBRATION


def test_similar_records_scale_the_formula(tmp_path, plan):
    store = Store(tmp_path)
    before = estimates(store, plan).cells[1].seconds  # mini-qa
    other = plan[0]  # mini-ner, the same model
    store.write(
        record(other, 5, 1.0, train_seconds=0.4, evaluate_seconds=0.1, train_tokens=64_000, peak_memory_bytes=6e8)
    )
    slow = {"train_seconds": 0.8, "evaluate_seconds": 0.2, "train_tokens": 64_000, "peak_memory_bytes": 6e8}
    once = estimates(store, plan[1:2]).cells[0]
    store.discard(replace(other, seed=5).id)
    store.write(record(other, 5, 2.0, **slow))
    twice = estimates(store, plan[1:2]).cells[0]
    assert once.source == twice.source == SIMILAR and twice.records == 1
    assert twice.seconds == pytest.approx(2 * once.seconds) and once.seconds != before


def test_records_of_older_versions_are_read(tmp_path, plan):
    store = Store(tmp_path)
    old = record(plan[0], 5, 12.0)
    assert set(old["cost"]) == {"total_seconds"}
    store.write(old)
    bare = {**record(plan[1], 5, 3.0), "training": {}, "recipe": {"batch_size": 8, "gone": True}, "environment": {}}
    store.write(bare)
    first, second = estimates(store, plan).cells[:2]
    assert first.seconds == 12.0 and first.memory is None and second.source == CALIBRATION
    assert shape_from_record(old) is None


def test_the_shape_of_a_missing_model_is_estimated_from_flops(tmp_path, plan):
    store = Store(tmp_path)
    foreign = record(
        plan[0],
        5,
        9.0,
        train_seconds=8.0,
        evaluate_seconds=0.5,
        train_tokens=64_000,
        flops=6 * 64_000 * 10_000_000,
        depth=6,
    )
    foreign["model"] |= {"digest": "elsewhere", "parameters": 14_000_000}
    store.write(foreign)
    shape = shape_from_record(foreign)
    assert shape.weights == 10_000_000 and shape.layers == 6 and 350 < shape.width < 400
    assert estimates(store, plan).cells[0].source == SIMILAR


def test_the_number_of_distinct_tokens_is_read_from_a_record(plan):
    made = record(plan[0], 5, 9.0, train_tokens=64_000)
    made["training"]["vocabulary"] = 321
    assert {size.different for size in sizes_from_record(made).values()} == {321}
    assert {size.different for size in sizes_from_record(record(plan[0], 5, 9.0, train_tokens=64_000)).values()} == {None}


def test_a_split_without_rows_still_has_an_estimate(tmp_path, plan):
    store = Store(tmp_path)
    for cell, seconds in zip(plan[:2], (10.0, 1000.0), strict=True):
        empty = record(replace(cell, recipe=replace(cell.recipe, epochs=50)), 5, seconds, train_tokens=64_000)
        empty["task"]["rows"]["test"] = 0
        store.write(empty)
    assert {one.source for one in estimates(store, plan).cells} == {SIMILAR}


def test_rows_of_the_hub_are_unknown_until_there_is_a_record(tmp_path, plan):
    hub = replace(plan[0].task, source=HubSource("owner/name"), name="far")
    cell = replace(plan[0], task=hub)
    store = Store(tmp_path)
    grid = estimates(store, [cell, plan[0]])
    assert grid.cells[0] is None and grid.unknown == 1 and "without 1 cells of unknown size" in describe_time(grid)
    assert estimates(store, [cell]).seconds is None and "unknown" in describe_time(estimates(store, [cell]))
    store.write(record(replace(cell, recipe=replace(cell.recipe, epochs=50)), 5, 30.0, {}, train_tokens=64_000))
    known = estimates(store, [cell]).cells[0]
    assert known.source == CALIBRATION and known.seconds > 1


def test_fewer_training_rows_take_less_and_are_another_cell(tmp_path, plan):
    few, all_rows = replace(plan[0], train_rows=64), plan[0]
    [small, large] = estimates(Store(tmp_path), [few, all_rows]).cells
    assert small.source == large.source == CALIBRATION and small.seconds < large.seconds
    store = Store(tmp_path)
    store.write(record(few, 1, 7.0))
    [same, other] = estimates(store, [few, all_rows]).cells
    assert (same.seconds, same.source) == (7.0, RECORDS) and other.source != RECORDS
    # The record of a part tells of all the rows of the Hub, and of other parts.
    hub = replace(plan[0], task=replace(plan[0].task, source=HubSource("nobody/nothing")))
    facts = {**few.facts(), "task": {**few.facts()["task"], "rows": {"train": 64, "validation": 100, "test": 100}}}
    facts["task"] |= {"train_rows": 64, "train_rows_available": 6400}
    told = {
        "status": "ok", "score": 50.0, "primary_metric": "f1",
        "environment": HERE,
        "training": {"steps": 100},
        "cost": {"total_seconds": 9.0, "train_tokens": 1e5},
    }
    store = Store(tmp_path / "hub")
    store.write({**facts, **told})
    [part, half, whole] = estimates(
        store, [replace(hub, train_rows=32, seed=3), replace(hub, train_rows=3200), hub]
    ).cells
    assert part.seconds < half.seconds < whole.seconds


def test_each_kind_of_cell_is_computed_once(tmp_path, plan, monkeypatch):
    counted = []
    real = estimator_module.cell_cost
    monkeypatch.setattr(estimator_module, "cell_cost", lambda *asked: counted.append(asked) or real(*asked))
    cells = [replace(cell, seed=seed) for seed in range(2000) for cell in plan[:2]]
    assert len(estimates(Store(tmp_path), cells).cells) == 4000 and len(counted) == 2


def test_unreadable_data_has_an_unknown_size(tmp_path, plan, monkeypatch):
    monkeypatch.setattr(estimator_module, "load_data", lambda *asked: 1 / 0)
    assert estimates(Store(tmp_path), plan).unknown == len(plan)


def test_only_the_measurement_imports_torch(tmp_path):
    code = (
        "import sys\n"
        "from harness.estimate import estimator, grid_estimate\n"
        "from harness.planning.plan import Request, make_plan\n"
        "from harness.store import Store\n"
        "cells = make_plan(Request(['bert', 't5'], ['mini-ner', 'mini-translation'])).cells\n"
        f"print(grid_estimate.describe_time(estimator.estimate_cells(cells, Store({str(tmp_path)!r}), 'cpu', 1, 2, None)))\n"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("about "), done.stderr


def test_a_model_that_avoids_bf16_is_measured_in_fp32(tmp_path, plan, measured):
    auto = replace(plan[0].recipe, precision="auto")
    cells = [
        replace(plan[0], recipe=auto, model=replace(plan[0].model, digest=digest, avoid=avoid))
        for digest, avoid in (("one", ("bf16",)), ("other", ()))
    ]
    machine = estimator_module.expected_precision("cpu", "auto")
    assert {one.source for one in estimates(Store(tmp_path), cells).cells} == {CALIBRATION}
    assert measured == [("cpu", 1, {("fp32", 128), (machine, 128)})]


def test_an_estimate_without_measurement_is_rough_until_there_are_records(monkeypatch, tmp_path, plan):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(estimator_module, "measured_machine", machine_module.measured_machine)
    monkeypatch.setattr(machine_module, "_measure", lambda *asked: pytest.fail("measured"))
    store = Store(tmp_path / "results")
    grid = estimates(store, plan)
    assert {one.source for one in grid.cells} == {USUAL} and grid.rough
    assert "2 slots, rough (from the figures of another machine)" in describe_time(grid)
    assert estimate_cells(plan, store, "cuda:0", 1, 1).unknown == len(plan), "a card that was not measured is not guessed"
    store.write(record(plan[0], 5, 20.0, train_seconds=15.0, evaluate_seconds=3.0, train_tokens=64_000))
    like = estimates(store, [plan[1]])
    assert like.cells[0].source == SIMILAR and not like.rough
    assert "(from 1 past record of like cells)" in describe_time(like)


def test_the_most_similar_kind_of_past_cells_is_used(tmp_path, plan):
    store, [cell] = Store(tmp_path), plan[:1]  # bert-mini on mini-ner

    def after(model, task, seconds):
        """What is expected when a cell has run that took so long."""
        [other] = make_plan(Request([model], [task])).cells
        made = record(other, 5, seconds, train_tokens=64_000, flops=6 * 64_000 * 600_000, depth=3)
        made["model"]["parameters"] = 1_000_000
        made["recipe"]["learning_rate"] = 0.1  # another recipe, so never the same cell
        store.write(made)
        return estimates(store, [cell]).cells[0].seconds

    far = after("t5", "mini-topics", 1000.0)
    architecture = after("bert", "mini-topics", 10.0)
    assert architecture < far / 10, "the model's architecture says more than nothing in common"
    family = after("t5", "mini-ner", 100.0)
    assert family > 3 * architecture, "the task's family says more than the architecture"
    same = after("bert", "mini-ner", 10.0)
    assert same < family / 3, "the same model and task say most"
    assert estimates(store, [cell]).cells[0].records == 1
