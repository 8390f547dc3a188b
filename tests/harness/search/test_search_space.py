"""The section `search` of a suite: rules with conditions, checked when the suite is read."""

import made_trials as made
import pytest

from harness.errors import BenchError
from harness.planning.suite import load_suite
from harness.search.search_space import Range, space_for

SUITE = """
name: own
search:
  grid:
    - {learning_rate: [2.0e-5, 5e-5], batch_size: [16, 32]}
    - {when: {task: films}, batch_size: [8, 16]}
    - {when: {architecture: decoder}, learning_rate: [1.0e-4, 2.0e-4]}
    - {when: {method: frozen}, learning_rate: [1.0e-3, 1.0e-2]}
  optuna:
    - {learning_rate: {low: 1e-5, high: 1.0e-4, log: true}, epochs: {low: 2, high: 4}, batch_size: [16, 32]}
"""


@pytest.fixture
def read(tmp_path):
    def suite(text):
        (tmp_path / "own.yaml").write_text(text)
        return load_suite(str(tmp_path / "own.yaml"))

    return suite


def test_later_rules_override_earlier_ones_by_field(read):
    grid = read(SUITE).search["grid"]
    assert space_for(grid, made.cell(task="films")) == {"learning_rate": (2e-5, 5e-5), "batch_size": (8, 16)}
    assert space_for(grid, made.cell(task="news")) == {"learning_rate": (2e-5, 5e-5), "batch_size": (16, 32)}


def test_general_rates_are_multiplied_by_the_methods_factor(read):
    suite = read(SUITE)
    assert space_for(suite.search["grid"], made.cell(method="lora"))["learning_rate"] == (2e-4, 5e-4)
    assert space_for(suite.search["grid"], made.cell(method="frozen"))["learning_rate"] == (1e-3, 1e-2)
    space = space_for(suite.search["optuna"], made.cell(method="lora"))
    assert space == {"learning_rate": Range(1e-4, 1e-3, log=True), "epochs": Range(2, 4), "batch_size": (16, 32)}


def test_short_names_of_fields_are_accepted(read):
    suite = read("recipes: [{lr: 1.0e-4, bs: 8}]\nsearch: {grid: [{lr: [1.0e-4, 2.0e-4], warmup: [0.0, 0.1]}]}\n")
    assert suite.recipes == ({"learning_rate": 1e-4, "batch_size": 8},)
    assert space_for(suite.search["grid"], made.cell(method="lora")) == {
        "learning_rate": (1e-3, 2e-3), "warmup_ratio": (0.0, 0.1),
    }  # fmt: skip
    with pytest.raises(BenchError, match=r"own.yaml:1: recipes: lr and learning_rate are the same field"):
        read("recipes: [{lr: 1.0e-4, learning_rate: 2.0e-4}]\n")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{grit: []}", "search: unknown key 'grit'; did you mean 'grid'"),
        ("3", "search is 3; it must be a mapping"),
        ("{grid: {learning_rate: [1, 2]}}", "search.grid is a mapping; it must be a list of rules"),
        ("{grid: [{rate: [1, 2]}]}", "search.grid.rate: unknown field to search 'rate'"),
        ("{grid: [{when: {arch: x}, epochs: [1, 2]}]}", "unknown condition 'arch'; did you mean 'architecture'"),
        ("{grid: [{epochs: [1, 1]}]}", "epochs must be a list of different values"),
        ("{grid: [{epochs: 3}]}", "epochs is 3; it must be a list of values"),
        ("{grid: [{epochs: [a]}]}", "recipe.epochs is 'a'; it must be a whole number"),
        ("{grid: [{epochs: {low: 1, high: 2}}]}", "epochs is a range, of which a grid has no values"),
        ("{optuna: [{epochs: {low: 4, high: 2}}]}", "low must be a number below high"),
        ("{optuna: [{epochs: {from: 1, to: 2}}]}", "a range has low, high"),
        ("{optuna: [{warmup_ratio: {low: 0, high: 0.2, log: true}}]}", "above 0 with log"),
    ],
)
def test_errors_name_their_place(read, section, message):
    with pytest.raises(BenchError) as raised:
        read(f"search: {section}\n")
    assert message in str(raised.value) and "own.yaml" in str(raised.value) and "\n" not in str(raised.value)


def test_every_model_of_the_standard_suite_has_six_trials_on_each_task():
    """The same budget for all, whatever their papers' grids are."""
    from dataclasses import replace
    from itertools import product

    from harness.models.zoo import MODELS
    from harness.search.searchers import GridSearcher

    suite = load_suite("standard")
    for task, model, method in product(suite.tasks, MODELS, ("full", "lora", "frozen", "scratch")):
        cell = made.cell(model.name, method=method)
        cell = replace(cell, task=task, model=replace(cell.model, architecture=model.architecture, kind=model.kind))
        assert GridSearcher(cell, space_for(suite.search["grid"], cell)).trials == 6, (task.name, model.name)
