"""Searchers are functions of the records of finished trials: what they propose, and who wins."""

import hashlib
import json
import random
from dataclasses import replace

import made_trials as made
import optuna
import pytest

from harness.cell import SEARCH_SEED, Trial
from harness.estimate.history import same_but_seed
from harness.recipe import MECHANICS
from harness.search.grid_search import GridSearcher
from harness.search.halving import STARTUP, WARMUP, thresholds
from harness.search.rules import Range, usual_space
from harness.search.tpe import Tpe
from harness.search.trials import scores, trial

optuna.logging.set_verbosity(optuna.logging.WARNING)
GRID = {"learning_rate": (1e-5, 3e-5), "batch_size": (16, 32)}
SPACE = {"learning_rate": Range(1e-6, 1e-3, log=True), "batch_size": (16, 32), "epochs": Range(1, 8)}


def changes(tried):
    return [dict(cell.search.changes) for cell in tried.cells]


def run(searcher, make):
    """Run a search to its end: the records, and how it stood at last."""
    records = {}
    while pending := (tried := searcher.tried(records.get)).pending:
        records |= {cell.id: make(cell) for cell in pending}
    return records, tried


def curve(cell):
    """Validations that depend on the recipe alone, best at a rate of 1e-4."""
    import math

    best = 90 - 10 * abs(math.log10(cell.recipe.learning_rate) + 4) - cell.recipe.batch_size / 16
    return made.record(cell, [best - 20, best - 8, best, best - 1])


def test_a_grid_is_every_combination_at_once_the_first_field_slowest():
    base = made.cell(seed=7, weight_decay=0.5)
    tried = GridSearcher(base, GRID).tried({}.get)
    assert changes(tried) == [
        {"learning_rate": 1e-5, "batch_size": 16}, {"learning_rate": 1e-5, "batch_size": 32},
        {"learning_rate": 3e-5, "batch_size": 16}, {"learning_rate": 3e-5, "batch_size": 32},
    ]  # fmt: skip
    assert len(tried.pending) == 4 and not tried.left and not tried.ended and tried.winner is None
    for cell in tried.cells:
        assert cell.seed == SEARCH_SEED and cell.is_trial and cell.recipe.weight_decay == 0.5
        assert cell.recipe == base.recipe.updated(cell.search.changes)


def test_the_highest_validation_wins_whatever_else_the_records_say():
    """A trial has no test score; if one had, it would not count."""
    grid, values = GridSearcher(made.cell(), GRID), iter([(60.0, 99.0), (80.0, 1.0), (70.0, 98.0), (79.9, 100.0)])

    def misleading(cell):
        validation, test = next(values)
        return made.record(cell, [validation, 10.0], score=test, metrics={"test": {"accuracy": test / 100}})

    _, tried = run(grid, misleading)
    assert tried.winner == 1 and tried.ended


def test_of_equal_ones_the_first_wins_and_what_failed_never():
    grid = GridSearcher(made.cell(), GRID)
    ends = [made.failed, lambda cell: made.record(cell, [70.0]), lambda cell: made.record(cell, [70.0]),
            lambda cell: made.record(cell, [float("nan")])]  # fmt: skip
    _, tried = run(grid, lambda cell: ends[grid.cells.index(cell)](cell))
    assert tried.winner == 1
    _, tried = run(grid, made.failed)
    assert tried.ended and tried.winner is None


def test_a_pruned_trial_cannot_win():
    grid = GridSearcher(made.cell(), GRID)
    _, tried = run(
        grid, lambda cell: {**made.record(cell, [70.0]), "trial": {"value": 99.0, "pruned": cell is grid.cells[0]}}
    )
    assert tried.winner == 1


def test_equal_records_give_equal_trials_however_often_it_is_asked():
    whole, tried = run(Tpe(made.cell(), SPACE, 14), curve)
    again, same = run(Tpe(made.cell(), SPACE, 14), curve)
    assert list(whole) == list(again) and len(whole) == 14 and tried.winner == same.winner
    for number in range(14):
        known = dict(list(whole.items())[:number])
        half = Tpe(made.cell(), SPACE, 14).tried(known.get)
        assert [cell.id for cell in half.cells] == list(whole)[: number + 1]
        assert half.pending == [half.cells[-1]] and half.left == 13 - number


def test_what_trials_gave_decides_what_is_tried_next():
    _, tried = run(Tpe(made.cell(), SPACE, 14), curve)

    def other(cell):
        return made.record(cell, [100 - one for one in scores(curve(cell))])

    _, turned = run(Tpe(made.cell(), SPACE, 14), other)
    assert changes(tried)[0] == changes(turned)[0] and changes(tried)[-1] != changes(turned)[-1]
    _, failing = run(
        Tpe(made.cell(), SPACE, 14), lambda cell: made.failed(cell) if cell.recipe.batch_size == 16 else curve(cell)
    )
    assert failing.ended and failing.cells[failing.winner].recipe.batch_size == 32


def test_optuna_draws_within_the_space_and_models_begin_with_equal_candidates():
    _, tried = run(Tpe(made.cell(), SPACE, 14), curve)
    for one in changes(tried):
        assert 1e-6 <= one["learning_rate"] <= 1e-3 and one["batch_size"] in (16, 32) and 1 <= one["epochs"] <= 8
        assert float(f"{one['learning_rate']:.3g}") == one["learning_rate"] and isinstance(one["epochs"], int)
    _, other = run(Tpe(made.cell("gpt2"), SPACE, 5), curve)
    assert changes(other) == changes(tried)[:5]
    assert {cell.id for cell in other.cells}.isdisjoint(cell.id for cell in tried.cells)


def test_the_usual_space_is_around_the_recipes_own_rate():
    space = usual_space(made.cell(learning_rate=3e-4).recipe)
    assert space == {"learning_rate": Range(6e-5, 1.5e-3, log=True), "batch_size": (16, 32)}


def test_trials_are_pruned_once_there_are_enough_to_compare_with():
    records, tried = run(Tpe(made.cell(), SPACE, 14), curve)
    pruned = [record["trial"]["pruned"] for record in records.values()]
    assert not any(pruned[:STARTUP]) and any(pruned)
    assert all(cell.search.thresholds == () for cell in tried.cells[:STARTUP])
    later = tried.cells[STARTUP].search.thresholds
    assert len(later) == 4 and later[:WARMUP] == (None,) * WARMUP and None not in later[WARMUP:]


def test_the_thresholds_are_those_of_optunas_own_pruner():
    numbers = random.Random(5)
    asked = 0
    for _ in range(40):
        study = optuna.create_study(
            direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=WARMUP)
        )
        whole = []
        for _ in range(numbers.randint(3, 9)):
            curve = [float(numbers.randint(0, 20)) for _ in range(numbers.randint(1, 5))]
            one = study.ask()
            for step, score in enumerate(curve):
                one.report(score, step)
            study.tell(one, max(curve))
            whole.append(curve)
        limits, one, best = thresholds(whole), study.ask(), 0.0
        for step in range(5):
            score = float(numbers.randint(0, 20))
            one.report(score, step)
            best = max(best, score)
            ours = step < len(limits) and limits[step] is not None and best < limits[step]
            assert one.should_prune() == ours
            asked += ours
    assert asked > 20


def test_trials_have_ids_of_their_own():
    base = made.cell()
    plain = trial(base, {"learning_rate": 1e-4})
    same = replace(base, recipe=plain.recipe, seed=SEARCH_SEED)
    strict = trial(base, {"learning_rate": 1e-4}, [None, 50.0])
    assert len({plain.id, same.id, strict.id}) == 3
    assert replace(plain, search=Trial((), {"learning_rate": 1e-4, "epochs": 3})).id == plain.id
    assert "--search--s" in plain.id and plain.facts()["purpose"] == "search" and "purpose" not in same.facts()


@pytest.mark.parametrize("value", [1e-4, 5])
def test_a_trial_of_another_seed_of_the_plan_is_the_same_trial(value):
    field = "learning_rate" if isinstance(value, float) else "epochs"
    assert trial(made.cell(seed=0), {field: value}).id == trial(made.cell(seed=5), {field: value}).id


def test_a_cell_without_a_search_has_the_id_that_it_always_had():
    """Its identity has no key for what there was not."""
    cell = made.cell()
    facts = cell.facts()
    identity = {
        "protocol": facts["protocol"], "model": cell.model.identity(), "method": "full", "seed": 0,
        "task": {**cell.task.identity(), "fingerprint": "f1", "family_version": 1},
        "recipe": {name: value for name, value in cell.settings().items() if name not in MECHANICS},
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    assert cell.id == f"films--bert--full--s0--{digest[:12]}" and not {"search", "purpose", "trial"} & set(facts)


def test_what_a_trial_took_tells_nothing_of_a_cell_that_is_tested_too():
    base = made.cell()
    tried = trial(base, {"learning_rate": 1e-4})
    same, record = replace(base, recipe=tried.recipe), made.record(tried)
    assert same_but_seed(record, tried) and not same_but_seed(record, same)
    del record["purpose"]
    assert same_but_seed(record, same) and not same_but_seed(record, tried)
