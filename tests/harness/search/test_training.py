"""The training of trials: without a test, pruned when they fall behind, and resumed like any other cell."""

from dataclasses import replace

import pytest
import toy

from harness.cell import SearchedRecipe, Trial
from harness.quantities import SaveInterval
from harness.search.trials import make_trial
from harness.store import Store
from harness.training.checkpointer import Interrupted, Interruption
from harness.training.worker import run_cell
from tasks.sentiment import Sentiment


def silent(event):
    pass


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def base(checkpoints):
    return toy.cell(checkpoints("bert"), epochs=3, patience=0)


def test_a_trial_does_not_touch_the_test_split(store, base, monkeypatch):
    seen = []

    def guarded(name):
        plain = getattr(Sentiment, name)

        def ask(self, *words):
            row = words[0] if name != "prediction" else words[1]
            seen.append(row["id"].partition("-")[0])
            assert not row["id"].startswith("test"), f"{name} of a test row"
            return plain(self, *words)

        monkeypatch.setattr(Sentiment, name, ask)

    for name in ("example", "prediction", "reference"):
        guarded(name)
    monkeypatch.setattr(
        Sentiment, "trivial", lambda *words: pytest.fail("the trivial answer is scored on the test split")
    )
    cell = make_trial(base, {"learning_rate": 1e-3})
    record = run_cell(cell, "cpu", store, silent)
    assert set(seen) == {"train", "validation"}
    assert record == {key: value for key, value in store.record(cell.id).items() if key != "schema"}
    assert record["status"] == "ok" and record["purpose"] == "search" and record["score"] is None
    assert set(record["metrics"]) == {"validation"} and record["trivial_score"] is None
    best = max(line["score"] for line in record["training"]["history"])
    assert record["trial"] == {"thresholds": [], "value": best, "pruned": False}
    assert record["metrics"]["validation"]["accuracy"] * 100 == pytest.approx(best)
    assert "test" not in record["cost"]["phases"] and record["cost"]["total_seconds"] > 0
    with pytest.raises(FileNotFoundError):
        store.predictions(cell.id)
    with pytest.raises(AssertionError, match="of a test row"):  # what guards would see it
        run_cell(replace(cell, search=None), "cpu", store, silent)


def test_a_trial_ends_when_it_falls_behind_but_not_at_its_last_validation(store, base):
    above = 101.0  # what no validation reaches
    for limits, validations, pruned in [
        ((None, above), 2, True),
        ((above,), 1, True),
        ((None, None, above), 3, False),
        ((0.0, 0.0, 0.0), 3, False),
        ((), 3, False),
    ]:
        record = run_cell(replace(base, search=Trial(limits)), "cpu", store, silent)
        assert len(record["training"]["history"]) == validations and record["trial"]["pruned"] is pruned
        assert record["trial"]["thresholds"] == list(limits)


def test_an_interrupted_trial_resumes_the_same_training(store, base, tmp_path):
    cell = replace(base, search=Trial((None, 101.0)))
    whole = run_cell(cell, "cpu", Store(tmp_path / "whole"), silent)
    interruption = Interruption()

    def stop(event):
        if event["event"] == "validation":
            interruption.request()

    with pytest.raises(Interrupted):
        run_cell(cell, "cpu", store, stop, SaveInterval(steps=1000), interruption)
    assert store.record(cell.id) is None and store.checkpoint(cell.id).exists()
    record = run_cell(cell, "cpu", store, silent, SaveInterval(steps=1000))
    assert record["training"]["resumed"] == 1 and record["trial"] == whole["trial"] and record["trial"]["pruned"]
    assert record["training"]["history"] == whole["training"]["history"]


def test_a_budget_shortens_the_training_and_its_schedule(store, base, tmp_path):
    """The same as a recipe of so many steps, whether it was broken off or not."""
    whole = run_cell(make_trial(base, {}), "cpu", store, silent)
    steps = whole["training"]["steps"]
    cell = make_trial(base, {}, budget=1 / 3)
    short = run_cell(cell, "cpu", store, silent)
    assert short["training"]["steps"] == steps / 3 and len(short["training"]["history"]) == 1
    assert short["trial"] == {"thresholds": [], "budget": 1 / 3, "value": short["trial"]["value"], "pruned": False}
    same = run_cell(make_trial(base, {"max_steps": steps // 3}), "cpu", store, silent)
    assert short["training"]["history"] == same["training"]["history"] != whole["training"]["history"][:1]

    broken, interruption = Store(tmp_path / "broken"), Interruption()

    def stop(event):
        if event["event"] == "validation":
            interruption.request()

    with pytest.raises(Interrupted):
        run_cell(cell, "cpu", broken, stop, SaveInterval(steps=1000), interruption)
    again = run_cell(cell, "cpu", broken, silent, SaveInterval(steps=1000))
    assert again["training"]["resumed"] == 1 and again["training"]["history"] == short["training"]["history"]


def test_records_hold_the_search_and_its_time(store, base):
    trial = {"id": "t0", "recipe": {"epochs": 2}, "status": "ok", "validation": 50.0, "seconds": 1.0}
    found = {"trials": [trial], "winner": 0, "seconds": 123.0, "peak_memory_bytes": 5, "seed": 1}
    cell = replace(base, search=SearchedRecipe({"kind": "grid", "fields": {"epochs": [1, 2]}}, ("epochs=1,2",), found))
    record = run_cell(cell, "cpu", store, silent)
    assert record["search"] == {"specification": cell.search.specification, "arguments": ["epochs=1,2"], **found}
    assert record["cost"]["search_seconds"] == 123.0 and record["score"] is not None and "purpose" not in record
    plain = run_cell(base, "cpu", store, silent)
    assert plain["score"] == record["score"] and "search" not in plain and "search_seconds" not in plain["cost"]
    assert plain["id"] != record["id"]
