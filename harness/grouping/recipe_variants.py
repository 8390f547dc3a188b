"""The recipes of a model, numbered and named so that no mean mixes them, and the results of searches."""

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

USUAL = "usual"  # the value of a field that is not set by hand; rules choose it for each task
Fields = tuple[tuple[str, Any], ...]  # (field, value) pairs


@dataclass(frozen=True)
class RecipeVariant:
    """One of the recipes of a model.

    Attributes:
        number: 1 for the recipe with the most records; 0 if the model has only one recipe for each task and method.
        values: the fields that distinguish it from the other recipes of the model, with their values.
    """

    number: int
    values: Fields = ()


def recipe_variants(
    records: list[Record], tasks: list[str], models: list[str]
) -> tuple[list[RecipeVariant], list[str]]:
    """The recipe variant of each record, and notes on models with several recipes.

    `tasks` and `models` are the titles of the task and model of each record.
    """
    recipes = _comparable_recipes(records, tasks, models)
    by_id = {id(recipe): recipe or {} for recipe in recipes}  # many records share one object
    used: dict[str, dict[tuple[str, str], set[int]]] = defaultdict(lambda: defaultdict(set))
    for record, task, model, recipe in zip(records, tasks, models, recipes, strict=True):
        used[model][task, record["method"]].add(id(recipe))
    varying: dict[str, list[str]] = {}
    for model, groups in used.items():
        different = {frozenset(ids) for ids in groups.values()}
        varying[model] = sorted({name for ids in different for name in _differing_fields([by_id[key] for key in ids])})
    fixed = _fixed_fields(records, models, varying)
    values = [
        tuple((name, by_id[id(recipe)].get(name)) for name in varying[model]) + more
        for recipe, model, more in zip(recipes, models, fixed, strict=True)
    ]
    several = {model for model, more in zip(models, fixed, strict=True) if varying[model] or more}
    counts: dict[str, Counter] = defaultdict(Counter)
    for model, fields in zip(models, values, strict=True):
        counts[model][fields] += 1
    numbers, notes = {}, []
    for model, counter in sorted(counts.items()):
        ranked = sorted(counter, key=lambda fields: (-counter[fields], canonical(fields)))
        numbers |= {(model, fields): rank if model in several else 0 for rank, fields in enumerate(ranked, 1)}
        if model in several:
            texts = "; ".join(f"recipe {rank}: {_text(dict(fields))}" for rank, fields in enumerate(ranked, 1))
            notes.append(f"{model} was trained with different recipes, which are not averaged: {texts}.")
    return [RecipeVariant(numbers[model, fields], fields) for model, fields in zip(models, values, strict=True)], notes


def _differing_fields(recipes: Sequence[Mapping[str, Any]]) -> set[str]:
    if len(recipes) < 2:
        return set()
    names = {name for recipe in recipes for name in recipe if name not in MECHANICS}
    return {name for name in names if len({canonical(recipe.get(name)) for recipe in recipes}) > 1}


def _fixed_fields(
    records: Sequence[Record], models: Sequence[str], varying: Mapping[str, Sequence[str]]
) -> list[Fields]:
    """For each record the fields that `--set` fixed for some records of its model, but not for others, on any task.

    Rules may choose different recipes for different tasks, and these make one row. A recipe that was set by hand is
    another row.
    """
    settings = [(record.get("typed") or {}).get("settings") or {} for record in records]
    by_model: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for record, model, own in zip(records, models, settings, strict=True):
        if record.get("typed") and record["method"] != BASELINE:
            by_model[model][canonical(own)] = own
    names = {}
    for model, known in by_model.items():
        typed = list(known.values())
        different = {name for own in typed for name in own if any(other.get(name) != own[name] for other in typed)}
        names[model] = sorted(different - {*varying[model], *MECHANICS})
    fixed = []
    for record, model, own in zip(records, models, settings, strict=True):
        recipe = record.get("recipe") or {}
        fields = names.get(model, ()) if record["method"] != BASELINE else ()
        fixed.append(tuple((name, recipe.get(name) if name in own else USUAL) for name in fields))
    return fixed


def _comparable_recipes(
    records: Sequence[Record], tasks: Sequence[str], models: Sequence[str]
) -> list[Mapping[str, Any] | None]:
    """The recipe of each record, reduced to what distinguishes rows of the board.

    A search may choose another recipe for each task, and these still make one row: the searched fields are replaced by
    the arguments of the search. If the same search has chosen different recipes on one task, they are kept apart.
    """
    different: dict[tuple[str, ...], set[str]] = defaultdict(set)
    searches = []
    for record, task, model in zip(records, tasks, models, strict=True):
        search = record.get("search")
        key = (task, model, record["method"], " ".join(search.get("arguments") or ())) if search else ()
        searches.append(key)
        if search:
            different[key].add(canonical([search.get("specification"), record.get("recipe")]))
    shared: dict[tuple[Any, ...], Mapping[str, Any]] = {}  # equal recipes stay one object
    return [
        _comparable_recipe(record, key[-1], len(different[key]) > 1, shared) if key else record.get("recipe")
        for record, key in zip(records, searches, strict=True)
    ]


def _comparable_recipe(
    record: Record, arguments: str, ambiguous: bool, shared: dict[tuple[Any, ...], Mapping[str, Any]]
) -> Mapping[str, Any]:
    recipe, search = record.get("recipe") or {}, record["search"]
    key = (id(record.get("recipe")), id(search), arguments, ambiguous)
    if key not in shared:
        fields = search["specification"]["fields"]
        shared[key] = {
            **{name: "searched" if name in fields and not ambiguous else value for name, value in recipe.items()},
            "search": f"{arguments} {canonical(fields)}" if ambiguous else arguments,
        }
    return shared[key]


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


def search_results(rows: Iterable[tuple[str, Sequence[Record]]]) -> tuple[SearchResult, ...]:
    """The searches of (row title, records) pairs, each once; the seeds of a row share a search."""
    results: dict[str, SearchResult] = {}
    for row, records in rows:
        for search in {id(search): search for record in records if (search := record.get("search"))}.values():
            totals = search_summary(search)
            result = SearchResult(**{**totals, "row": row, "arguments": tuple(totals["arguments"])})
            results.setdefault(canonical([row, totals]), result)
    return tuple(results.values())


def search_sentence(searches: Sequence[SearchResult]) -> str:
    """What was searched on a task, and what won in each row."""
    by_arguments: dict[tuple[str, ...], list[SearchResult]] = defaultdict(list)
    for search in searches:
        by_arguments[search.arguments].append(search)
    sentences = []
    for arguments, group in by_arguments.items():
        winners = "; ".join(f"{search.row} {_text(search.recipe) or 'none'}" for search in group)
        numbers = sorted({search.trials for search in group})
        totals = {end: sum(getattr(search, end) for search in group) for end in ("pruned", "failed")}
        counts = [f"{'/'.join(map(str, numbers))} trials a row", *(f"{n} {end}" for end, n in totals.items() if n)]
        counts.append(f"{duration(sum(search.seconds for search in group))} in all")
        sentences.append(f"{' '.join(arguments)} ({', '.join(counts)}), chosen on validation: {winners}")
    return "; ".join(sentences)


def _text(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())
