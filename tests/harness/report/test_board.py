import random
from dataclasses import replace

import pytest
from made_records import failed, record

from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.report.board import Board


def entry(board, row, column):
    return next(found for found in board.rows if found.title == row).entries[column]


def test_mean_and_sample_standard_deviation_over_seeds():
    board = Board.of([record(score=score, seed=seed) for seed, score in enumerate((90.0, 92.0, 94.0))])
    found = entry(board, "bert", "films")
    assert found.scores == {0: 90.0, 1: 92.0, 2: 94.0}
    assert (found.mean, found.sd) == (92.0, 2.0)  # population sd would be 1.63
    assert found.train_seconds == 11.0 and found.peak_memory_bytes == 2**30 + 2
    assert found.metrics["macro_f1"] == 0.5 and "total" not in found.metrics
    assert board.columns[0].settings == {"total": "200"} and board.columns[0].metrics == ("macro_f1",)


def test_one_seed_has_no_standard_deviation():
    assert entry(Board.of([record()]), "bert", "films").sd is None


def test_only_rows_with_every_task_have_an_average_and_they_come_first():
    board = Board.of(
        [record("a", "low", 60.0), record("b", "low", 70.0), record("a", "high", 80.0), record("b", "high", 90.0),
         record("a", "half", 99.0)]
    )  # fmt: skip
    assert [(row.title, row.average) for row in board.rows] == [("high", 85.0), ("low", 65.0), ("half", None)]
    assert [row.best for row in board.rows] == [True, False, False]
    assert board.trivial_average == 50.0


def test_best_includes_ties_to_two_digits():
    scores = {"a": 90.001, "b": 90.004, "c": 89.99}
    board = Board.of([record(model=model, score=score) for model, score in scores.items()])
    assert {row.title for row in board.rows if row.entries["films"].best} == {"a", "b"}


def test_best_is_neither_a_single_seed_among_more_nor_the_only_score():
    whole = [record(model="a", score=80.0, seed=seed) for seed in range(2)]
    more = [record(model="b", score=70.0, seed=seed) for seed in range(2)]
    lucky = record(model="lucky", score=99.0)
    board = Board.of([*whole, *more, lucky])
    assert entry(board, "a", "films").best and not entry(board, "lucky", "films").best
    assert entry(board, "lucky", "films").flags == ("few-seeds",)
    assert not entry(Board.of(whole), "a", "films").best


def test_flags():
    board = Board.of(
        [
            record(model="at", score=50.0),
            record(model="above", score=50.5),
            record(model="constant", constant=True),
            record(model="cut", task_facts={"truncated": {"train": 0, "test": 11}}),
            record(model="hardly-cut", task_facts={"truncated": {"train": 600, "test": 10}}),
        ]
    )
    flags = {row.title: row.entries["films"].flags for row in board.rows}
    assert flags == {
        "at": ("trivial",),
        "above": (),
        "constant": ("failed-training", "constant"),
        "cut": ("truncated",),
        "hardly-cut": (),
    }


def test_best_must_beat_the_trivial_answer():
    board = Board.of([record(model="a", score=50.0), record(model="b", score=40.0)])
    assert not any(row.entries["films"].best for row in board.rows)
    tasks = [record(task, model, score) for task, score in (("a", 10.0), ("b", 60.0)) for model in ("x", "y")]
    assert not any(row.best for row in Board.of(tasks).rows)


def test_failed_seeds_are_counted_and_listed():
    board = Board.of([record(seed=0), failed(seed=1), failed(model="gpt2")])
    assert entry(board, "bert", "films").failed == (1,) and entry(board, "bert", "films").mean == 90.0
    assert entry(board, "gpt2", "films").mean is None
    assert [(failure.type, failure.message) for failure in board.failures] == [("RuntimeError", "out of memory")] * 2
    assert board.columns[0].rows == {"train": 600, "validation": 200, "test": 200}


def test_score_that_is_not_a_number_is_a_failure():
    board = Board.of([record(score=float("nan")), record(seed=1)])
    assert entry(board, "bert", "films").mean == 90.0 and len(board.failures) == 1


@pytest.mark.parametrize(
    ("change", "titles"),
    [
        ({"task_facts": {"version": 2}}, ["films (v1)", "films (v2)"]),
        ({"protocol": 2}, ["films (protocol 1)", "films (protocol 2)"]),
        (
            {"task_facts": {"fingerprint": "fedcba9876543210"}},
            ["films (data 0123456789ab)", "films (data fedcba987654)"],
        ),
        ({"task_facts": {"version": 2, "fingerprint": "fedcba9876543210"}}, ["films (v1)", "films (v2)"]),
        ({"task_facts": {"adapter": 2}}, ["films (adapter None)", "films (adapter 2)"]),
    ],
)
def test_different_tasks_with_the_same_name_are_separate_columns(change, titles):
    board = Board.of([record(score=90.0), record(score=10.0, seed=1, **change)])
    assert sorted(column.title for column in board.columns) == sorted(titles)
    assert sorted(found.mean for found in board.rows[0].entries.values()) == [10.0, 90.0]
    assert any("films" in note for note in board.notes) and board.rows[0].average == 50.0


def test_facts_that_do_not_change_the_data_do_not_split_a_task():
    moved = record(seed=1, task_facts={"source": "csv: renamed.csv", "revision": "main"}, suite="other")
    board = Board.of([record(), moved])
    assert [column.title for column in board.columns] == ["films"]
    assert board.suites == ("other", "own") and any("several suites" in note for note in board.notes)


def test_different_recipes_are_not_averaged():
    fast = {"learning_rate": 1e-3}
    records = [record(task, seed=seed) for task in ("a", "b") for seed in (0, 1)]
    board = Board.of([*records, record("a", score=10.0, recipe=fast), record("b", score=20.0, seed=5, recipe=fast)])
    assert [(row.title, row.average) for row in board.rows] == [("bert (recipe 1)", 90.0), ("bert (recipe 2)", 15.0)]
    assert any("recipe 1: learning_rate 3e-05; recipe 2: learning_rate 0.001" in note for note in board.notes)
    assert sum("--set recipe.learning_rate=0.001" in command for command in board.commands) == 1


def test_recipes_that_differ_only_by_task_or_in_mechanics_share_a_row():
    board = Board.of(
        [record("a"), record("b", recipe={"epochs": 9}), record("a", seed=1, recipe={"micro_batch_size": 8})]
    )
    assert [row.title for row in board.rows] == ["bert"] and not board.notes


def test_models_with_the_same_name_and_different_weights_are_two_rows():
    board = Board.of([record(score=80.0), record(seed=1, model_facts={"digest": "other-weights"}, score=90.0)])
    assert [row.title for row in board.rows] == ["bert (weights other-weight)", "bert (weights d-bert)"]


def test_newest_of_two_records_of_a_seed_counts():
    old = record(score=10.0, id="old", finished="2026-01-01T00:00:00Z")
    new = record(score=90.0, id="new", finished="2026-01-03T00:00:00Z")
    board = Board.of([new, old])
    assert entry(board, "bert", "films").scores == {0: 90.0}
    assert board.cells == 1 and "old" in board.notes[0]


def test_gain_of_pretraining_is_paired_by_seed():
    records = [record(score=score, seed=seed) for seed, score in enumerate((90.0, 94.0, 10.0))]
    records += [record(score=score, seed=seed, method="scratch") for seed, score in enumerate((80.0, 80.0))]
    (gain,) = Board.of(records).gains
    assert (gain.mean, gain.seeds) == (12.0, (0, 1)) and gain.sd == pytest.approx(8**0.5)
    assert not Board.of(records[:3]).gains


def test_recipe_names_the_owners_of_each_value():
    decoder = {"architecture": "decoder"}
    records = [record(), record(model="gpt2"), record(model="llama", recipe={"epochs": 5})]
    records[1]["model"].update(decoder)
    records[2]["model"].update(decoder)
    assert Board.of(records[::2]).columns[0].recipe["epochs"] == ((3, ("encoder",)), (5, ("decoder",)))
    assert Board.of(records).columns[0].recipe["epochs"] == ((3, ("bert", "gpt2")), (5, ("llama",)))
    assert Board.of(records).columns[0].recipe["batch_size"] == ((32, ()),)


def test_order_of_records_does_not_matter():
    records = [record(task, model, 50.0 + seed, seed) for task in "cab" for model in ("x", "y") for seed in range(3)]
    board = Board.of(records)
    random.Random(1).shuffle(records)
    assert Board.of(records) == board
    assert [column.title for column in board.columns] == ["a", "b", "c"]


@pytest.mark.parametrize(("seeds", "told"), [((0, 1, 2), "3"), ((1, 5), "1,5"), ((0,), "1"), ((2,), "2,")])
def test_command(seeds, told):
    records = [record("films@100", seed=seed, model_facts={"source": "./bert"}) for seed in seeds]
    assert Board.of(records).commands == (
        f"bench run --suite own --models ./bert --tasks films --methods full --seeds {told} --limit 100",
    )


def test_different_environments_are_noted():
    board = Board.of([record(), record(seed=1), record(seed=2, environment={"threads": 9})])
    assert [found.cells for found in board.environments] == [2, 1]
    assert any("2 different environments" in note for note in board.notes)


NEW = {
    "split_rule": "60/20/20 of all rows, seed 42", "rows_without_limit": {"train": 6000, "validation": 2000, "test": 2000},
    "limit": None, "warnings": ["7 texts occur with more than one label"],
}  # fmt: skip


def test_records_with_and_without_newer_facts_share_a_column():
    board = Board.of([record(score=90.0), record(score=92.0, seed=1, task_facts=NEW)])
    (column,) = board.columns
    assert column.title == "films" and column.seeds == (0, 1)
    assert column.split_rule == NEW["split_rule"] and column.warnings == tuple(NEW["warnings"])
    assert column.rows_without_limit == {}  # there was no limit


def test_share_of_truncated_rows():
    cut = {**NEW, "truncated": {"train": 0, "test": 25}}
    board = Board.of(
        [
            record(task_facts=cut),
            record(model="whole", task_facts=NEW),
            record("old", task_facts={"truncated": {"test": 9}}),
        ]
    )
    films, old = board.columns
    assert films.truncated == {"bert": 0.125} and old.truncated == {}


def test_new_version_of_a_task_is_another_cell_and_column():
    (cell,) = make_plan(Request(["bert-mini"], ["mini-ner"])).cells
    later = replace(cell, task=replace(cell.task, version=cell.task.version + 1))
    adapter = replace(cell, family_version=cell.family_version + 1)
    assert len({cell.id, later.id, adapter.id}) == 3
    board = Board.of([{**record(), **one.facts()} for one in (cell, later, adapter)])
    assert len(board.columns) == 3 and any("not the same in all records" in note for note in board.notes)
