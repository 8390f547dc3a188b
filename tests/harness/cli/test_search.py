"""`--search` from outside: a run with real trainings, run again, planned, refused."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.store import Store

ASKED = ["--models", "bert-mini", "--tasks", "mini-sentiment", "--limit", "40", "--set", "recipe.epochs=2"]
SEARCH = ["--search", "lr=1e-5,1e-3,1e30", "--seeds", "2"]


def bench(folder, *words, **environment):
    """Run `bench` as a process, to see what the parent imports and how it exits."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "COLUMNS": "100", **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def before(folder):
    return planned(folder, *SEARCH)


@pytest.fixture(scope="module")
def first(folder, before):
    """The one run of this module."""
    return bench(folder, "run", *ASKED, *SEARCH, "--devices", "cpu")


def planned(folder, *words):
    found = CliRunner().invoke(app, ["plan", *ASKED, "--results", str(folder / "bench-results"), "--json", *words])
    assert found.exit_code == 0, found.output
    return json.loads(found.output)


def test_a_plan_knows_the_trials_but_not_the_reported_recipe(before):
    assert [one["changes"] for one in before["trials"]] == [{"learning_rate": rate} for rate in (1e-5, 1e-3, 1e30)]
    assert not any(one["finished"] for one in before["trials"]) and before["trials_unknown"] == 0
    assert [(one["id"], one["finished"]) for one in before["cells"]] == [(None, False)] * 2
    assert before["winners"][0]["recipe"] is None
    assert {one["seed"] for one in before["trials"]} == {1_000_000_000}


def test_the_winner_is_best_on_validation_and_the_record_holds_the_search(first, folder):
    """One of the rates gives NaN: its trial fails, the search does not, nor does the run."""
    assert first.returncode == 0, first.stdout + first.stderr
    assert "search: round 1 of 1, 3 trials" in first.stdout and "trial failed: " in first.stdout
    assert "search: mini-sentiment@40 · bert-mini: learning_rate " in first.stdout and "1 failed)" in first.stdout
    store = Store(folder / "bench-results")
    records = list(store.records())
    trials = {one["id"]: one for one in records if one.get("purpose") == "search"}
    reports = [one for one in records if "purpose" not in one]
    assert len(trials) == 3 and [one["seed"] for one in reports] == [0, 1]
    values = {name: one["trial"]["value"] for name, one in trials.items() if one["status"] == "ok"}
    for report in reports:
        search = report["search"]
        assert {one["id"] for one in search["trials"]} == set(trials) and len(values) == 2
        chosen = search["trials"][search["winner"]]
        assert values[chosen["id"]] == max(values.values()) == chosen["validation"]
        assert report["recipe"]["learning_rate"] == chosen["recipe"]["learning_rate"]
        total = sum(one["cost"]["total_seconds"] for one in trials.values())
        assert report["cost"]["search_seconds"] == search["seconds"] == pytest.approx(total)


def test_a_second_run_does_nothing_and_a_new_seed_needs_no_search(first, folder):
    again = bench(folder, "run", *ASKED, *SEARCH, "--devices", "cpu", "--json")
    assert (
        again.returncode == 0
        and "3 trials: 3 finished, 0 to run" in again.stderr
        and "2 finished, 0 to run" in again.stderr
    )
    assert "start " not in again.stderr
    told = json.loads(again.stdout)
    assert [set(one) for one in told] == [{"id", "status", "score", "primary_metric", "error", "search"}] * 2
    assert told[0]["search"]["trials"] == 3 and told[0]["search"]["failed"] == 1
    after = planned(folder, *SEARCH)
    assert [one["id"] for one in after["cells"]] == [one["id"] for one in told]
    assert (
        all(one["finished"] for one in after["cells"])
        and [one["status"] for one in after["trials"]].count("failed") == 1
    )
    assert after["winners"][0]["recipe"] == told[0]["search"]["recipe"]
    more = planned(folder, "--search", "lr=1e-5,1e-3,1e30", "--seeds", "3")
    assert [one["finished"] for one in more["cells"]] == [True, True, False] and all(
        one["finished"] for one in more["trials"]
    )


def test_the_leaderboard_has_no_trials(first, folder):
    text = (folder / "bench-results/leaderboard.md").read_text()
    assert "1000000000" not in text and "(2 cells" in text and "- search: learning" in text


def test_a_plan_with_optuna_counts_unknown_trials_and_needs_no_torch(folder):
    words = ["plan", *ASKED, "--search", "optuna:7", "--results", "none", "--json"]
    code = (
        "import sys; from harness.cli.main import app; app(sys.argv[1:], standalone_mode=False);"
        "print([name for name in ('torch', 'transformers') if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=folder, timeout=100
    )
    assert found.stderr.strip().endswith("[]"), found.stderr
    told = json.loads(found.stdout)
    assert len(told["trials"]) == 1 and told["trials_unknown"] == 6


def refused(*words):
    found = CliRunner().invoke(app, ["plan", *ASKED, *words])
    assert found.exit_code != 0
    return str(found.exception)


def test_invalid_searches_are_reported_before_anything_is_read(monkeypatch):
    monkeypatch.setattr("harness.plan_report.make_plan", lambda request: pytest.fail("planned"))
    assert "fixes what is to be searched" in refused("--search", "epochs=1,2")
    assert "method full has no field lora_rank" in refused("--search", "lora_rank=2,4", "--methods", "full,lora")
    assert "the suite mini has no section search.grid" in refused("--search", "suite")
    assert "must be below 1000000000" in refused("--seeds", "1000000000,")
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert refused("--search", "optuna:5").endswith('optuna is not installed; run: pip install "bench-harness[search]"')


def test_baselines_have_nothing_to_search():
    found = CliRunner().invoke(app, ["plan", "--models", "majority", "--tasks", "mini-sentiment", "--search", "lr=1,2"])
    assert "baselines have no recipe to search" in str(found.exception)


def test_a_search_from_the_environment(folder, monkeypatch):
    monkeypatch.setenv("BENCH_SEARCH", "lr=1e-5,1e-4 bs=8,16,32")
    assert len(planned(folder)["trials"]) == 6


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    """A folder in which `--search auto` was killed in its first round and run again, and what the second run said."""
    folder = tmp_path_factory.mktemp("halved")
    words = ["run", *ASKED, "--search", "auto", "--suite", "mini", "--devices", "cpu", "--jobs", "1"]
    process = subprocess.Popen([sys.executable, "-m", "harness", *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("valid"):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=100)
    assert process.returncode == 130
    return folder, bench(folder, *words)


def test_an_interrupted_search_is_finished_by_the_same_command(halved):
    folder, done = halved
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 trials: 1 finished, 6 to run, then 1 cell" in done.stdout
    assert "5 learning rates for 33% of the steps" in done.stdout
    assert "search: round 1 of 2, 4 trials" in done.stdout and "search: round 2 of 2, 2 trials" in done.stdout
    records = list(Store(folder / "bench-results").records())
    trials = [one for one in records if one.get("purpose") == "search"]
    (report,) = [one for one in records if "purpose" not in one]
    whole = [one for one in trials if "budget" not in one["trial"]]
    assert len(trials) - len(whole) == 5 and len(whole) in (2, 3)
    rates = sorted(one["recipe"]["learning_rate"] for one in trials if one not in whole)
    assert rates == [0.000111, 0.000333, 0.001, 0.003, 0.009]
    assert {one["training"]["steps"] for one in whole} == {4} and {
        one["training"]["steps"] for one in trials if one not in whole
    } == {1}
    best = max(one["trial"]["value"] for one in whole)
    assert report["search"]["trials"][report["search"]["winner"]]["validation"] == best
    assert report["recipe"]["learning_rate"] in [
        one["recipe"]["learning_rate"] for one in whole if one["trial"]["value"] == best
    ]
    assert "--search auto" in (folder / "bench-results" / "leaderboard.md").read_text()


def test_a_plan_estimates_the_cost_of_auto(folder):
    found = CliRunner().invoke(app, ["plan", *ASKED, "--search", "auto", "--results", "none"])
    assert "1 search, 7 trials: 0 finished, 7 to run" in found.output and "as much as 3.7 trainings" in found.output
    told = planned(folder, "--search", "auto")
    assert [one["changes"]["learning_rate"] for one in told["trials"]] == [0.001, 0.003, 0.000333, 0.009, 0.000111]
    assert told["trials_unknown"] == 2
    message = "--search auto: --set recipe.learning_rate=1e-4 fixes what is to be searched"
    assert message in refused("--search", "auto", "--set", "lr=1e-4")
