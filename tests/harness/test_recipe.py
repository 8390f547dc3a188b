import pytest

from harness.errors import BenchError
from harness.methods import METHODS
from harness.recipe import HINTS, SHORT, Recipe, apply_rules, full_name, full_names

FACTS = {"family": "ner", "task": "t", "model": "m", "architecture": "encoder", "method": "full"}


def test_values_are_brought_to_their_type():
    recipe = Recipe().updated({"learning_rate": "3e-5", "epochs": "2", "max_steps": "none"})
    assert (recipe.learning_rate, recipe.epochs, recipe.max_steps) == (3e-5, 2, None)
    assert Recipe().updated({"max_steps": "7"}).max_steps == 7


def test_a_short_name_is_that_of_one_field():
    assert set(SHORT.values()) <= set(HINTS) and not set(SHORT) & set(HINTS) and len(set(SHORT.values())) == len(SHORT)
    with pytest.raises(BenchError, match="mine.yaml: recipes: 'lr' is not a rule"):
        full_names("lr", "mine.yaml: recipes")
    names = ("lr", "recipe.lr", " learning_rate", "recipe.learning_rate")
    assert {full_name(name, "") for name in names} == {"learning_rate"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rat": 1}, "unknown recipe field 'learning_rat'; did you mean 'learning_rate'"),
        ({"epochs": "two"}, "recipe.epochs is 'two'; it must be int"),
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


def test_a_learning_rate_for_all_weights_is_multiplied_for_methods_that_train_a_part():
    rules = [{"learning_rate": 3e-5}, {"when": {"architecture": "decoder"}, "learning_rate": 2e-5}]
    rates = {
        (method, architecture): apply_rules(
            rules, {**FACTS, "method": method, "architecture": architecture}
        ).learning_rate
        for method in ("full", "scratch", "lora", "frozen")
        for architecture in ("encoder", "decoder")
    }
    assert {rates["full", "encoder"], rates["scratch", "encoder"]} == {3e-5}
    assert rates["lora", "encoder"] == pytest.approx(METHODS["lora"].learning_rate_factor * 3e-5)
    assert rates["lora", "decoder"] == pytest.approx(METHODS["lora"].learning_rate_factor * 2e-5)
    assert rates["frozen", "encoder"] == pytest.approx(METHODS["frozen"].learning_rate_factor * 3e-5)


def test_a_learning_rate_for_the_method_is_taken_as_it_is():
    rules = [{"learning_rate": 3e-5}, {"when": {"method": ["lora", "frozen"]}, "learning_rate": 5e-4, "lora_rank": 4}]
    recipe = apply_rules(rules, {**FACTS, "method": "lora"})
    assert (recipe.learning_rate, recipe.lora_rank) == (5e-4, 4)
    assert apply_rules(rules, FACTS) == Recipe(learning_rate=3e-5)
    # A later rule that does not ask for the method means all weights again.
    rules.append({"when": {"family": "ner"}, "learning_rate": 1e-5})
    assert apply_rules(rules, {**FACTS, "method": "lora"}).learning_rate == pytest.approx(10 * 1e-5)
