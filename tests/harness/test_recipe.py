import pytest

from harness.errors import BenchError
from harness.recipe import Recipe, apply_rules

FACTS = {"family": "ner", "task": "t", "model": "m", "architecture": "encoder", "method": "full"}


def test_values_are_brought_to_their_type():
    recipe = Recipe().updated({"learning_rate": "3e-5", "epochs": "2", "max_steps": "none"})
    assert (recipe.learning_rate, recipe.epochs, recipe.max_steps) == (3e-5, 2, None)
    assert Recipe().updated({"max_steps": "7"}).max_steps == 7


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rat": 1}, "unknown recipe field 'learning_rat'; did you mean 'learning_rate'"),
        ({"epochs": "two"}, "recipe.epochs is 'two'; it must be int"),
        ({"epochs": 1.5}, "recipe.epochs is 1.5"),
        ({"epochs": 0}, "1 or more"),
        ({"learning_rate": 0}, "above 0"),
        ({"precision": "fp16"}, "valid: auto, fp32, bf16"),
    ],
)
def test_wrong_values_are_named(values, words):
    with pytest.raises(BenchError, match=words):
        Recipe().updated(values)


def test_later_rules_win_where_all_conditions_hold():
    rules = [
        {"learning_rate": 1e-3, "epochs": 5},
        {"when": {"family": ["ner", "qa"]}, "epochs": 7},
        {"when": {"family": "ner", "architecture": "decoder"}, "epochs": 9},
    ]
    assert apply_rules(rules, FACTS).epochs == 7
    assert apply_rules(rules, {**FACTS, "architecture": "decoder"}).epochs == 9
    assert apply_rules(rules, {**FACTS, "family": "sentiment"}) == Recipe(learning_rate=1e-3, epochs=5)


def test_unknown_condition_is_an_error():
    with pytest.raises(BenchError, match="unknown condition 'arch'"):
        apply_rules([{"when": {"arch": "encoder"}, "epochs": 1}], FACTS)
