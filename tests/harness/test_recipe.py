import pytest

from harness.errors import BenchError
from harness.recipe import FIELD_TYPES, SHORT_NAMES, Recipe, full_name, full_names, trained_recipe


def test_values_are_brought_to_their_type():
    recipe = Recipe().updated({"learning_rate": "3e-5", "epochs": "2", "max_steps": "none"})
    assert (recipe.learning_rate, recipe.epochs, recipe.max_steps) == (3e-5, 2, None)
    assert Recipe().updated({"max_steps": "7"}).max_steps == 7


def test_a_short_name_is_that_of_one_field():
    assert set(SHORT_NAMES.values()) <= set(FIELD_TYPES) and not set(SHORT_NAMES) & set(FIELD_TYPES) and len(set(SHORT_NAMES.values())) == len(SHORT_NAMES)
    with pytest.raises(BenchError, match=r"mine.yaml: recipes: 'lr' is not a rule"):
        full_names("lr", "mine.yaml: recipes")
    names = ("lr", "recipe.lr", " learning_rate", "recipe.learning_rate")
    assert {full_name(name, "") for name in names} == {"learning_rate"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rat": 1}, "unknown recipe field 'learning_rat'; did you mean 'learning_rate'"),
        ({"epochs": "two"}, "recipe.epochs is 'two'; it must be a whole number"),
        ({"epochs": 1.5}, "recipe.epochs is 1.5"),
        ({"epochs": 0}, "1 or more"),
        ({"learning_rate": 0}, "above 0"),
        ({"precision": "fp16"}, "valid: auto, fp32, bf16"),
        ({"lora_targets": "q"}, "valid: usual, all"),
        ({"lora_rank": 0}, "recipe.lora_rank is 0; it must be 1 or more"),
        ({"lora_dropout": 1}, "below 1"),
    ],
)
def test_wrong_values_are_named(values, words):
    with pytest.raises(BenchError, match=words):
        Recipe().updated(values)


def test_auto_is_a_value_of_the_fields_that_may_follow_from_the_data_alone():
    assert Recipe().updated({"epochs": "auto", "max_length": "auto"}).epochs == "auto"
    with pytest.raises(BenchError, match=r"recipe.learning_rate is 'auto'; it must be a number"):
        Recipe().updated({"learning_rate": "auto"})


def test_a_record_tells_what_it_was_trained_by():
    record = {"recipe": {"epochs": "auto", "learning_rate": 1e-4}, "fitted": {"epochs": {"value": 8, "why": "500 training rows"}}}
    assert trained_recipe(record) == {"epochs": 8, "learning_rate": 1e-4}
    assert trained_recipe({"recipe": {"epochs": 5}}) == {"epochs": 5}
