"""Which recipe a cell gets: the package's rules for its model, the family's, the suite's, and those that leave fields to the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.document import Value
from harness.errors import unknown
from harness.methods import METHODS
from harness.recipe import FACTS, NAMES, SHORT, Recipe, full_names, holds, scaled
from harness.yaml_nodes import said

FILE = Path(__file__).with_name("recipes.yaml")
# A rule's learning rate is for models of the width that it names. The best rate of Adam falls with the width (Yang et al. 2021,
# "Tensor Programs V", section 4: as 1 / width). The power and the limits are ours: they bring BERT's base rate near that of its large
# models and ELECTRA's to that of its small one. benchmarks/regret.py has tried widths of 384 and 64 alone.
POWER = 1.5
HIGHEST, LOWEST = 3e-3, 5e-6
NOT_FIELDS = ("when", "width", "source")


@cache
def package_rules() -> tuple[Mapping[str, Any], ...]:
    """The rules of `recipes.yaml`, that hold for every suite."""
    return tuple(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def rules_for(family: Sequence[Mapping[str, Any]], suite: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All rules in the order in which they are applied: what holds for all, the family's, those by kind of model, the suite's."""
    first, *kinds = package_rules()
    return [first, *family, *kinds, *suite]


def apply_rules(rules: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> tuple[Recipe, str]:
    """The recipe for a cell with these facts, and why it has its learning rate. Rules are applied in order, later ones win.

    A rule is a mapping of recipe fields with an optional key `when` that maps facts (family, task, model, architecture,
    kind, method) to one value or a list of values; all must hold. A learning rate from a rule that does not ask for the method
    is one for all weights, and is multiplied by the method's factor. Where a rule names a `width`, its learning rate is
    that of models of this width, and narrower ones get a higher one. `source` says where the rule comes from.

    Args:
        facts: those of `FACTS`, and the model's `width` (None: not known).

    Raises:
        BenchError: a condition or a field that there is none of.
    """
    recipe, chosen, why = Recipe(), False, ""
    for rule in rules:
        for key in rule.get("when") or {}:
            if key not in FACTS:
                raise unknown("condition", key, FACTS, where="recipe rule")
        if not holds(rule, facts):
            continue
        changes = {key: value for key, value in rule.items() if key not in NOT_FIELDS}
        if "learning_rate" in rule:
            chosen = "method" in (rule.get("when") or {})
            changes["learning_rate"], why = _rate(rule, facts.get("width"))
        recipe = recipe.updated(changes)
    factor = METHODS[facts["method"]].learning_rate_factor
    if not chosen and factor != 1:
        why = f"{why}, times {factor:g} for {facts['method']}".removeprefix(", ")
        recipe = recipe.updated({"learning_rate": scaled(recipe.learning_rate, factor)})
    return recipe, why


def _rate(rule: Mapping[str, Any], width: int | None) -> tuple[Any, str]:
    """The learning rate that a rule gives a model, and why."""
    rate, usual = rule["learning_rate"], rule.get("width")
    source = str(rule.get("source", ""))
    if not usual or not width or width == usual:
        return rate, source
    found = min(HIGHEST, max(LOWEST, float(rate) * (usual / width) ** POWER))
    return float(f"{found:.1e}"), f"{source}: {float(rate):g} at a width of {usual:,}, this model's is {width:,}".removeprefix(": ")


def read_rules(value: Value) -> tuple[Mapping[str, Any], ...]:
    """The section `recipes` of a suite; what is wrong is noted as faults of its values."""

    def check(name: str, one: Value) -> None:
        if name == "width":
            one.whole(least=1)
        elif name != "source":
            one.attempt(_check_field, name, one.plain())

    return rules_of(value, "{when: {family: ner}, epochs: 5}", check)


def rules_of(value: Value, example: str, check: Callable[[str, Value], object]) -> tuple[Mapping[str, Any], ...]:
    """A list of rules with full names for their fields; what is wrong is noted as faults of its values.

    Args:
        example: of a rule, for messages.
        check: looks at a field's name and value; `when` has been looked at.
    """
    found = []
    for rule in value.list(f"a list of rules, such as - {example}"):
        if rule.node.kind != "map":
            rule.fault(f"is {said(rule.node)}; a rule maps fields to values, such as {example}")
            continue
        for name, one in rule.items():
            if name == "when":
                one.keys(FACTS, "condition")
            else:
                check(name, one)
        found.append(rule.attempt(full_names, rule.plain(), rule.name) or {})
    return tuple(found)


def _check_field(name: str, value: Any) -> None:
    """A `BenchError` where no recipe has such a field, or not this value."""
    if name not in NAMES:
        raise unknown("recipe field", name, NAMES)
    Recipe().updated({SHORT.get(name, name): value})
