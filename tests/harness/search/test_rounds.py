"""Rounds of trials for the cells of a plan: resumed, failed, sharded, and the cells that are reported."""

import io
import math
from dataclasses import replace

import made_trials as made
import pytest
from rich.console import Console

from harness.errors import BenchError
from harness.planning.plan import Plan
from harness.planning.suite import Suite
from harness.search.rounds import Rounds
from harness.search.search_option import parse_search
from harness.search.searches import shard_by_search
from harness.search.trials import validations
from harness.store import Store

GRID = ["lr=1e-5,3e-5,1e-4"]


def plan(*models, seeds=(0, 1), methods=("full",), search=None, **recipe):
    cells = [
        made.cell(model, seed=seed, method=method, **recipe) for seed in seeds for model in models for method in methods
    ]
    return Plan(Suite("own", 1, "", {}, (), (), search or {}), tuple(cells))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def rounds(made_plan, texts, store, cells=None, settings=None, **more):
    return Rounds(made_plan, cells or made_plan.cells, parse_search(texts), settings or {}, store, **more)


def curve(cell):
    best = 50 + 1e6 * cell.recipe.learning_rate % 37 + cell.recipe.batch_size / 32 + len(cell.model.name)
    return made.record(cell, [best - 3, best])


def go(found, runner, fail_fast=False):
    console = Console(file=io.StringIO(), width=200)
    return found.run(runner, fail_fast, lambda line: console.print(line, markup=False, soft_wrap=True)), console.file.getvalue()


def test_all_seeds_are_reported_with_the_winner_and_records_hold_the_search(store):
    found = rounds(plan("bert", "gpt2"), GRID, store)
    assert found.counted() == "search learning_rate=1e-05,3e-05,0.0001: 2 searches, 6 trials: 0 finished, 6 to run"
    assert all(not cell.search.found for cell in found.cells)
    runner = made.Runner(store, curve)
    whole, said = go(found, runner)
    assert whole and [len(one) for one in runner.rounds] == [6] and "search: round 1 of 1, 6 trials" in said
    assert [(cell.model.name, cell.seed) for cell in found.cells] == [
        ("bert", 0),
        ("gpt2", 0),
        ("bert", 1),
        ("gpt2", 1),
    ]
    assert {cell.recipe.learning_rate for cell in found.cells} == {3e-5}
    assert "search: films · bert: learning_rate 3e-05 (validation 85.00, the best of 3 trials)" in said
    search = found.cells[0].facts()["search"]
    assert search["winner"] == 1 and search["seconds"] == 15.0 and search["peak_memory_bytes"] == 1000
    assert search["arguments"] == ["learning_rate=1e-05,3e-05,0.0001"] and search["seed"] == 1_000_000_000
    assert [one["recipe"] for one in search["trials"]] == [{"learning_rate": rate} for rate in (1e-5, 3e-5, 1e-4)]
    assert [one["id"] for one in search["trials"]] == [
        cell.id for cell in runner.rounds[0] if cell.model.name == "bert"
    ]
    assert {one["status"] for one in search["trials"]} == {"ok"} and search["trials"][1]["validation"] == 85.0
    nothing = made.Runner(store, curve, most=0)
    again = rounds(plan("bert", "gpt2"), GRID, store)
    assert go(again, nothing) == (True, "") and [cell.id for cell in again.cells] == [cell.id for cell in found.cells]


def test_a_wider_grid_reuses_trials_and_is_another_search(store):
    first = rounds(plan("bert"), ["lr=1e-5,3e-5"], store)
    go(first, made.Runner(store, curve))
    wider = rounds(plan("bert"), GRID, store)
    assert "3 trials: 2 finished, 1 to run" in wider.counted()
    go(wider, made.Runner(store, curve))
    assert wider.cells[0].recipe == first.cells[0].recipe and wider.cells[0].id != first.cells[0].id
    assert wider.cells[0].id != replace(wider.cells[0], search=None).id


def test_a_killed_search_continues_with_the_same_trials(tmp_path):
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    asked = plan("bert", "gpt2")
    runner = made.Runner(whole, curve)
    _, said = go(rounds(asked, ["optuna:8"], whole), runner)
    assert [len(one) for one in runner.rounds] == [2] * 8 and "search: round 3 of 8, 2 trials" in said
    first = made.Runner(broken, curve, most=3)
    with pytest.raises(KeyboardInterrupt):
        go(rounds(asked, ["optuna:8"], broken), first)
    found = rounds(asked, ["optuna:8"], broken)
    assert "16 trials: 6 finished, 10 to run" in found.counted() and len(found.pending) == 2 and len(found.later) == 8
    second = made.Runner(broken, curve)
    _, said = go(found, second)
    assert said.startswith("search: round 4 of 8, 2 trials")
    ids = [[cell.id for cell in one] for one in (*first.rounds, *second.rounds)]
    assert ids == [[cell.id for cell in one] for one in runner.rounds]
    assert [cell.id for cell in found.cells] == [cell.id for cell in rounds(asked, ["optuna:8"], whole).cells]


def test_a_failed_trial_cannot_win_and_is_not_run_again(store):
    def make(cell):
        return made.failed(cell) if cell.recipe.learning_rate == 3e-5 else curve(cell)

    found = rounds(plan("bert"), GRID, store)
    whole, said = go(found, made.Runner(store, make))
    assert whole and "trial failed: films--bert" in said and "FloatingPointError: the training loss became nan" in said
    trials = found.cells[0].facts()["search"]["trials"]
    assert found.cells[0].recipe.learning_rate == 1e-4 and [one["status"] for one in trials] == ["ok", "failed", "ok"]
    assert trials[1]["validation"] is None and trials[1]["error"] == "FloatingPointError: the training loss became nan"
    assert found.cells[0].search.seconds == 12.0  # what failed has cost time too
    assert not rounds(plan("bert"), GRID, store).pending
    again = rounds(plan("bert"), GRID, store, rerun_failed=True)
    assert len(again.pending) == 1
    go(again, made.Runner(store, curve))
    assert again.cells[0].recipe.learning_rate == 3e-5


def test_without_a_winner_the_cells_fail_with_the_reason(store):
    asked = plan("bert")
    found = rounds(asked, GRID, store)
    go(found, made.Runner(store, made.failed))
    lost = found.record_failures()
    assert [cell.id for cell in lost] == [cell.id for cell in found.cells] and len(lost) == 2
    record = store.record(lost[0].id)
    assert record["status"] == "failed" and record["error"]["stays"] and len(record["search"]["trials"]) == 3
    assert (
        "all 3 trials failed, the first with FloatingPointError: the training loss became nan"
        in record["error"]["message"]
    )
    again = rounds(asked, GRID, store)
    assert len(again.pending) == 3  # as any cell that failed for a reason that may pass
    runner = made.Runner(store, made.failed)
    go(again, runner)
    assert len(runner.rounds) == 1  # and not for ever
    better = rounds(asked, GRID, store)
    go(better, made.Runner(store, curve))
    assert not better.record_failures() and store.record(lost[0].id) is None
    assert better.cells[0].recipe.learning_rate == 3e-5


def test_permanent_failures_are_not_run_again(store):
    found = rounds(plan("bert"), GRID, store)
    go(found, made.Runner(store, lambda cell: made.failed(cell, "BenchError", stays=True)))
    again = rounds(plan("bert"), GRID, store)
    assert not again.pending and len(again.record_failures()) == 2


def test_fail_fast_ends_the_run_and_the_next_run_continues(store):
    def make(cell):
        return made.failed(cell) if cell.recipe.learning_rate == 3e-5 else curve(cell)

    found = rounds(plan("bert"), GRID, store)
    assert go(found, made.Runner(store, make), fail_fast=True)[0] is False
    assert all(not cell.search.found for cell in found.cells) and found.record_failures() == []
    assert go(rounds(plan("bert"), GRID, store), made.Runner(store, make), fail_fast=True)[0] is True


def test_no_two_shards_do_the_same_search(store):
    asked = plan("bert", "gpt2", "t5", methods=("full", "scratch"), seeds=(0, 1, 2))
    shards = [shard_by_search(asked.cells, index, 4) for index in range(4)]
    assert sorted(cell.id for one in shards for cell in one) == sorted(cell.id for cell in asked.cells)
    titles = [{(cell.model.name, cell.method) for cell in one} for one in shards]
    assert sum(map(len, titles)) == len(set.union(*titles)) == 6
    trials = [cell.id for one in shards for cell in rounds(asked, GRID, store, one).pending]
    assert len(trials) == len(set(trials)) == 18
    assert rounds(asked, GRID, store, [made.cell("other")]).counted().endswith("nothing to search here")


def test_each_method_has_its_own_search(store):
    found = rounds(plan("bert", methods=("full", "lora")), GRID, store)
    go(
        found,
        made.Runner(
            store,
            lambda cell: made.record(
                cell, [90 - abs(cell.recipe.learning_rate * 1e5 - (3 if cell.method == "full" else 10))]
            ),
        ),
    )
    assert {cell.method: cell.recipe.learning_rate for cell in found.cells} == {"full": 3e-5, "lora": 1e-4}


def test_fixed_fields_are_left_out_of_optunas_space(store):
    fixed = {"batch_size": "8"}
    found = rounds(plan("bert", batch_size=8), ["optuna:6"], store, settings=fixed)
    runner = made.Runner(store, lambda cell: made.record(cell, [1e5 * cell.recipe.learning_rate]))
    go(found, runner)
    assert {cell.recipe.batch_size for one in runner.rounds for cell in one} == {8}
    with pytest.raises(BenchError, match="--set fixes all that would be searched"):
        rounds(plan("bert"), ["optuna:6"], store, settings={**fixed, "learning_rate": "1e-4"})


def test_grid_of_the_suite(store):
    rules = {"grid": ({"learning_rate": [1e-5, 3e-5]}, {"when": {"model": "gpt2"}, "learning_rate": [1e-4, 2e-4]})}
    found = rounds(plan("bert", "gpt2", search=rules), ["suite"], store)
    assert [cell.recipe.learning_rate for cell in found.pending] == [1e-5, 3e-5, 1e-4, 2e-4]
    rules["grid"] += ({"when": {"model": "gpt2"}, "batch_size": [16, 32]},)
    with pytest.raises(
        BenchError, match="films · gpt2 has 4 trials and films · bert 2; all on one task must have the same"
    ):
        rounds(plan("bert", "gpt2", search=rules), ["suite"], store)
    with pytest.raises(BenchError, match="gives bert on films by full no values"):
        rounds(plan("bert"), ["suite"], store)
    with pytest.raises(BenchError, match=r"--set recipe\.learning_rate=1 fixes"):
        rounds(plan("bert", search=rules), ["suite"], store, settings={"learning_rate": "1"})


def test_pruned_trials_are_reported(store):
    values = iter([50, 60, 70, 55, 65, 10, 71])
    found = rounds(plan("bert"), ["optuna:7"], store)
    _, said = go(found, made.Runner(store, lambda cell: made.record(cell, [(value := next(values)), value, value])))
    search = found.cells[0].facts()["search"]
    assert [one["status"] for one in search["trials"]] == ["ok"] * 5 + ["pruned", "ok"] and search["winner"] == 6
    record = store.record(search["trials"][5]["id"])
    assert validations(record) == [10, 10] and "the best of 7 trials, 1 pruned" in said


def halving(cell):
    """The best rate is 9 times the recipe's own for gpt2, and the recipe's own for others."""
    best = 2.7e-4 if cell.model.name == "gpt2" else 3e-5
    return made.record(cell, [90 - 10 * abs(math.log(cell.recipe.learning_rate / best, 3)) - 5 * (cell.budget < 1)])


def test_auto_halves_and_extends_an_edge(store):
    asked = plan("bert", "gpt2")
    found = rounds(asked, ["auto"], store)
    assert found.counted() == "search auto: 2 searches, 14 trials: 0 finished, 14 to run"
    assert "5 learning rates for 33% of the steps and the best 2 for all, as much as 3.7 trainings" in found.note
    assert [cell.budget for cell in found.later] == [1.0] * 4 and len(found.pending) == 10
    runner = made.Runner(store, halving)
    _, said = go(found, runner)
    assert [len(one) for one in runner.rounds] == [10, 4, 1]
    assert "round 1 of 2, 10 trials" in said and "round 2 of 2, 4 trials" in said and "round 3 of 3, 1 trial" in said
    assert "films · bert: learning_rate 3e-05 (validation 90.00, the best of 7 trials)" in said
    assert "films · gpt2: learning_rate 0.00027 (validation 90.00, the best of 8 trials)" in said
    assert [cell.recipe.learning_rate for cell in found.cells] == [3e-5, 2.7e-4] * 2
    assert found.counted() == "search auto: 2 searches, 15 trials: 15 finished, 0 to run"
    assert not rounds(asked, ["auto"], store).pending
    assert found.cells[0].facts()["search"]["specification"]["kind"] == "halving"


def test_auto_continues_after_a_kill(tmp_path):
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    asked = plan("bert", "gpt2")
    runner, first = made.Runner(whole, halving), made.Runner(broken, halving, most=1)
    second = made.Runner(broken, halving)
    go(rounds(asked, ["auto"], whole), runner)
    with pytest.raises(KeyboardInterrupt):
        go(rounds(asked, ["auto"], broken), first)
    found = rounds(asked, ["auto"], broken)
    assert found.counted().endswith("14 trials: 10 finished, 4 to run")
    _, said = go(found, second)
    assert said.startswith("search: round 2 of 2, 4 trials")
    ids = [[cell.id for cell in one] for one in (*first.rounds, *second.rounds)]
    assert ids == [[cell.id for cell in one] for one in runner.rounds]


def test_auto_reuses_whole_trials_of_a_grid_but_not_the_reverse(store):
    go(rounds(plan("bert"), ["lr=3e-5,9e-5"], store), made.Runner(store, halving))
    runner = made.Runner(store, halving)
    go(rounds(plan("bert"), ["auto"], store), runner)
    assert [len(one) for one in runner.rounds] == [5]
    grid = rounds(plan("bert"), ["lr=1e-5,3e-5,9e-5"], store)
    assert [cell.recipe.learning_rate for cell in grid.pending] == [1e-5]


def test_a_failed_short_trial_runs_again_on_request(store):
    def make(cell):
        return made.failed(cell) if cell.recipe.learning_rate > 5e-5 else halving(cell)

    found = rounds(plan("gpt2"), ["auto"], store)
    whole, said = go(found, made.Runner(store, make))
    assert whole and said.count("trial failed: ") == 2 and found.cells[0].recipe.learning_rate == 3e-5
    assert not rounds(plan("gpt2"), ["auto"], store).pending
    again = rounds(plan("gpt2"), ["auto"], store, rerun_failed=True)
    assert [cell.budget < 1 for cell in again.pending] == [True, True]
    go(again, made.Runner(store, halving))
    assert again.cells[0].recipe.learning_rate == 2.7e-4


def test_auto_without_a_successful_whole_training_fails_and_tries_again(store):
    found = rounds(plan("bert"), ["auto"], store)
    go(found, made.Runner(store, lambda cell: made.failed(cell) if cell.budget == 1 else halving(cell)))
    (record, _) = [store.record(cell.id) for cell in found.record_failures()]
    assert "5 of 10 trials failed, the first with FloatingPointError" in record["error"]["message"]
    again = rounds(plan("bert"), ["auto"], store)
    assert [cell.budget for cell in again.pending] == [1, 1]
    go(again, made.Runner(store, halving))
    assert not again.record_failures() and again.cells[0].recipe.learning_rate == 3e-5
