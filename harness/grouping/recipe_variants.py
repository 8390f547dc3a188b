"""The recipes of one model: different ones are numbered and named, so that no mean mixes them; and recipes chosen by a search."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.grouping.costs import duration
from harness.grouping.titles import canonical
from harness.methods import BASELINE
from harness.recipe import MECHANICS
from harness.store import Record

USUAL = "usual"  # value of a field that is not set by hand: the rules choose it for each task


@dataclass(frozen=True)
class RecipeSetting:
    """One of the recipes of a model.

    Attributes:
        number: 1 for the one with the most records; 0 where the model has one recipe for each task and method.
        values: the fields in which it differs from the other recipes of the model, with their values.
    """

    number: int
    values: tuple[tuple[str, Any], ...] = ()


def recipe_settings(records: list[Record], tasks: list[str], models: list[str]) -> tuple[list[RecipeSetting], list[str]]:
    """The recipe of each record among those of the same model, task and method, and notes on models with several recipes."""
    recipes = comparable_recipes(records, tasks, models)
    known = {id(recipe): recipe or {} for recipe in recipes}  # many records share one object
    used: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
    for record, task, model, recipe in zip(records, tasks, models, recipes, strict=True):
        used[model][task, record["method"]].add(id(recipe))
    different = {frozenset(keys) for groups in used.values() for keys in groups.values()}
    varying = {keys: _differing_fields([known[key] for key in keys]) for keys in different}
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
    apart = _fixed_settings(records, models, varied)
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
            texts = "; ".join(f"recipe {order[model][v]}: {', '.join(f'{n} {x}' for n, x in v)}" for v in ranked)
            notes.append(f"{model} was trained with different recipes, which are not averaged: {texts}.")
    return [RecipeSetting(order[model][values], values) for model, values in zip(models, chosen, strict=True)], notes


def _differing_fields(recipes: Sequence[Mapping[str, Any]]) -> set[str]:
    if len(recipes) < 2:
        return set()
    names = {name for recipe in recipes for name in recipe if name not in MECHANICS}
    return {name for name in names if len({canonical(recipe.get(name)) for recipe in recipes}) > 1}


def _fixed_settings(
    records: Sequence[Record], models: Sequence[str], varied: Mapping[str, Sequence[str]]
) -> list[tuple[tuple[str, Any], ...]]:
    """For each record the fields that `--set` fixed for some records of its model and not for others, also on other tasks.

    Rules may choose different recipes for different tasks, and a row holds them all. A recipe that was set by hand is another row.
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


@dataclass(frozen=True)
class SearchResult:
    """The result of one search.

    Attributes:
        row: title of the row.
        arguments: the arguments of `--search`.
        trials, pruned, failed: number of all trials, of those stopped early, and of those without a value.
        recipe: the searched fields with the values of the winner.
        seconds: time of all trials together.
    """

    row: str
    arguments: tuple[str, ...]
    trials: int
    pruned: int
    failed: int
    recipe: Mapping[str, Any]
    seconds: float


def search_summary(search: Mapping[str, Any]) -> dict[str, Any]:
    """The `search` of a record with totals instead of its trials."""
    trials = search.get("trials") or []
    ends = [trial["status"] for trial in trials]
    return {
        "arguments": list(search.get("arguments") or ()),
        "trials": len(trials),
        "pruned": ends.count("pruned"),
        "failed": ends.count("failed"),
        "recipe": trials[winner]["recipe"] if (winner := search.get("winner")) is not None else {},
        "seconds": float(search.get("seconds") or 0.0),
    }


def searches_of(rows: Iterable[tuple[str, Sequence[Record]]]) -> tuple[SearchResult, ...]:
    """The different searches of (row title, records) pairs; seeds share a search."""
    made: dict[str, SearchResult] = {}
    for row, records in rows:
        for search in {id(one): one for record in records if (one := record.get("search"))}.values():
            totals = search_summary(search)
            one = SearchResult(**{**totals, "row": row, "arguments": tuple(totals["arguments"])})
            made.setdefault(canonical([row, totals]), one)
    return tuple(made.values())


def comparable_recipes(records: Sequence[Record], tasks: Sequence[str], models: Sequence[str]) -> list[Mapping[str, Any] | None]:
    """The recipe of each record as far as it distinguishes rows of the board.

    A search may choose another recipe for each task, and these still make one row: the chosen fields are replaced by the
    specification of the search. Where the same search has chosen different recipes on one task, they are kept apart.
    """
    different: dict[tuple[str, ...], set[str]] = defaultdict(set)
    names = []
    for record, task, model in zip(records, tasks, models, strict=True):
        search = record.get("search")
        name = (task, model, record["method"], " ".join(search.get("arguments") or ())) if search else ()
        names.append(name)
        if search:
            different[name].add(canonical([search.get("specification"), record.get("recipe")]))
    made: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    return [_comparable_recipe(record, name, len(different[name]) > 1, made) if name else record.get("recipe")
            for record, name in zip(records, names, strict=True)]  # fmt: skip


def _comparable_recipe(
    record: Record, name: tuple[str, ...], whole: bool, made: dict[tuple[Any, ...], Any]
) -> Mapping[str, Any]:
    recipe, search = record.get("recipe") or {}, record["search"]
    key = (id(record.get("recipe")), id(search), name[-1], whole)
    if key not in made:
        fields = search["specification"]["fields"]
        what = f"{name[-1]} {canonical(fields)}" if whole else name[-1]
        made[key] = {
            **{field: "searched" if field in fields and not whole else value for field, value in recipe.items()},
            "search": what,
        }
    return made[key]


def search_sentence(searches: Sequence[SearchResult]) -> str:
    """What was searched on a task, and what won in each row."""
    by_arguments: dict[tuple[str, ...], list[SearchResult]] = defaultdict(list)
    for one in searches:
        by_arguments[one.arguments].append(one)
    sentences = []
    for arguments, group in by_arguments.items():
        winners = "; ".join(f"{one.row} {_recipe_text(one.recipe)}" for one in group)
        numbers = sorted({one.trials for one in group})
        ends = [
            f"{sum(getattr(one, end) for one in group)} {end}"
            for end in ("pruned", "failed")
            if any(getattr(one, end) for one in group)
        ]
        counts = ", ".join([f"{'/'.join(map(str, numbers))} trials a row", *ends])
        total = duration(sum(one.seconds for one in group))
        sentences.append(f"{' '.join(arguments)} ({counts}, {total} in all), chosen on validation: {winners}")
    return "; ".join(sentences)


def _recipe_text(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in recipe.items()) or "none"
