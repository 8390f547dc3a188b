"""Searches on the board: trials are no scores, what was searched is one row, and its cost is counted."""

import json

import pytest
from made_records import RECIPE, failed, record

from harness.grouping.board_records import BoardRecords
from harness.grouping.recipe_variants import search_sentence
from harness.report.board import Board
from harness.report.formats import FORMATS
from harness.report.model_choice import Limits, recommend
from harness.report.record_view import show
from harness.stats.row_comparison import compare
from harness.store import Store

ARGUMENT = "learning_rate=1e-05,3e-05"


def searched(task="films", model="bert", score=90.0, seed=0, rate=3e-5, argument=ARGUMENT, rates=(1e-5, 3e-5), **more):
    """A record whose learning rate a search has found, in 100 s."""
    trials = [
        {
            "id": f"{task}--{model}--{one}",
            "recipe": {"learning_rate": one},
            "status": "ok",
            "validation": 80.0,
            "seconds": 50.0,
        }
        for one in rates
    ]
    search = {
        "specification": {"kind": "grid", "fields": {"learning_rate": list(rates)}}, "arguments": [argument],
        "seed": 1_000_000_000, "trials": trials, "winner": rates.index(rate), "seconds": 100.0, "peak_memory_bytes": 1,
    }  # fmt: skip
    made = record(task, model, score, seed, recipe={**RECIPE, "learning_rate": rate}, search=search, **more)
    made["cost"] = {**made["cost"], "search_seconds": 100.0}
    return made | {"id": f"{made['id']}-{argument}"}


def a_trial(**more):
    return {**record(score=None, seed=1_000_000_000, **more), "purpose": "search", "id": f"trial-{len(more)}",
            "trial": {"thresholds": [], "value": 99.0, "pruned": False}}  # fmt: skip


def a_failed_trial():
    return {**failed(seed=1_000_000_000), "purpose": "search", "id": "trial-failed"}


RECORDS = [record(), record(seed=1), record(model="gpt2"), record(model="gpt2", seed=1)]


@pytest.mark.parametrize("form", FORMATS)
def test_trials_do_not_change_a_board(form):
    assert FORMATS[form](Board.of([*RECORDS, a_trial(), a_failed_trial()])) == FORMATS[form](Board.of(RECORDS))


def test_trials_are_left_out_when_records_are_read(tmp_path):
    store = Store(tmp_path)
    for one in [*RECORDS, a_trial(), a_failed_trial()]:
        store.write(
            one, [{"id": str(row), "prediction": "a", "reference": "a" if row < 9 else "b"} for row in range(10)]
        )
    assert [one["id"] for one in BoardRecords.read(store)] == sorted(one["id"] for one in RECORDS)
    assert Board.of(BoardRecords.read(store)) == Board.of(RECORDS)
    (found,) = compare(store, "bert", "gpt2")
    assert found.difference.seeds == 2


def test_training_time_includes_the_whole_search():
    board = Board.of([searched(seed=0), searched(seed=1), record(model="gpt2"), record(model="gpt2", seed=1)])
    bert, gpt2 = (next(row for row in board.rows if row.model == name) for name in ("bert", "gpt2"))
    assert bert.train_seconds == 110.5 and gpt2.train_seconds == 10.5
    entry = bert.entries["films"]
    assert (entry.train_seconds, entry.costs["search_seconds"]) == (110.5, 100.0)
    assert "searched" in entry.flags and "searched" not in gpt2.entries["films"].flags
    assert gpt2.entries["films"].costs["search_seconds"] is None


def test_a_recommendation_counts_the_search():
    board = Board.of([searched(), record(model="gpt2", score=80.0)])
    assert recommend(board, Limits(train_seconds=110)).best.row.model == "bert"
    assert recommend(board, Limits(train_seconds=109)).best.row.model == "gpt2"


def test_different_winners_on_different_tasks_share_a_row():
    board = Board.of([searched("films", rate=1e-5), searched("news", rate=3e-5)])
    (row,) = board.rows
    assert row.title == "bert" and set(row.entries) == {"films", "news"} and row.average == 90.0
    assert board.notes == ()


def test_searched_and_unsearched_recipes_are_separate_rows():
    board = Board.of([record("films"), record("news"), searched("films", rate=3e-5), searched("news", rate=1e-5)])
    assert sorted(row.title for row in board.rows) == ["bert (recipe 1)", "bert (recipe 2)"]
    assert all(set(row.entries) == {"films", "news"} and row.average == 90.0 for row in board.rows)
    (note,) = board.notes
    assert (
        "learning_rate searched, search learning_rate=1e-05,3e-05" in note
        and "learning_rate 3e-05, search None" in note
    )


def test_seeds_with_different_winners_are_not_averaged():
    board = Board.of([searched(seed=0, rate=1e-5), searched(seed=1, rate=3e-5)])
    assert [len(row.entries["films"].scores) for row in board.rows] == [1, 1]


def test_searches_of_different_values_are_not_averaged():
    board = Board.of([searched(seed=0, argument="suite"), searched(seed=1, argument="suite", rates=(2e-5, 3e-5))])
    assert [len(row.entries["films"].scores) for row in board.rows] == [1, 1]


def test_commands_include_the_search():
    assert Board.of([searched("films", rate=1e-5), searched("news", rate=3e-5)]).commands == (
        "bench run --suite own --models bert --tasks films,news --methods full --seeds 1 --search learning_rate=1e-05,3e-05",
    )
    board = Board.of(
        [record("films"), searched("films", rate=1e-5), searched("films", argument="optuna:20", rates=(3e-5, 4e-5))]
    )
    plain = "bench run --suite own --models bert --tasks films --methods full --seeds 1"
    assert set(board.commands) == {
        f"{plain} --set recipe.learning_rate=3e-05", f"{plain} --search learning_rate=1e-05,3e-05", f"{plain} --search optuna:20",
    }  # fmt: skip


def test_commands_override_defaults_of_the_suite():
    own = {"suite_file": "mine.yaml", "suite_defaults": ["--seeds", "--train-sizes", "--search"]}
    plain = "bench run --suite mine.yaml --models bert --tasks films --methods full --seeds 1 --train-sizes all --search"
    assert Board.of([{**record("films"), **own}]).commands == (f"{plain} none",)
    assert Board.of([{**searched("films", argument="auto"), **own}]).commands == (f"{plain} auto",)


def test_board_describes_the_search_and_its_winners():
    pruned = searched(model="gpt2", rate=1e-5)
    pruned["search"]["trials"][1]["status"] = "pruned"
    board = Board.of([searched(seed=0), searched(seed=1), pruned, pruned | {"seed": 1, "id": "other"}])
    (column,) = board.columns
    assert search_sentence(column.searches) == (
        "learning_rate=1e-05,3e-05 (2 trials a row, 1 pruned, 3.3 min in all), chosen on validation: "
        "bert learning_rate 3e-05; gpt2 learning_rate 1e-05"
    )
    text = FORMATS["md"](board)
    assert "- search: learning" in text and "ˢ recipe chosen among several on validation" in text
    assert json.loads(FORMATS["json"](board))["columns"][0]["searches"][0]["trials"] == 2
    assert r"$\star$" in FORMATS["latex"](board) and "100.0" in FORMATS["csv"](board)
    assert "search" not in FORMATS["md"](Board.of(RECORDS))


def test_show_of_a_searched_record_and_of_a_trial():
    from rich.console import Console

    console = Console(width=120, record=True, file=open("/dev/null", "w"))
    console.print(show(searched()))
    console.print(show(a_trial()))
    console.print(show(a_failed_trial()))
    text = console.export_text()
    assert "learning_rate=1e-05,3e-05: 2 trials on seed 1000000000, 100 s in all" in text
    assert "chosen" in text and "a trial of a search: it was never tested" in text and "99.00" in text
