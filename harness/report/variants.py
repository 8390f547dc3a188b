"""Different recipes of one model: found, numbered and named, so that nothing averages over them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.methods import BASELINE
from harness.recipe import MECHANICS
from harness.report.searched import compared
from harness.report.titles import canonical
from harness.store import Record

USUAL = "usual"  # a field that nobody has set: as the rules have it for each task


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
    recipes = compared(records, tasks, models)
    known = {id(recipe): recipe or {} for recipe in recipes}  # many records share one object
    used: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
    for record, task, model, recipe in zip(records, tasks, models, recipes, strict=True):
        used[model][task, record["method"]].add(id(recipe))
    different = {frozenset(keys) for groups in used.values() for keys in groups.values()}
    varying = {keys: _varied([known[key] for key in keys]) for keys in different}
    varied = {
        model: sorted({name for keys in groups.values() for name in varying[frozenset(keys)]})
        for model, groups in used.items()
    }
    values = {
        (model, key): tuple((name, known[key].get(name)) for name in varied[model])
        for model, groups in used.items()
        for keys in groups.values()
        for key in keys
    }
    chosen = [values[model, id(recipe)] for recipe, model in zip(recipes, models, strict=True)]
    apart = _set_apart(records, models, varied)
    chosen = [own + more for own, more in zip(chosen, apart, strict=True)]
    different_of = {model for model, more in zip(models, apart, strict=True) if varied[model] or more}
    counts: dict[str, Counter] = defaultdict(Counter)
    for model, values in zip(models, chosen, strict=True):
        counts[model][values] += 1
    order, notes = {}, []
    for model, counter in sorted(counts.items()):
        ranked = sorted(counter, key=lambda values: (-counter[values], canonical(values)))
        order[model] = {values: place + 1 if model in different_of else 0 for place, values in enumerate(ranked)}
        if model in different_of:
            told = "; ".join(f"recipe {order[model][v]}: {', '.join(f'{n} {x}' for n, x in v)}" for v in ranked)
            notes.append(f"{model} was trained with different recipes, which are not averaged: {told}.")
    return [Setting(order[model][values], values) for model, values in zip(models, chosen, strict=True)], notes


def _varied(recipes: Sequence[Mapping[str, Any]]) -> set[str]:
    if len(recipes) < 2:
        return set()
    names = {name for recipe in recipes for name in recipe if name not in MECHANICS}
    return {name for name in names if len({canonical(recipe.get(name)) for recipe in recipes}) > 1}


def _set_apart(records: Sequence[Record], models: Sequence[str], varied: Mapping[str, Sequence[str]]) -> list[tuple[tuple[str, Any], ...]]:
    """For each record the fields that `--set` fixed for some of its model's records and not for others, perhaps on other tasks.

    Rules may give tasks different recipes, and a row holds them all; what a person has set is another row.
    """
    fixed = [(record.get("typed") or {}).get("settings") or {} for record in records]
    known = {
        (model, canonical(own)): own
        for model, own, record in zip(models, fixed, records, strict=True)
        if record.get("typed") and record["method"] != BASELINE
    }
    names: dict[str, set[str]] = defaultdict(set)
    for model, _ in known:
        same = [own for (other, _), own in known.items() if other == model]
        names[model] |= {name for own in same for name in own if any(one.get(name) != own[name] for one in same)}
    return [
        ()
        if record["method"] == BASELINE
        else tuple(
            (name, (record.get("recipe") or {}).get(name) if name in own else USUAL)
            for name in sorted(names[model] - set(varied[model]) - set(MECHANICS))
        )
        for record, model, own in zip(records, models, fixed, strict=True)
    ]
