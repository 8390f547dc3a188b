"""Which values a cell's fields may take: the section search of a suite, and what Optuna may draw from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.cell import Cell, rule_facts
from harness.errors import BenchError
from harness.methods import METHODS
from harness.recipe import Recipe, full_name, rule_applies, scale_rate
from harness.recipe_rules import parse_rules
from harness.search.wanted import FIELDS, GRID, OPTUNA, RATE, SUITE, coerced, read_wanted
from harness.yaml_reader import describe_node
from harness.yaml_values import YamlValue

# The section `search` of a suite: which values a cell's fields may take, by the same conditions as recipes have.


RUN = "run"
KEYS = (RUN, GRID, OPTUNA)


def read_section(section: YamlValue) -> tuple[tuple[str, ...], dict[str, tuple[Mapping[str, Any], ...]]]:
    """The section as a suite file has it: what its runs search, as values of `--search`, and the rules of `grid` and `optuna`.

    What runs search stands under `run`, or in the place of the section where there are no rules; it is one value or a
    list of them. All rules are looked through; what is wrong is noted as faults of the section's values.
    """
    if section.node.kind != "map":
        if section.node.kind in ("list", "str"):
            return _wanted(section), {}
        section.fault(
            f"is {describe_node(section.node)}; it must be a mapping with the keys {', '.join(KEYS)}, or auto; see docs/suites.md"
        )
        return (), {}
    given = section.keys(KEYS)
    wanted = _wanted(given[RUN]) if RUN in given else ()
    if SUITE in wanted and not (GRID in given and given[GRID].given):
        given[RUN].fault(f"is {SUITE}, which is the section search.{GRID}, and there is none; add it")
    return wanted, {kind: _rules(rules, kind) for kind, rules in given.items() if kind != RUN}


def _wanted(value: YamlValue) -> tuple[str, ...]:
    items = list(value.list()) if value.node.kind == "list" else [value] if value.given else []
    texts = tuple(text for one in items if (text := one.text()) is not None)
    if len(texts) == len(items):
        value.attempt(read_wanted, texts, f"{value.faults.path}: {value.name}")
    return texts


def _rules(value: YamlValue, kind: str) -> tuple[Mapping[str, Any], ...]:
    return parse_rules(
        value, f"{{{RATE}: [2.0e-5, 3.0e-5]}}", lambda name, one: one.attempt(_check_field, name, one.plain(), kind)
    )


def values_for(rules: tuple[Mapping[str, Any], ...], cell: Cell) -> dict[str, tuple[Any, ...] | Range]:
    """Field → its values or range for a cell: the rules in order, later ones win, field by field.

    A learning rate from a rule that does not ask for the method is one for all weights, and is multiplied by the method's factor.
    """
    facts = rule_facts(cell.task, cell.model, cell.method)
    found: dict[str, tuple[Any, ...] | Range] = {}
    for rule in rules:
        if not rule_applies(rule, facts):
            continue
        for name, value in rule.items():
            if name == "when":
                continue
            made = _read(name, value)
            if name == RATE and "method" not in (rule.get("when") or {}):
                made = _times(made, METHODS[cell.method].learning_rate_factor)
            found[name] = made
    return found


def _check_field(name: str, value: Any, kind: str) -> None:
    """A `BenchError` where there is no such field to search, or it cannot have these values."""
    name = full_name(name, "", FIELDS, "field to search")
    if isinstance(value, Mapping) and kind == GRID:
        raise BenchError(f"{name} is a range, of which a grid has no values; give a list, or put it under {OPTUNA}")
    made = _read(name, value)
    if isinstance(made, tuple) and (not made or len(set(made)) < len(made)):
        raise BenchError(f"{name} must be a list of different values, not {value}")


def _read(name: str, value: Any) -> tuple[Any, ...] | Range:
    if isinstance(value, Mapping):
        return Range.of(name, value)
    if not isinstance(value, list):
        raise BenchError(
            f"{name} is {value!r}; it must be a list of values, or under {OPTUNA} a range {{low: …, high: …, log: true}}"
        )
    return tuple(coerced(name, one) for one in value)


def _times(values: tuple[Any, ...] | Range, factor: float) -> tuple[Any, ...] | Range:
    if factor == 1:
        return values
    if isinstance(values, Range):
        return values.times(factor)
    return tuple(scale_rate(value, factor) for value in values)


# What Optuna may draw a recipe from.


DIGITS = 3  # of a number that is drawn: more would make no difference and cannot be read
AROUND = 5.0  # the usual learning rate is divided and multiplied by this, where a suite says nothing
BATCHES = (16, 32)  # as BERT's own grid has them (Devlin et al. 2019, appendix A.3)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are; with `log` every power of ten counts alike."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, name: str, content: Mapping[str, Any]) -> Range:
        """The range of a recipe field as a suite writes it.

        Raises:
            BenchError: it is none.
        """
        if not {"low", "high"} <= set(content) <= {"low", "high", "log"}:
            raise BenchError(f"{name} is {dict(content)}; a range has low, high, and log where it is one of powers")
        low, high = coerced(name, content["low"]), coerced(name, content["high"])
        if isinstance(low, str) or not low < high or (content.get("log") and low <= 0):
            raise BenchError(f"{name} is {dict(content)}; low must be a number below high, and above 0 with log")
        return cls(low, high, bool(content.get("log", False)))

    def times(self, factor: float) -> Range:
        """Both ends multiplied."""
        return Range(scale_rate(self.low, factor), scale_rate(self.high, factor), self.log)


Space = Mapping[str, tuple[Any, ...] | Range]


def usual_space(recipe: Recipe) -> dict[str, tuple[Any, ...] | Range]:
    """The space where a suite gives none: learning rates around the recipe's, and batches of 16 and 32.

    Epochs are not in it: the best validation is kept, and trainings of one length are what pruning can compare.
    """
    rate = recipe.learning_rate
    return {"learning_rate": Range(scale_rate(rate, 1 / AROUND), scale_rate(rate, AROUND), log=True), "batch_size": BATCHES}


def plain(space: Space) -> dict[str, Any]:
    """The same as plain values."""
    return {name: asdict(one) if isinstance(one, Range) else list(one) for name, one in space.items()}


def distributions(space: Space) -> dict[str, Any]:
    """The same as Optuna's distributions."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for name, one in space.items():
        if not isinstance(one, Range):
            found[name] = CategoricalDistribution(one)
        else:
            kind = IntDistribution if isinstance(one.low, int) and isinstance(one.high, int) else FloatDistribution
            found[name] = kind(one.low, one.high, log=one.log)
    return found


def rounded(value: Any) -> Any:
    """A drawn number with as many digits as one can read."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
