"""The values that a search may choose from: the section `search` of a suite, and Optuna's usual space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.cell import Cell, rule_facts
from harness.errors import BenchError
from harness.methods import METHODS
from harness.recipe import Recipe, full_name, rule_applies, scale_rate
from harness.recipe_rules import parse_rules
from harness.search.search_option import FIELDS, GRID, OPTUNA, RATE, SUITE, parse_search, recipe_value
from harness.yaml_reader import describe_node
from harness.yaml_values import YamlValue

RUN = "run"
KEYS = (RUN, GRID, OPTUNA)
DIGITS = 3  # significant digits of a drawn number; more make no difference and are hard to read
AROUND = 5.0  # the usual space spans the usual learning rate divided and multiplied by this
BATCHES = (16, 32)  # as in BERT's own grid (Devlin et al. 2019, appendix A.3)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included. Integers if both are. `log` samples uniformly in the logarithm."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def parse(cls, name: str, content: Mapping[str, Any]) -> Range:
        """Read the range of a recipe field from a suite, or raise `BenchError` if it is invalid."""
        if not {"low", "high"} <= set(content) <= {"low", "high", "log"}:
            raise BenchError(f"{name} is {dict(content)}; a range has low, high, and log where it is one of powers")
        low, high = recipe_value(name, content["low"]), recipe_value(name, content["high"])
        if isinstance(low, str) or not low < high or (content.get("log") and low <= 0):
            raise BenchError(f"{name} is {dict(content)}; low must be a number below high, and above 0 with log")
        return cls(low, high, bool(content.get("log", False)))


Candidates = tuple[Any, ...] | Range
Space = Mapping[str, Candidates]


def read_search_section(section: YamlValue) -> tuple[tuple[str, ...], dict[str, tuple[Mapping[str, Any], ...]]]:
    """Read the section `search` of a suite: the default of `--search`, and the rules under `grid` and `optuna`.

    The default is the value of `run`, or the section itself if it has no rules: one value or a list. All rules are
    checked, and errors are recorded as faults of the section's values.
    """
    if section.node.kind != "map":
        if section.node.kind in ("list", "str"):
            return _default_search(section), {}
        section.fault(
            f"is {describe_node(section.node)}; it must be a mapping with the keys {', '.join(KEYS)}, or auto; see docs/suites.md"
        )
        return (), {}
    given = section.keys(KEYS)
    default = _default_search(given[RUN]) if RUN in given else ()
    if SUITE in default and not (GRID in given and given[GRID].given):
        given[RUN].fault(f"is {SUITE}, which is the section search.{GRID}, and there is none; add it")
    return default, {kind: _rules(rules, kind) for kind, rules in given.items() if kind != RUN}


def _default_search(value: YamlValue) -> tuple[str, ...]:
    items = list(value.list()) if value.node.kind == "list" else [value] if value.given else []
    texts = tuple(text for item in items if (text := item.text()) is not None)
    if len(texts) == len(items):
        value.attempt(parse_search, texts, f"{value.faults.path}: {value.name}")
    return texts


def _rules(value: YamlValue, kind: str) -> tuple[Mapping[str, Any], ...]:
    return parse_rules(
        value, f"{{{RATE}: [2.0e-5, 3.0e-5]}}", lambda name, item: item.attempt(_check_field, name, item.plain(), kind)
    )


def _check_field(name: str, value: Any, kind: str) -> None:
    """Raise `BenchError` unless the field can be searched and takes these values."""
    name = full_name(name, "", FIELDS, "field to search")
    if isinstance(value, Mapping) and kind == GRID:
        raise BenchError(f"{name} is a range, of which a grid has no values; give a list, or put it under {OPTUNA}")
    candidates = _parse_candidates(name, value)
    if isinstance(candidates, tuple) and (not candidates or len(set(candidates)) < len(candidates)):
        raise BenchError(f"{name} must be a list of different values, not {value}")


def _parse_candidates(name: str, value: Any) -> Candidates:
    if isinstance(value, Mapping):
        return Range.parse(name, value)
    if not isinstance(value, list):
        raise BenchError(
            f"{name} is {value!r}; it must be a list of values, or under {OPTUNA} a range {{low: …, high: …, log: true}}"
        )
    return tuple(recipe_value(name, item) for item in value)


def space_for(rules: tuple[Mapping[str, Any], ...], cell: Cell) -> dict[str, Candidates]:
    """Apply the rules of a suite to a cell: field → its values or range. Later rules override earlier ones by field.

    A learning rate from a rule without a condition on the method is meant for full fine-tuning, and is multiplied by
    the method's factor.
    """
    facts = rule_facts(cell.task, cell.model, cell.method)
    space: dict[str, Candidates] = {}
    for rule in rules:
        if not rule_applies(rule, facts):
            continue
        for name, value in rule.items():
            if name == "when":
                continue
            space[name] = _parse_candidates(name, value)
            if name == RATE and "method" not in (rule.get("when") or {}):
                space[name] = _scale(space[name], METHODS[cell.method].learning_rate_factor)
    return space


def _scale(candidates: Candidates, factor: float) -> Candidates:
    if factor == 1:
        return candidates
    if isinstance(candidates, Range):
        return Range(scale_rate(candidates.low, factor), scale_rate(candidates.high, factor), candidates.log)
    return tuple(scale_rate(value, factor) for value in candidates)


def usual_space(recipe: Recipe) -> dict[str, Candidates]:
    """Optuna's space if the suite has none: learning rates around the recipe's own, and batch sizes 16 and 32.

    Epochs are left out: the best validation counts anyway, and pruning can only compare trainings of equal length.
    """
    rate = recipe.learning_rate
    return {RATE: Range(scale_rate(rate, 1 / AROUND), scale_rate(rate, AROUND), log=True), "batch_size": BATCHES}


def plain_space(space: Space) -> dict[str, Any]:
    """The space as plain values, for JSON."""
    return {name: asdict(one) if isinstance(one, Range) else list(one) for name, one in space.items()}


def optuna_distributions(space: Space) -> dict[str, Any]:
    """The space as Optuna's distributions."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    distributions: dict[str, Any] = {}
    for name, one in space.items():
        if not isinstance(one, Range):
            distributions[name] = CategoricalDistribution(one)
        else:
            kind = IntDistribution if isinstance(one.low, int) and isinstance(one.high, int) else FloatDistribution
            distributions[name] = kind(one.low, one.high, log=one.log)
    return distributions


def rounded(value: Any) -> Any:
    """Round a float to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
