"""The rules that give a cell its recipe.

First the rules of the package, the task family and the suite apply (`apply_rules`). Fields that they leave `auto` get
their values from the training rows (`fill_auto_fields`): lengths that fit, and enough steps for few rows. That is the
same for every model and part of the protocol. It reads the number of training rows, and the lengths in tokens of
training and validation rows. It never reads test rows, so the same cell always gets the same values. Validation rows
count because training rows may be shorter: SST-2 trains on phrases, but validates and tests on sentences twice as long.
No torch is imported: estimates use this module too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.errors import unknown
from harness.methods import METHODS
from harness.recipe import (
    CONDITIONS,
    FIELD_NAMES,
    SHORT_NAMES,
    Recipe,
    auto_fields,
    full_names,
    rule_applies,
    scale_rate,
)
from harness.yaml_reader import describe_node
from harness.yaml_values import YamlValue

FILE = Path(__file__).with_name("recipes.yaml")
NOT_FIELDS = ("when", "width", "source")
# A rule's learning rate is for models of the width that the rule names. Adam's best rate falls with the width (Yang et
# al. 2021, "Tensor Programs V", section 4: as 1 / width). The power and the limits are our choice: they bring BERT's
# base rate near that of its large models and ELECTRA's to that of its small one. benchmarks/regret.py has tried only
# widths of 384 and 64.
WIDTH_POWER = 1.5
HIGHEST_RATE, LOWEST_RATE = 3e-3, 5e-6

SAMPLED_ROWS = 2000  # rows of a split whose tokens are counted, evenly spread
COVERAGE = 0.99  # share of the rows that fit into the length
LENGTH_MULTIPLE = 8
SHORTEST = 16  # tokens
BATCH_SIZES = ((100, 8), (2000, 16), (math.inf, 32))  # (rows below, batch size): few rows need more steps
# Few rows need more epochs, because small data sets lack steps (Mosbach et al. 2021; Zhang et al. 2021): about
# EPOCH_FACTOR / sqrt(rows), within these limits.
EPOCH_FACTOR, FEWEST_EPOCHS, MOST_EPOCHS = 320, 3, 20
MOST_EPOCHS_OF_ANY_FAMILY = 40  # of a family that needs several times as many
EVALUATIONS = (5, 10)  # minimum and maximum number of validations; one an epoch in between
TARGET_MARGIN = 1.25  # a generated text may be longer than those seen by this factor
SHORTEST_ANSWER = 30  # tokens


@cache
def package_rules() -> tuple[Mapping[str, Any], ...]:
    """Return the rules of `recipes.yaml`, which apply to every suite."""
    return tuple(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def rules_for(family: Sequence[Mapping[str, Any]], suite: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return all rules in order: the general one, those of the family, by kind of model, and of the suite."""
    general, *by_kind = package_rules()
    return [general, *family, *by_kind, *suite]


def apply_rules(rules: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> tuple[Recipe, str]:
    """Return the recipe of a cell with these facts, and the reason for its learning rate.

    A rule maps recipe fields to values. Later rules win. Its other keys are optional: `when` maps conditions
    (`CONDITIONS`) to one value or a list of values, all of which must hold; `source` says where the rule comes from;
    `width` is the width of the models that its learning rate is for, and narrower models get a higher rate. A learning
    rate from a rule without a condition on the method is for training all weights, and is multiplied by the method's
    factor.

    Args:
        facts: the values of `CONDITIONS`, and the model's `width` (None if unknown).

    Raises:
        BenchError: an unknown condition or field.
    """
    recipe, for_method, reason = Recipe(), False, ""
    for rule in rules:
        for key in rule.get("when") or {}:
            if key not in CONDITIONS:
                raise unknown("condition", key, CONDITIONS, where="recipe rule")
        if not rule_applies(rule, facts):
            continue
        changes = {key: value for key, value in rule.items() if key not in NOT_FIELDS}
        if "learning_rate" in rule:
            for_method = "method" in (rule.get("when") or {})
            changes["learning_rate"], reason = _learning_rate(rule, facts.get("width"))
        recipe = recipe.updated(changes)
    factor = METHODS[facts["method"]].learning_rate_factor
    if not for_method and factor != 1:
        reason = f"{reason}, times {factor:g} for {facts['method']}".removeprefix(", ")
        recipe = recipe.updated({"learning_rate": scale_rate(recipe.learning_rate, factor)})
    return recipe, reason


def _learning_rate(rule: Mapping[str, Any], width: int | None) -> tuple[Any, str]:
    """Return the learning rate that a rule gives a model of this width, and the reason."""
    rate, usual = rule["learning_rate"], rule.get("width")
    source = str(rule.get("source", ""))
    if not usual or not width or width == usual:
        return rate, source
    scaled = min(HIGHEST_RATE, max(LOWEST_RATE, float(rate) * (usual / width) ** WIDTH_POWER))
    reason = f"{source}: {float(rate):g} at a width of {usual:,}, this model's is {width:,}"
    return float(f"{scaled:.1e}"), reason.removeprefix(": ")


def parse_recipe_rules(value: YamlValue) -> tuple[Mapping[str, Any], ...]:
    """Parse the section `recipes` of a suite; mistakes become faults of its values."""

    def check(name: str, field: YamlValue) -> None:
        if name == "width":
            field.whole(least=1)
        elif name != "source":
            field.attempt(_check_field, name, field.plain())

    return parse_rules(value, "{when: {family: ner}, epochs: 5}", check)


def parse_rules(
    value: YamlValue, example: str, check: Callable[[str, YamlValue], object]
) -> tuple[Mapping[str, Any], ...]:
    """Parse a list of rules, with full field names; mistakes become faults of its values.

    Args:
        example: a rule, for messages.
        check: checks a field's name and value; `when` is already checked.
    """
    rules = []
    for rule in value.list(f"a list of rules, such as - {example}"):
        if rule.node.kind != "map":
            rule.fault(f"is {describe_node(rule.node)}; a rule maps fields to values, such as {example}")
            continue
        for name, field in rule.items():
            if name == "when":
                field.keys(CONDITIONS, "condition")
            else:
                check(name, field)
        rules.append(rule.attempt(full_names, rule.plain(), rule.name) or {})
    return tuple(rules)


def _check_field(name: str, value: Any) -> None:
    """Raise a `BenchError` if no recipe has this field or if the value is invalid."""
    if name not in FIELD_NAMES:
        raise unknown("recipe field", name, FIELD_NAMES)
    Recipe().updated({SHORT_NAMES.get(name, name): value})


@dataclass(frozen=True)
class LengthStatistics:
    """How long a task's examples are for a head.

    Attributes:
        rows: the number of training rows.
        tokens: for each split that was measured, recipe field → its length in tokens for each example.
        limit: the most tokens that the model can read at once, or None.
        windows: whether the head reads longer texts in overlapping windows instead of cutting them.
    """

    rows: int
    tokens: Sequence[Mapping[str, Sequence[int]]] = ()
    limit: int | None = None
    windows: bool = False


def fill_auto_fields(recipe: Recipe, lengths: LengthStatistics, passes: float = 1.0) -> tuple[Recipe, dict[str, str]]:
    """Return the recipe with a value for each `auto` field, and the reason for each.

    Args:
        passes: how many times as many epochs as a classifier the family needs on few rows (`TaskFamily.passes`).
    """
    values: dict[str, int] = {}
    reasons: dict[str, str] = {}

    def current(name: str) -> int:
        return values.get(name, getattr(recipe, name))

    auto = auto_fields(recipe)
    rows = max(1, lengths.rows)
    if "batch_size" in auto:
        values["batch_size"] = next(size for limit, size in BATCH_SIZES if rows < limit)
        reasons["batch_size"] = f"{rows:,} training rows"
    if "epochs" in auto:
        values["epochs"] = auto_epochs(rows, passes)
        reasons["epochs"] = f"{rows:,} training rows"
    steps = math.ceil(rows / current("batch_size")) * current("epochs")
    if "evaluations" in auto:
        fewest, most = EVALUATIONS
        values["evaluations"] = max(1, min(most, max(fewest, current("epochs")), steps))
        reasons["evaluations"] = f"{current('epochs')} epochs"
    if "patience" in auto:
        values["patience"] = max(3, (current("evaluations") or current("epochs")) // 2)
        reasons["patience"] = "half of the evaluations"
    for name in ("max_length", "max_target_length", "max_answer_length"):
        if name in auto:
            values[name], reasons[name] = _auto_length(name, lengths)
    if "doc_stride" in auto:
        values["doc_stride"] = current("max_length") // 4
        reasons["doc_stride"] = "a quarter of max_length"
    return recipe.updated(values), reasons


def fitted_fields(recipe: Recipe, reasons: Mapping[str, str], rate: str, precision: str) -> dict[str, Any]:
    """Return `fitted` of a record: field → its value and the reason for it.

    Args:
        recipe: without `auto` fields.
        reasons: the reason for each field that was `auto`.
        rate: the reason for the learning rate.
        precision: the precision of the training.
    """
    reasons = {"learning_rate": rate, **reasons}
    fitted = {name: {"value": getattr(recipe, name), "why": reason} for name, reason in reasons.items()}
    return {**fitted, "precision": {"value": precision, "why": "what the device computes fast"}}


def auto_epochs(rows: int, passes: float = 1.0) -> int:
    """Return the number of epochs for so many training rows: more for few rows, the minimum of every family for many."""
    most = min(MOST_EPOCHS_OF_ANY_FAMILY, round(MOST_EPOCHS * passes))
    return max(FEWEST_EPOCHS, min(most, round(passes * EPOCH_FACTOR / math.sqrt(rows))))


def _auto_length(name: str, lengths: LengthStatistics) -> tuple[int, str]:
    """Return a length in tokens that covers nearly all examples, and the reason."""
    splits = [sorted(tokens[name]) for tokens in lengths.tokens if tokens.get(name)]
    if not splits:
        return getattr(Recipe(), name), ""  # the head has no such length
    covered = max(tokens[math.ceil(COVERAGE * len(tokens)) - 1] for tokens in splits)
    if name == "max_answer_length":
        return max(SHORTEST_ANSWER, covered), f"{COVERAGE:.0%} of the answers have {covered} tokens or fewer"
    needed = covered * TARGET_MARGIN if name == "max_target_length" else covered
    needed = max(SHORTEST, math.ceil(needed / LENGTH_MULTIPLE) * LENGTH_MULTIPLE)
    if lengths.limit and needed > lengths.limit:
        longer = max(sum(length > lengths.limit for length in tokens) / len(tokens) for tokens in splits)
        rest = "read in windows" if lengths.windows else "cut"
        return lengths.limit, f"the model's limit; {longer:.0%} of the rows are longer and {rest}"
    return needed, f"{COVERAGE:.0%} of the rows have {covered} or fewer"


def planned_steps(features: int, recipe: Recipe, budget: float = 1.0) -> tuple[int, int]:
    """Return the number of optimiser steps, and of validations among them, if nothing stops the training early.

    Args:
        features: the number of training features.
        recipe: without `auto` fields.
        budget: the share of steps and validations that a trial gets, see `harness.cell.Trial`.
    """
    steps_per_epoch = math.ceil(features / recipe.batch_size)
    steps = int(min(recipe.max_steps or math.inf, steps_per_epoch * recipe.epochs))
    if budget < 1:
        steps = max(1, round(steps * budget))
    if not recipe.evaluations:
        return steps, math.ceil(steps / steps_per_epoch)
    return steps, max(1, round(recipe.evaluations * budget))
