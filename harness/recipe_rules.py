"""Which recipe a cell gets."""

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

# Which recipe a cell gets: the package's rules for its model, the family's, the suite's, and those that leave fields to the data.


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
            if key not in CONDITIONS:
                raise unknown("condition", key, CONDITIONS, where="recipe rule")
        if not rule_applies(rule, facts):
            continue
        changes = {key: value for key, value in rule.items() if key not in NOT_FIELDS}
        if "learning_rate" in rule:
            chosen = "method" in (rule.get("when") or {})
            changes["learning_rate"], why = _rate(rule, facts.get("width"))
        recipe = recipe.updated(changes)
    factor = METHODS[facts["method"]].learning_rate_factor
    if not chosen and factor != 1:
        why = f"{why}, times {factor:g} for {facts['method']}".removeprefix(", ")
        recipe = recipe.updated({"learning_rate": scale_rate(recipe.learning_rate, factor)})
    return recipe, why


def _rate(rule: Mapping[str, Any], width: int | None) -> tuple[Any, str]:
    """The learning rate that a rule gives a model, and why."""
    rate, usual = rule["learning_rate"], rule.get("width")
    source = str(rule.get("source", ""))
    if not usual or not width or width == usual:
        return rate, source
    found = min(HIGHEST, max(LOWEST, float(rate) * (usual / width) ** POWER))
    return float(f"{found:.1e}"), f"{source}: {float(rate):g} at a width of {usual:,}, this model's is {width:,}".removeprefix(": ")


def parse_recipe_rules(value: YamlValue) -> tuple[Mapping[str, Any], ...]:
    """The section `recipes` of a suite; what is wrong is noted as faults of its values."""

    def check(name: str, one: YamlValue) -> None:
        if name == "width":
            one.whole(least=1)
        elif name != "source":
            one.attempt(_check_field, name, one.plain())

    return parse_rules(value, "{when: {family: ner}, epochs: 5}", check)


def parse_rules(value: YamlValue, example: str, check: Callable[[str, YamlValue], object]) -> tuple[Mapping[str, Any], ...]:
    """A list of rules with full names for their fields; what is wrong is noted as faults of its values.

    Args:
        example: of a rule, for messages.
        check: looks at a field's name and value; `when` has been looked at.
    """
    found = []
    for rule in value.list(f"a list of rules, such as - {example}"):
        if rule.node.kind != "map":
            rule.fault(f"is {describe_node(rule.node)}; a rule maps fields to values, such as {example}")
            continue
        for name, one in rule.items():
            if name == "when":
                one.keys(CONDITIONS, "condition")
            else:
                check(name, one)
        found.append(rule.attempt(full_names, rule.plain(), rule.name) or {})
    return tuple(found)


def _check_field(name: str, value: Any) -> None:
    """A `BenchError` where no recipe has such a field, or not this value."""
    if name not in FIELD_NAMES:
        raise unknown("recipe field", name, FIELD_NAMES)
    Recipe().updated({SHORT_NAMES.get(name, name): value})


# The recipe fields that follow from the training rows, and how many steps a training then has.


# How long a training is, before anything stops it. Imports no torch: estimates ask too.


def planned_steps(features: int, recipe: Recipe, budget: float = 1.0) -> tuple[int, int]:
    """The optimiser's steps, and the validations among them.

    Args:
        features: for training.
        recipe: without fields that are left to the data.
        budget: the share of the steps and validations that a trial has, see `harness.cell.Trial`.
    """
    an_epoch = math.ceil(features / recipe.batch_size)
    steps = int(min(recipe.max_steps or math.inf, an_epoch * recipe.epochs))
    if budget < 1:
        steps = max(1, round(steps * budget))
    if not recipe.evaluations:
        return steps, math.ceil(steps / an_epoch)
    return steps, max(1, round(recipe.evaluations * budget))


# The recipe fields that follow from the training rows: lengths that fit, and enough steps for few rows. The rule is the same for
# every model and part of the protocol. It reads the number of training rows, and how many tokens the model's tokeniser makes of
# training and validation rows. It never reads test rows, so the same cell always gets the same values. Validation rows count
# because training rows may be shorter: SST-2 trains on phrases, and validates and tests on sentences twice as long.


SAMPLED_ROWS = 2000  # rows of a split whose tokens are counted, evenly spread
COVERED = 0.99  # of the rows fit into the length
GRAIN = 8  # lengths are multiples of it
SHORTEST = 16  # tokens
BATCHES = ((100, 8), (2000, 16), (math.inf, 32))  # below so many rows, so many in a batch: few rows need more steps
# Few rows need more passes, for what a small data set lacks is steps (Mosbach et al. 2021; Zhang et al. 2021): ROOT / sqrt(rows).
ROOT, FEWEST, MOST = 320, 3, 20
LONGEST = 40  # epochs of a family that needs several times as many
EVALUATIONS = (5, 10)  # validations of a training: one an epoch, but no fewer and no more
ROOM = 1.25  # what is written may be so much longer than what was seen
ANSWER = 30  # tokens of an answer, at least


@dataclass(frozen=True)
class LengthStatistics:
    """What a head would need to read and write examples uncut.

    Attributes:
        rows: in the training split.
        tokens: for each split that was looked at, recipe field → its length in tokens for each example.
        limit: the most tokens that the model can read at once, or None.
        windows: whether the head reads what is longer in overlapping windows, and cuts nothing.
    """

    rows: int
    tokens: Sequence[Mapping[str, Sequence[int]]] = ()
    limit: int | None = None
    windows: bool = False


def fill_auto_fields(recipe: Recipe, needs: LengthStatistics, passes: float = 1.0) -> tuple[Recipe, dict[str, str]]:
    """The recipe with a value in each field that is left to the data, and field → why.

    Args:
        passes: how many times as many epochs few rows of the family need as those of a classifier (`TaskFamily.passes`).
    """
    found: dict[str, int] = {}
    why: dict[str, str] = {}

    def given(name: str) -> int:
        return found.get(name, getattr(recipe, name))

    left = auto_fields(recipe)
    rows = max(1, needs.rows)
    if "batch_size" in left:
        found["batch_size"] = next(size for limit, size in BATCHES if rows < limit)
        why["batch_size"] = f"{rows:,} training rows"
    if "epochs" in left:
        found["epochs"] = auto_epochs(rows, passes)
        why["epochs"] = f"{rows:,} training rows"
    steps = math.ceil(rows / given("batch_size")) * given("epochs")
    if "evaluations" in left:
        least, most = EVALUATIONS
        found["evaluations"] = max(1, min(most, max(least, given("epochs")), steps))
        why["evaluations"] = f"{given('epochs')} epochs"
    if "patience" in left:
        found["patience"] = max(3, (given("evaluations") or given("epochs")) // 2)
        why["patience"] = "half of the evaluations"
    for name in ("max_length", "max_target_length", "max_answer_length"):
        if name in left:
            found[name], why[name] = _length(name, needs)
    if "doc_stride" in left:
        found["doc_stride"] = given("max_length") // 4
        why["doc_stride"] = "a quarter of max_length"
    return recipe.updated(found), why


def fitted_fields(recipe: Recipe, why: Mapping[str, str], rate: str, precision: str) -> dict[str, Any]:
    """Field → its value and why it has it, for records and for the line that a plan or a run prints.

    Args:
        recipe: with a value in each field.
        why: the reason of each field that was left to the data.
        rate: why the learning rate is what it is.
        precision: that is trained in.
    """
    values = {"learning_rate": rate, **why}
    found = {name: {"value": getattr(recipe, name), "why": reason} for name, reason in values.items()}
    return {**found, "precision": {"value": precision, "why": "what the device computes fast"}}


def auto_epochs(rows: int, passes: float = 1.0) -> int:
    """Passes over the training rows, more of them where there are few; many rows need no more for any family."""
    most = min(LONGEST, round(MOST * passes))
    return max(FEWEST, min(most, round(passes * ROOT / math.sqrt(rows))))


def _length(name: str, needs: LengthStatistics) -> tuple[int, str]:
    """A length that covers nearly all of the examples, and why it is what it is."""
    splits = [sorted(lengths) for tokens in needs.tokens if (lengths := tokens.get(name))]
    if not splits:
        return getattr(Recipe(), name), ""  # nothing that is read or written has such a length
    covered = max(lengths[math.ceil(COVERED * len(lengths)) - 1] for lengths in splits)
    if name == "max_answer_length":
        return max(ANSWER, covered), f"{COVERED:.0%} of the answers have {covered} tokens or fewer"
    wanted = covered * ROOM if name == "max_target_length" else covered
    wanted = max(SHORTEST, math.ceil(wanted / GRAIN) * GRAIN)
    if needs.limit and wanted > needs.limit:
        longer = max(sum(length > needs.limit for length in lengths) / len(lengths) for lengths in splits)
        rest = "read in windows" if needs.windows else "cut"
        return needs.limit, f"the model's limit; {longer:.0%} of the rows are longer and {rest}"
    return wanted, f"{COVERED:.0%} of the rows have {covered} or fewer"
