"""Different recipes of one model: found, numbered and named, so that nothing averages over them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.recipe import MECHANICS
from harness.report.titles import canonical
from harness.store import Record


@dataclass(frozen=True)
class Setting:
    """One of the recipes of a model.

    Attributes:
        number: 1 for the one with the most records; 0 where the model has one recipe for each task and method.
        values: the recipe fields that tell it from the model's others, with their values.
    """

    number: int
    values: tuple[tuple[str, Any], ...] = ()


def settings(records: list[Record], tasks: list[str], models: list[str]) -> tuple[list[Setting], list[str]]:
    """Each record's recipe among those that its model was trained with on the same task by the same method."""
    recipes: dict[str, dict[tuple[str, str], list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for record, task, model in zip(records, tasks, models, strict=True):
        recipes[model][task, record["method"]].append(record.get("recipe") or {})
    varied = {
        model: sorted({name for group in groups.values() for name in _varied(group)})
        for model, groups in recipes.items()
    }
    chosen = [
        tuple((name, (record.get("recipe") or {}).get(name)) for name in varied[model])
        for record, model in zip(records, models, strict=True)
    ]
    counts: dict[str, Counter] = defaultdict(Counter)
    for model, values in zip(models, chosen, strict=True):
        counts[model][values] += 1
    order, notes = {}, []
    for model, counter in sorted(counts.items()):
        ranked = sorted(counter, key=lambda values: (-counter[values], canonical(values)))
        order[model] = {values: place + 1 if varied[model] else 0 for place, values in enumerate(ranked)}
        if varied[model]:
            told = "; ".join(f"recipe {order[model][v]}: {', '.join(f'{n} {x}' for n, x in v)}" for v in ranked)
            notes.append(f"{model} was trained with different recipes, which are not averaged: {told}.")
    return [Setting(order[model][values], values) for model, values in zip(models, chosen, strict=True)], notes


def _varied(recipes: Sequence[Mapping[str, Any]]) -> set[str]:
    names = {name for recipe in recipes for name in recipe if name not in MECHANICS}
    return {name for name in names if len({canonical(recipe.get(name)) for recipe in recipes}) > 1}
