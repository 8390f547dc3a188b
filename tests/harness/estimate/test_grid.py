"""Estimates of cells from records of all kinds, and from none."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

import harness.estimate.calibration as calibration_module
import harness.estimate.grid as grid_module
import harness.estimate.known as known_module
from harness.data.source import HubSource
from harness.estimate import words
from harness.estimate.calibration import Calibration, Place, calibrated
from harness.estimate.estimate import CALIBRATION, RECORDS, SIMILAR, USUAL, makespan
from harness.estimate.grid import estimate
from harness.estimate.history import size_by_record
from harness.estimate.machine import names
from harness.estimate.ratios import shape_by_record
from harness.estimate.speed import Speed
from harness.planning import Request, make_plan
from harness.store import Store

SPEED = Speed(
    {
        "train": (2e-3, 2e-11, 1e-7, 0.0, 1e-9, 0.0, 1e-8, 5e-9),
        "evaluate": (2e-3, 2e-11, 1e-7, 0.0, 1e-9),
        "generate": (1e-3, 1e-10, 0.0, 0.0, 0.0),
        "other": (0.5, 0.0, 0.0),
    },
    bytes=(4e8, 4.0, 16.0, 60.0, 0.0, 10.0, 0.0, 16.0),
    start=3.0,
)
HERE = {"device_type": "cpu", "device": (names() or ["CPU"])[0], "threads": 1, "precision": "fp32"}


@pytest.fixture
def plan():
    return make_plan(Request(["bert"], ["mini-ner", "mini-qa"], seeds=(0, 1))).cells


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The machine is as fast as `SPEED` says; gives the places that were asked for."""
    asked = []

    def speed(place, kinds, tell):
        asked.append((place, kinds))
        return Calibration(SPEED, kinds)

    monkeypatch.setattr(grid_module, "calibrated", speed)
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
    return estimate(cells, store, "cpu", 1, 2, **more)


def test_without_records_a_calibration_tells_all(tmp_path, plan, measured):
    grid = estimates(Store(tmp_path), plan)
    assert {one.source for one in grid.cells} == {CALIBRATION} and grid.unknown == grid.records == 0
    assert grid.cells[0] == grid.cells[2] and grid.cells[0].seconds > 1
    assert grid.seconds == pytest.approx(3.0 + makespan([one.seconds for one in grid.cells], 2))
    assert 4e8 < grid.memory < 2e9
    assert [place for place, _ in measured] == [Place("cpu", 1, 2, "fp32")]
    assert "2 slots (from a calibration of this machine)" in words.line(grid)


def test_the_same_cell_with_other_seeds_tells_most(tmp_path, plan, measured):
    store = Store(tmp_path)
    for seed, seconds in ((5, 10.0), (6, 90.0), (7, 20.0)):
        for cell in plan[:2]:
            store.write(record(cell, seed, seconds, peak_memory_bytes=5 * 10**8 + seed))
    grid = estimates(store, plan)
    assert {(one.seconds, one.memory, one.source) for one in grid.cells} == {(20.0, 5 * 10**8 + 7, RECORDS)}
    assert grid.records == 6 and not measured
    assert words.line(grid) == "about 40 s on 2 slots (from 6 past records)"
    assert words.memory(grid) == "about 0.5 GiB a cell at most, 2 at once"
    assert grid.facts()["seconds"] == 40.0


def test_another_recipe_machine_thread_count_or_a_failure_is_not_the_same_cell(tmp_path, plan):
    store, cell = Store(tmp_path), plan[0]
    store.write(record(cell, 5, 1000.0, {**HERE, "device": "Abacus 3000"}))
    store.write(record(cell, 6, 1000.0, {**HERE, "threads": 2}))
    store.write({**record(cell, 7, 1000.0), "status": "failed", "error": {"type": "ValueError"}, "environment": {}})
    store.write(record(replace(cell, recipe=replace(cell.recipe, epochs=50)), 8, 1000.0))
    assert estimates(store, [cell]).cells[0].source == CALIBRATION


def test_where_like_cells_took_twice_as_long_this_one_will(tmp_path, plan):
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
    assert shape_by_record(old) is None


def test_a_record_with_flops_tells_of_a_model_that_is_not_here(tmp_path, plan):
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
    shape = shape_by_record(foreign)
    assert shape.weights == 10_000_000 and shape.layers == 6 and 350 < shape.width < 400
    assert estimates(store, plan).cells[0].source == SIMILAR


def test_a_record_tells_how_many_words_a_table_of_embeddings_was_cut_to(plan):
    made = record(plan[0], 5, 9.0, train_tokens=64_000)
    made["training"]["vocabulary"] = 321
    assert {size.different for size in size_by_record(made).values()} == {321}
    assert {size.different for size in size_by_record(record(plan[0], 5, 9.0, train_tokens=64_000)).values()} == {None}


def test_the_rows_of_the_hub_are_unknown_until_a_record_tells_them(tmp_path, plan):
    hub = replace(plan[0].task, source=HubSource("owner/name"), name="far")
    cell = replace(plan[0], task=hub)
    store = Store(tmp_path)
    grid = estimates(store, [cell, plan[0]])
    assert grid.cells[0] is None and grid.unknown == 1 and "without 1 cells of unknown size" in words.line(grid)
    assert estimates(store, [cell]).seconds is None and "unknown" in words.line(estimates(store, [cell]))
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


def test_many_cells_of_few_kinds_are_counted_once_a_kind(tmp_path, plan, monkeypatch):
    counted = []
    real = grid_module.work
    monkeypatch.setattr(grid_module, "work", lambda *asked: counted.append(asked) or real(*asked))
    cells = [replace(cell, seed=seed) for seed in range(2000) for cell in plan[:2]]
    assert len(estimates(Store(tmp_path), cells).cells) == 4000 and len(counted) == 2


def test_data_that_cannot_be_read_are_of_unknown_size(tmp_path, plan, monkeypatch):
    monkeypatch.setattr(known_module, "load", lambda *asked: 1 / 0)
    assert estimates(Store(tmp_path), plan).unknown == len(plan)


def test_nothing_but_the_calibration_itself_imports_torch(tmp_path):
    code = (
        "import sys\n"
        "from harness.estimate import grid, words\n"
        "from harness.planning import Request, make_plan\n"
        "from harness.store import Store\n"
        "from harness.estimate.calibration import Calibration, Speed\n"
        f"grid.calibrated = lambda place, kinds, tell: Calibration(Speed({SPEED.seconds!r}, {SPEED.bytes!r}), kinds)\n"
        "cells = make_plan(Request(['bert', 't5'], ['mini-ner', 'mini-translation'])).cells\n"
        f"print(words.line(grid.estimate(cells, Store({str(tmp_path)!r}), 'cpu', 1, 2, None)))\n"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("about "), done.stderr


def test_a_model_that_must_not_run_in_half_precision_is_measured_in_full(tmp_path, plan, measured):
    auto = replace(plan[0].recipe, precision="auto")
    cells = [
        replace(plan[0], recipe=auto, model=replace(plan[0].model, digest=digest, avoid=avoid))
        for digest, avoid in (("one", ("bf16",)), ("other", ()))
    ]
    machine = grid_module.precision("cpu", "auto")
    assert {one.source for one in estimates(Store(tmp_path), cells).cells} == {CALIBRATION}
    assert {place.precision for place, _ in measured} == {"fp32", machine}


def test_a_trial_is_trained_once_though_random_weights_predict_the_same_for_every_row(tmp_path, monkeypatch):
    from harness import registry, worker
    from harness.estimate import calibrate
    from harness.estimate.rehearsal import READS, Rehearsal, Trial

    made, real = [], worker.Attempt
    monkeypatch.setattr(worker, "is_constant", lambda predictions: True)
    monkeypatch.setattr(worker, "Attempt", lambda *asked: made.append(asked[1]) or real(*asked))
    monkeypatch.setitem(registry.families(), Rehearsal(READS).name, Rehearsal(READS))
    trial = Trial("bert", READS, 64, 1, 200, 8, 6, steps=1, read=8)
    found = calibrate.run(trial, tmp_path, "cpu", 1, "bf16", 0)
    assert made == ["bf16"] and set(found.took) == {"train", "evaluate", "other"} and found.peak > 1e8


def test_trials_are_of_the_sizes_that_real_models_have():
    from harness.estimate.rehearsal import READS, TRIALS, WRITES

    assert {trial.kind for trial in TRIALS if trial.head == WRITES} == {"bert", "gpt2", "t5", "llama"}
    assert {trial.width for trial in TRIALS} >= {64, 128, 384, 768}
    assert any(trial.head == WRITES and trial.vocabulary >= 30_000 for trial in TRIALS)
    assert any(trial.head == READS and trial.words >= 150 and trial.kind == "llama" for trial in TRIALS)


PLACE = Place("cpu", 1, 2, "fp32")
SMALL = {"bert reads", "gpt2 reads"}
MEASURED = {
    "done": {part: [1.0] * len(amounts) for part, amounts in SPEED.seconds.items()},
    "took": {"train": 2.0, "evaluate": 1.0, "other": 0.5},
    "held": [1.0] * 8,
    "peak": 5e8,
    "pads": 0.0,
    "share": 1.0,
}


@pytest.fixture
def measurement(tmp_path, monkeypatch):
    """A cache folder, and a measuring process that answers at once; gives the trials that each call asked for."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    asked = []

    def measure(place, trials):
        asked.append(list(trials))
        yield {"start": 4.0}
        for name in trials:
            yield {"trial": name, "measured": MEASURED}

    monkeypatch.setattr(calibration_module, "_measure", measure)
    return asked


def test_a_machine_is_measured_once_and_says_so(measurement):
    said = []
    first = calibrated(PLACE, SMALL, said.append)
    assert said == ["measuring this machine once, about 10 s"] and len(measurement) == 1
    again = calibrated(PLACE, SMALL, said.append)
    assert asdict(again) == asdict(first) and len(said) == len(measurement) == 1
    assert first.speed.start == 4.0 and set(first.kinds) == SMALL and first.busy is None
    assert calibrated(replace(PLACE, slots=1), SMALL, said.append) == again, "how many run is no other machine"


def test_a_new_kind_of_model_adds_its_own_measurement_only(measurement):
    calibrated(PLACE, SMALL, print)
    both = calibrated(PLACE, {*SMALL, "t5 reads"}, print)
    assert [name.split()[0] for name in measurement[1]] == ["t5"] and set(both.kinds) == {*SMALL, "t5 reads"}
    calibrated(PLACE, {*SMALL, "t5 reads"}, print)
    calibrated(PLACE, SMALL, print)
    assert len(measurement) == 2
    for other in ({"threads": 2}, {"precision": "bf16"}, {"device": "cuda:0"}):
        calibrated(replace(PLACE, **other), SMALL, print)
    assert len(measurement) == 5, "other threads, precisions and devices are measured by themselves"


def test_a_run_does_not_measure_and_takes_what_there_is(measurement, tmp_path):
    unknown = calibrated(PLACE, SMALL, None)
    assert unknown.speed is calibration_module.USUAL["fp32"] and not unknown.kinds and not measurement
    assert calibrated(replace(PLACE, device="cuda:0"), SMALL, None) is None
    calibrated(PLACE, SMALL, print)
    assert set(calibrated(PLACE, {*SMALL, "t5 reads"}, None).kinds) == SMALL and len(measurement) == 1


def test_what_was_measured_before_the_end_is_kept(measurement, monkeypatch):
    whole = calibration_module._measure

    def ended(place, trials):
        lines = whole(place, trials)
        yield from (next(lines) for _ in range(3))
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration_module, "_measure", ended)
    with pytest.raises(KeyboardInterrupt):
        calibrated(PLACE, SMALL, print)
    monkeypatch.setattr(calibration_module, "_measure", whole)
    calibrated(PLACE, SMALL, print)
    first, second = measurement
    assert second == first[2:]


def test_a_trial_whose_process_died_is_not_tried_again(measurement, monkeypatch):
    def died(place, trials):
        measurement.append(list(trials))
        yield {"start": 4.0}
        for name in trials:
            yield {"trial": name, "measured": None if name.startswith("gpt2") else MEASURED}

    monkeypatch.setattr(calibration_module, "_measure", died)
    assert set(calibrated(PLACE, SMALL, print).kinds) == {"bert reads"} == set(calibrated(PLACE, SMALL, print).kinds)
    assert len(measurement) == 1


def test_a_busy_machine_is_said_to_be_uncertain(measurement, monkeypatch, tmp_path, plan):
    monkeypatch.setitem(MEASURED, "share", 0.5)
    monkeypatch.setattr(grid_module, "calibrated", calibrated)
    grid = estimates(Store(tmp_path), plan, tell=print)
    assert grid.busy.is_file() and str(grid.busy) in words.doubt(grid) and grid.facts()["busy"]
    grid.busy.unlink()
    monkeypatch.setitem(MEASURED, "share", 0.9)
    quiet = estimates(Store(tmp_path), plan, tell=print)
    assert quiet.busy is None and words.doubt(quiet) == "" and len(measurement) == 2


def test_an_estimate_without_a_measurement_is_rough_until_records_set_it_right(measurement, monkeypatch, tmp_path, plan):
    monkeypatch.setattr(grid_module, "calibrated", calibrated)
    store = Store(tmp_path / "results")
    grid = estimates(store, plan)
    assert {one.source for one in grid.cells} == {USUAL} and grid.rough and not grid.measured
    calibrated(PLACE, {"bert reads"}, print)
    other = make_plan(Request(["t5-mini"], ["mini-topics"])).cells
    told = estimates(store, list(other))
    assert told.rough and "rough (from a calibration by other kinds of models)" in words.line(told)
    [kept] = (tmp_path / "cache" / "machine").iterdir()
    kept.unlink()
    assert "2 slots, rough (from the figures of another machine)" in words.line(grid)
    store.write(record(plan[0], 5, 20.0, train_seconds=15.0, evaluate_seconds=3.0, train_tokens=64_000))
    like = estimates(store, [plan[1]])
    assert like.cells[0].source == SIMILAR and not like.rough
    assert "(from 1 past record of like cells and the figures of another machine)" in words.line(like)


def test_a_measurement_without_a_cache_folder_says_that_it_is_not_kept(measurement, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")
    monkeypatch.setattr("os.getloadavg", lambda: (64.0, 0.0, 0.0))
    said = []
    assert calibrated(PLACE, SMALL, said.append).kinds
    assert "no cache folder" in said[0] and "about 10 s, more while other programs" in said[0]


def test_every_cell_is_told_from_its_own_kind_of_model():
    from harness.estimate.rehearsal import TRIALS, kinds_of, trials_for
    from harness.estimate.sizes import READS, WRITES
    from harness.models.shape import Shape

    small = Shape(3, 0, 128, 600_000, 0, 1000, 750_000)
    assert kinds_of(small, "encoder", READS) == {"bert reads"}
    assert kinds_of(small, "decoder", WRITES) == {"bert reads", "gpt2 reads", "gpt2 writes"}
    assert "llama reads" in kinds_of(replace(small, rotates=True), "decoder", READS)
    large = kinds_of(replace(small, width=768), "encoder-decoder", WRITES)
    assert {"t5 writes", "large bert reads", "large bert writes"} <= large
    assert kinds_of(replace(small, width=768), "decoder", READS) == {"bert reads", "gpt2 reads", "large bert reads"}
    assert all(trials_for({kind}) for kind in large)
    assert len({trial.name for trial in TRIALS}) == len(TRIALS)


@pytest.mark.slow
def test_a_calibration_runs_real_cells_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    place, kinds = Place("cpu", 1, 2, "fp32"), {"bert reads", "gpt2 writes"}
    found = calibrated(place, kinds, print)
    assert set(found.kinds) == kinds and found.speed.start > 0
    speed = found.speed
    assert speed.base_bytes > 1e8 and sum(speed.seconds["train"]) > 0 and sum(speed.seconds["generate"]) > 0
    [file] = tmp_path.glob("machine/*.json")
    trials = json.loads(file.read_text())["trials"]
    assert len(trials) == 4
    for one in trials.values():
        told = speed.of(one["done"])  # what is counted explains what was measured
        assert 0.6 < told["train"] / one["took"]["train"] < 1.6
        assert 0.7 < speed.memory(one["held"]) / one["peak"] < 1.4
    monkeypatch.setattr(calibration_module, "_measure", lambda *asked: pytest.fail("measured again"))
    assert asdict(calibrated(place, kinds, print)) == asdict(found)


def test_no_trial_is_begun_when_the_processor_was_had_long_enough(monkeypatch):
    from harness.estimate import calibrate
    from harness.estimate.rehearsal import TRIALS

    monkeypatch.setattr(calibrate, "measure", lambda trial, *asked: trial.name)
    spent = iter([10.0, 70.0, 80.0])
    monkeypatch.setattr(calibrate, "_processor", lambda: next(spent))
    found = list(calibrate.measure_all(TRIALS[:5], 1, "cpu", 1, "fp32"))
    assert [one for _, one in found] == [trial.name for trial in TRIALS[:2]]


def test_a_process_that_dies_costs_its_own_trial_only(monkeypatch):
    import os

    from harness.estimate import calibrate
    from harness.estimate.rehearsal import TRIALS

    def measure(trial, *asked):
        return trial.name if trial is not TRIALS[0] else os._exit(9)

    monkeypatch.setattr(calibrate, "measure", measure)
    found = dict(calibrate.measure_all(TRIALS[:3], 2, "cpu", 1, "fp32"))
    assert found == {TRIALS[0]: None, TRIALS[1]: TRIALS[1].name, TRIALS[2]: TRIALS[2].name}
