"""`--search auto`: the trials that it proposes, given the records of earlier ones."""

import math

import made_trials as made
import pytest

from harness.estimate.history import same_but_seed
from harness.recipe import Recipe
from harness.recipe_rules import planned_steps
from harness.search.searchers import BUDGET, FACTORS, HalvingSearcher
from harness.search.trials import make_trial

RATE = 9e-5  # of the recipe


def asked(state):
    """Factor and budget of each trial."""
    return [(round(cell.recipe.learning_rate / RATE, 3), cell.budget) for cell in state.cells]


def run(make, most=10):
    """Run a search to its end. Return the numbers of trials in each round, the records, and the final state."""
    searcher, records, rounds = HalvingSearcher(made.cell(learning_rate=RATE, weight_decay=0.5)), {}, []
    while pending := (state := searcher.state(records.get)).pending:
        assert len(rounds) < most and state.round in (len(rounds) + 1, 2) and not state.finished
        rounds.append(len(pending))
        records |= {cell.id: make(cell) for cell in pending}
    assert state.finished
    return rounds, records, state


def best_at(factor, whole=None):
    """Trials whose best rate is `factor` times the recipe's, and `whole` times for whole trainings."""

    def make(cell):
        best = factor if cell.budget < 1 or whole is None else whole
        away = abs(math.log(cell.recipe.learning_rate / RATE / best, 3))
        return made.record(cell, [90 - 10 * away - (cell.budget < 1)])

    return make


def test_five_rates_get_a_third_of_the_steps_and_the_best_two_all():
    rounds, _, state = run(best_at(2.5))
    assert asked(state)[:5] == [(1, BUDGET), (3, BUDGET), (0.333, BUDGET), (9, BUDGET), (0.111, BUDGET)]
    assert asked(state)[5:] == [(3, 1), (1, 1)] and rounds == [5, 2] and state.winner == 5
    assert all(cell.is_trial and cell.recipe.weight_decay == 0.5 for cell in state.cells)


def test_the_best_whole_training_wins():
    """Whatever the short ones had: they are another training."""
    _, _, state = run(
        lambda cell: made.record(cell, [99.0 if cell.budget < 1 else 50 + 1e5 * cell.recipe.learning_rate])
    )
    assert asked(state)[state.winner] == (3, 1) and asked(state)[5:] == [(1, 1), (3, 1)]


@pytest.mark.parametrize(("edge", "beyond"), [(9, 27), (1 / 9, 1 / 27)])
def test_the_next_rate_beyond_the_best_edge_gets_a_whole_training(edge, beyond):
    rounds, _, state = run(best_at(edge))
    assert rounds == [5, 2, 1] and asked(state)[7:] == [(round(beyond, 3), 1)]
    assert asked(state)[state.winner] == (round(edge, 3), 1)
    _, _, state = run(best_at(beyond))
    assert asked(state)[state.winner] == (round(beyond, 3), 1) and len(state.cells) == 8  # once, not for ever
    rounds, _, state = run(best_at(edge, whole=1))
    assert rounds == [5, 2] and abs(math.log(asked(state)[state.winner][0], 3)) == pytest.approx(1, abs=1e-2)


def test_the_recipes_own_rate_is_first_of_equal_ones():
    _, _, state = run(lambda cell: made.record(cell, [50.0]))
    assert asked(state)[5:] == [(1, 1), (3, 1)] and asked(state)[state.winner] == (1, 1)


def test_failed_trials_are_replaced_by_the_next_best_and_never_win():
    def make(cell):
        factor = cell.recipe.learning_rate / RATE
        return made.failed(cell) if factor > (5 if cell.budget < 1 else 2) else best_at(9)(cell)

    _, _, state = run(make)  # 9 fails at once, 3 in its whole training
    assert asked(state)[5:] == [(3, 1), (1, 1), (0.333, 1)] and asked(state)[state.winner] == (1, 1)
    found = state.outcome()
    assert [one["status"] for one in found["trials"]] == ["ok"] * 3 + ["failed", "ok", "failed", "ok", "ok"]
    assert [one.get("budget") for one in found["trials"]] == [BUDGET] * 5 + [None] * 3 and found["winner"] == 6


def test_without_a_successful_trial_there_is_no_winner():
    rounds, _, state = run(made.failed)
    assert rounds == [5] and state.winner is None
    rounds, _, state = run(lambda cell: made.failed(cell) if cell.budget == 1 else best_at(1)(cell))
    assert rounds == [5, 2, 2, 1] and len(state.cells) == 10 and state.winner is None
    rounds, _, state = run(lambda cell: best_at(1)(cell) if cell.recipe.learning_rate == RATE else made.failed(cell))
    assert rounds == [5, 1] and state.winner == 5


def test_equal_records_give_equal_trials():
    _, records, whole = run(best_at(9))
    for number in range(len(records)):
        known = dict(list(records.items())[:number])
        half = HalvingSearcher(made.cell(learning_rate=RATE, weight_decay=0.5, seed=3)).state(known.get)
        assert [cell.id for cell in half.cells] == [cell.id for cell in whole.cells][: len(half.cells)]
        assert [record is not None for record in half.records] == [cell.id in known for cell in half.cells]
        assert not half.finished and half.pending and half.later == (2 if number < 5 else 0)


def test_every_model_has_the_same_number_of_trials_around_its_own_rate():
    one = HalvingSearcher(made.cell("bert", learning_rate=3e-5))
    other = HalvingSearcher(made.cell("gpt2", method="lora", learning_rate=1e-3))
    assert one.trials == other.trials == len(FACTORS) + 2 == len(one.state({}.get).cells) + one.state({}.get).later
    assert one.specification["fields"]["learning_rate"] == [3.33e-6, 1e-5, 3e-5, 9e-5, 2.7e-4]


def test_the_budget_is_part_of_a_trials_identity():
    base = made.cell(learning_rate=RATE)
    whole, short = make_trial(base, {"learning_rate": RATE}), make_trial(base, {"learning_rate": RATE}, budget=BUDGET)
    assert whole.id != short.id and whole.recipe == short.recipe
    assert "budget" not in whole.facts()["trial"] and short.facts()["trial"]["budget"] == BUDGET
    assert same_but_seed(made.record(short), short) and not same_but_seed(made.record(short), whole)


@pytest.mark.parametrize(
    ("recipe", "whole", "short"),
    [
        ({"epochs": 3}, (30, 3), (10, 1)),
        ({"epochs": 5}, (50, 5), (17, 2)),
        ({"epochs": 5, "evaluations": 10}, (50, 10), (17, 3)),
        ({"epochs": 5, "max_steps": 20, "evaluations": 1}, (20, 1), (7, 1)),
        ({"max_steps": 1}, (1, 1), (1, 1)),
    ],
)
def test_a_budget_is_a_share_of_the_steps_and_of_the_validations(recipe, whole, short):
    recipe = Recipe(batch_size=32, **recipe)
    assert planned_steps(320, recipe) == whole and planned_steps(320, recipe, BUDGET) == short
