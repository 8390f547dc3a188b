"""Searchers as functions of the records of finished trials: the trials that they propose, and the winners."""

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
from harness.search.search_space import Range, usual_space
from harness.search.searchers import STARTUP, WARMUP, GridSearcher, OptunaSearcher, pruning_thresholds
from harness.search.trials import make_trial, validations

optuna.logging.set_verbosity(optuna.logging.WARNING)
GRID = {"learning_rate": (1e-5, 3e-5), "batch_size": (16, 32)}
SPACE = {"learning_rate": Range(1e-6, 1e-3, log=True), "batch_size": (16, 32), "epochs": Range(1, 8)}


def changes(state):
    return [dict(cell.search.changes) for cell in state.cells]


def run(searcher, make):
    """Run a search to its end. Return the records and the final state."""
    records = {}
    while pending := (state := searcher.state(records.get)).pending:
        records |= {cell.id: make(cell) for cell in pending}
    return records, state


def curve(cell):
    """Validations that depend on the recipe alone, best at a rate of 1e-4."""
    import math

    best = 90 - 10 * abs(math.log10(cell.recipe.learning_rate) + 4) - cell.recipe.batch_size / 16
    return made.record(cell, [best - 20, best - 8, best, best - 1])


def test_a_grid_has_every_combination_in_one_round():
    base = made.cell(seed=7, weight_decay=0.5)
    state = GridSearcher(base, GRID).state({}.get)
    assert changes(state) == [
        {"learning_rate": 1e-5, "batch_size": 16}, {"learning_rate": 1e-5, "batch_size": 32},
        {"learning_rate": 3e-5, "batch_size": 16}, {"learning_rate": 3e-5, "batch_size": 32},
    ]  # fmt: skip
    assert len(state.pending) == 4 and not state.later and not state.finished and state.winner is None
    for cell in state.cells:
        assert cell.seed == SEARCH_SEED and cell.is_trial and cell.recipe.weight_decay == 0.5
        assert cell.recipe == base.recipe.updated(cell.search.changes)


def test_only_the_validation_decides():
    """A trial has no test score; if one had, it would not count."""
    grid, values = GridSearcher(made.cell(), GRID), iter([(60.0, 99.0), (80.0, 1.0), (70.0, 98.0), (79.9, 100.0)])

    def misleading(cell):
        validation, test = next(values)
        return made.record(cell, [validation, 10.0], score=test, metrics={"test": {"accuracy": test / 100}})

    _, state = run(grid, misleading)
    assert state.winner == 1 and state.finished


def test_the_first_of_equal_ones_wins_and_failed_ones_never():
    grid = GridSearcher(made.cell(), GRID)
    ends = [made.failed, lambda cell: made.record(cell, [70.0]), lambda cell: made.record(cell, [70.0]),
            lambda cell: made.record(cell, [float("nan")])]  # fmt: skip
    _, state = run(grid, lambda cell: ends[grid.cells.index(cell)](cell))
    assert state.winner == 1
    _, state = run(grid, made.failed)
    assert state.finished and state.winner is None


def test_a_pruned_trial_cannot_win():
    grid = GridSearcher(made.cell(), GRID)
    _, state = run(
        grid, lambda cell: {**made.record(cell, [70.0]), "trial": {"value": 99.0, "pruned": cell is grid.cells[0]}}
    )
    assert state.winner == 1


def test_equal_records_give_equal_trials():
    whole, state = run(OptunaSearcher(made.cell(), SPACE, 14), curve)
    again, same = run(OptunaSearcher(made.cell(), SPACE, 14), curve)
    assert list(whole) == list(again) and len(whole) == 14 and state.winner == same.winner
    for number in range(14):
        known = dict(list(whole.items())[:number])
        half = OptunaSearcher(made.cell(), SPACE, 14).state(known.get)
        assert [cell.id for cell in half.cells] == list(whole)[: number + 1]
        assert half.pending == [half.cells[-1]] and half.later == 13 - number


def test_results_decide_the_next_trials():
    _, state = run(OptunaSearcher(made.cell(), SPACE, 14), curve)

    def other(cell):
        return made.record(cell, [100 - one for one in validations(curve(cell))])

    _, turned = run(OptunaSearcher(made.cell(), SPACE, 14), other)
    assert changes(state)[0] == changes(turned)[0] and changes(state)[-1] != changes(turned)[-1]
    _, failing = run(
        OptunaSearcher(made.cell(), SPACE, 14), lambda cell: made.failed(cell) if cell.recipe.batch_size == 16 else curve(cell)
    )
    assert failing.finished and failing.cells[failing.winner].recipe.batch_size == 32


def test_optuna_draws_within_the_space_and_models_start_with_equal_candidates():
    _, state = run(OptunaSearcher(made.cell(), SPACE, 14), curve)
    for one in changes(state):
        assert 1e-6 <= one["learning_rate"] <= 1e-3 and one["batch_size"] in (16, 32) and 1 <= one["epochs"] <= 8
        assert float(f"{one['learning_rate']:.3g}") == one["learning_rate"] and isinstance(one["epochs"], int)
    _, other = run(OptunaSearcher(made.cell("gpt2"), SPACE, 5), curve)
    assert changes(other) == changes(state)[:5]
    assert {cell.id for cell in other.cells}.isdisjoint(cell.id for cell in state.cells)


def test_the_usual_space_is_around_the_recipes_own_rate():
    space = usual_space(made.cell(learning_rate=3e-4).recipe)
    assert space == {"learning_rate": Range(6e-5, 1.5e-3, log=True), "batch_size": (16, 32)}


def test_trials_are_pruned_after_the_startup_trials():
    records, state = run(OptunaSearcher(made.cell(), SPACE, 14), curve)
    pruned = [record["trial"]["pruned"] for record in records.values()]
    assert not any(pruned[:STARTUP]) and any(pruned)
    assert all(cell.search.thresholds == () for cell in state.cells[:STARTUP])
    later = state.cells[STARTUP].search.thresholds
    assert len(later) == 4 and later[:WARMUP] == (None,) * WARMUP and None not in later[WARMUP:]


def test_thresholds_agree_with_optunas_pruner():
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
        limits, one, best = pruning_thresholds(whole), study.ask(), 0.0
        for step in range(5):
            score = float(numbers.randint(0, 20))
            one.report(score, step)
            best = max(best, score)
            ours = step < len(limits) and limits[step] is not None and best < limits[step]
            assert one.should_prune() == ours
            asked += ours
    assert asked > 20


def test_trials_have_their_own_ids():
    base = made.cell()
    plain = make_trial(base, {"learning_rate": 1e-4})
    same = replace(base, recipe=plain.recipe, seed=SEARCH_SEED)
    strict = make_trial(base, {"learning_rate": 1e-4}, [None, 50.0])
    assert len({plain.id, same.id, strict.id}) == 3
    assert replace(plain, search=Trial((), {"learning_rate": 1e-4, "epochs": 3})).id == plain.id
    assert "--search--s" in plain.id and plain.facts()["purpose"] == "search" and "purpose" not in same.facts()


@pytest.mark.parametrize("value", [1e-4, 5])
def test_a_trial_of_another_seed_of_the_plan_is_the_same_trial(value):
    field = "learning_rate" if isinstance(value, float) else "epochs"
    assert make_trial(made.cell(seed=0), {field: value}).id == make_trial(made.cell(seed=5), {field: value}).id


def test_the_id_of_a_cell_without_search_is_unchanged():
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


def test_trials_give_no_estimates_for_cells_with_a_test():
    base = made.cell()
    state = make_trial(base, {"learning_rate": 1e-4})
    same, record = replace(base, recipe=state.recipe), made.record(state)
    assert same_but_seed(record, state) and not same_but_seed(record, same)
    del record["purpose"]
    assert same_but_seed(record, same) and not same_but_seed(record, state)
