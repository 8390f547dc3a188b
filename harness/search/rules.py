"""The section `search` of a suite: which values a cell's fields may take, by the same conditions as recipes have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cell import Cell, rule_facts
from harness.errors import BenchError, unknown
from harness.methods import METHODS
from harness.recipe import FACTS, full_name, full_names, holds, scaled
from harness.search.space import Range
from harness.search.wanted import FIELDS, GRID, OPTUNA, RATE, SUITE, coerced

RUN = "run"
KEYS = (RUN, GRID, OPTUNA)


def read_section(content: Any, path: Path) -> tuple[tuple[str, ...], dict[str, tuple[Mapping[str, Any], ...]]]:
    """The section as a suite file has it: what its runs search, as values of `--search`, and the rules of `grid` and `optuna`.

    What runs search stands under `run`, or in the place of the section where there are no rules; it is one value or a
    list of them. All rules are looked through.

    Raises:
        BenchError: a key, condition, field or value that is none.
    """
    if isinstance(content, str | list):
        content = {RUN: content}
    if not isinstance(content, Mapping):
        raise BenchError(f"{path}: search must be a mapping with the keys {', '.join(KEYS)}, or auto; see docs/suites.md")
    wanted = content.get(RUN) or []
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise BenchError(
            f"{path}: search.{RUN} is {wanted!r}; it must be a value of --search, such as auto, or a list of them"
        )
    if SUITE in wanted and not content.get(GRID):
        raise BenchError(f"{path}: search.{RUN} is {SUITE}, which is the section search.{GRID}, and there is none; add it")
    return tuple(wanted), _rules({kind: rules for kind, rules in content.items() if kind != RUN}, path)


def _rules(content: Mapping[str, Any], path: Path) -> dict[str, tuple[Mapping[str, Any], ...]]:
    for kind, rules in content.items():
        where = f"{path}: search"
        if kind not in (GRID, OPTUNA):
            raise unknown("key", kind, KEYS, where=where)
        if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
            raise BenchError(f"{where}.{kind} must be a list of rules, such as - {{{RATE}: [2.0e-5, 3.0e-5]}}")
        for rule in rules:
            _check(rule, kind, f"{where}.{kind}")
    return {
        kind: tuple(full_names(rule, f"{path}: search.{kind}") for rule in rules) for kind, rules in content.items()
    }


def values_for(rules: tuple[Mapping[str, Any], ...], cell: Cell) -> dict[str, tuple[Any, ...] | Range]:
    """Field → its values or range for a cell: the rules in order, later ones win, field by field.

    A learning rate from a rule that does not ask for the method is one for all weights, and is multiplied by the method's factor.
    """
    facts = rule_facts(cell.task, cell.model, cell.method)
    found: dict[str, tuple[Any, ...] | Range] = {}
    for rule in rules:
        if not holds(rule, facts):
            continue
        for name, value in rule.items():
            if name == "when":
                continue
            made = _read(name, value)
            if name == RATE and "method" not in (rule.get("when") or {}):
                made = _times(made, METHODS[cell.method].learning_rate_factor)
            found[name] = made
    return found


def _check(rule: Mapping[str, Any], kind: str, where: str) -> None:
    for key in rule.get("when") or {}:
        if key not in FACTS:
            raise unknown("condition", key, FACTS, where=where)
    for name, value in rule.items():
        if name == "when":
            continue
        name = full_name(name, where, FIELDS, "field to search")
        if isinstance(value, Mapping) and kind == GRID:
            raise BenchError(
                f"{where}: {name} is a range, of which a grid has no values; give a list, or put it under {OPTUNA}"
            )
        try:
            made = _read(name, value)
        except (BenchError, TypeError, ValueError) as error:
            raise BenchError(f"{where}: {error}") from None
        if isinstance(made, tuple) and (not made or len(set(made)) < len(made)):
            raise BenchError(f"{where}: {name} must be a list of different values, not {value}")


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
    return tuple(scaled(value, factor) for value in values)
