"""One column of the board: a task with its data, its metric and the recipes of its trainings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.grouping.contenders import BestBaseline, average, best_baseline, candidates
from harness.grouping.groups import BoardPlace, succeeded
from harness.grouping.recipe_variants import SearchResult, search_results
from harness.grouping.row_names import row_order, row_title
from harness.grouping.titles import canonical
from harness.predictions import Slices
from harness.recipe import trained_recipe
from harness.report.entries import mean_each, numbers, slice_rows, slices_of, truncated_share
from harness.store import Record

Values = tuple[tuple[Any, tuple[str, ...]], ...]  # the values of a recipe field, each with the names of its rows


@dataclass(frozen=True)
class BoardColumn:
    """The facts about a task that a reader needs to judge the scores in its column.

    Attributes:
        title: unique title on the board.
        task: name of the task.
        metric: name of the primary metric; None if every cell failed.
        rows: split → number of rows.
        split_rule: how the splits were made; None if no record has it.
        rows_without_limit: split → number of rows without the limit; empty if there is no limit.
        train_rows_available: number of training rows, if each seed trained on a different part of them; else None.
        warnings: warnings of the check of the data before training.
        truncated: model → share (0-1) of its test rows that were truncated, if any; from records with a split rule.
        seeds: all seeds for which any model has a score.
        trivial: score (0-100) of the trivial answer, which needs no model.
        hurdle: the best baseline; None if no baseline was run.
        running: titles of the rows that a user may choose from, best first (see `harness.grouping.contenders.candidates`).
        trivial_metrics: metrics of the trivial answer, in the scale of their libraries.
        metrics: names of the secondary metrics.
        settings: settings of the metric, such as its signature; different values are joined.
        slices: kind → slice name → number of its test rows (for entity types: of entities).
        searches: the search of each row whose recipe was searched.
        recipe: recipe field → (value, names of the rows trained with it) pairs; one pair without names if all rows
            agree.
    """

    title: str
    task: str
    family: str
    version: Any
    source: str | None
    revision: str | None
    fingerprint: str | None
    protocol: Any
    metric: str | None
    rows: Mapping[str, int]
    split_rule: str | None
    rows_without_limit: Mapping[str, int]
    train_rows_available: int | None
    warnings: tuple[str, ...]
    truncated: Mapping[str, float]
    seeds: tuple[int, ...]
    trivial: float | None
    hurdle: BestBaseline | None
    running: tuple[str, ...]
    trivial_metrics: Mapping[str, float]
    metrics: tuple[str, ...]
    settings: Mapping[str, str]
    slices: Mapping[str, Mapping[str, int]]
    searches: tuple[SearchResult, ...]
    recipe: Mapping[str, Values]


def make_column(
    title: str, places: Mapping[BoardPlace, Sequence[Record]], slices: Mapping[str, Slices] | None = None
) -> BoardColumn:
    """Return the column of the places with this task title; `slices` as in `make_entry`."""
    ordered = {place: places[place] for place in sorted(places, key=row_order)}
    titles = {place: row_title(place.model, place.method) for place in ordered}
    records = [record for group in ordered.values() for record in group]
    scored = [record for record in records if succeeded(record)]
    task = next((record["task"] for record in scored if "split_rule" in record["task"]), (scored or records)[0]["task"])
    metric = next((record["primary_metric"] for record in scored), None)
    tests = [(record.get("metrics") or {}).get("test") or {} for record in scored]
    return BoardColumn(
        title=title,
        task=task["name"],
        family=task["family"],
        **{name: task.get(name) for name in ("version", "source", "revision", "fingerprint")},
        protocol=records[0].get("protocol"),
        metric=metric,
        rows=task.get("rows") or {},
        split_rule=task.get("split_rule"),
        rows_without_limit=(task.get("rows_without_limit") or {}) if task.get("limit") else {},
        train_rows_available=task.get("train_rows_available"),
        warnings=tuple(task.get("warnings") or ()),
        truncated=_truncated_shares(ordered),
        seeds=tuple(sorted({record["seed"] for record in scored})),
        trivial=average(record.get("trivial_score") for record in scored),
        hurdle=best_baseline(places),
        running=tuple(titles[place] for place in candidates(places)),
        trivial_metrics=_trivial_metrics([(record.get("metrics") or {}).get("trivial") for record in scored]),
        metrics=tuple(dict.fromkeys(name for test in tests for name in numbers(test) if name != metric)),
        settings=_settings(tests),
        slices=slice_rows([slices_of(record, slices or {}) for record in scored]),
        searches=search_results((titles[place], group) for place, group in ordered.items()),
        recipe=_recipe({place: group for place, group in ordered.items() if not place.is_baseline}),
    )


def _trivial_metrics(trivial: Sequence[Mapping[str, Any] | None]) -> dict[str, float]:
    """Average each metric of the trivial answer; many records share one object."""
    known = {key: numbers(metrics) for key, metrics in {id(metrics): metrics for metrics in trivial}.items()}
    return mean_each(known[id(metrics)] for metrics in trivial)


def _truncated_shares(places: Mapping[BoardPlace, Sequence[Record]]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for place, records in places.items():
        for record in records:
            if succeeded(record) and "split_rule" in record["task"]:  # the board says nothing about older records
                shares[place.model] = max(shares.get(place.model, 0.0), truncated_share(record["task"]))
    return {model: share for model, share in shares.items() if share}


def _settings(tests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for test in tests:
        for name, value in test.items():
            if isinstance(value, (str, int)):  # faster than `str | int`, which is built for each value
                values[name][str(value)] = None
    return {name: " / ".join(sorted(texts)) for name, texts in values.items()}


def _recipe(places: Mapping[BoardPlace, Sequence[Record]]) -> dict[str, Values]:
    """Return the values of each recipe field, each with the names of architectures, models or rows trained with it.

    Of these three, the widest names are used that determine the value.
    """
    recipes: dict[tuple[int, str], Mapping[str, Any]] = {}

    def recipe_key(record: Record) -> tuple[int, str]:
        """Add the recipe of a record to `recipes`, where many records share one object."""
        fitted = {name: field["value"] for name, field in (record.get("fitted") or {}).items()}
        key = (id(record.get("recipe")), canonical(fitted) if fitted else "")
        if key not in recipes:
            recipes[key] = trained_recipe(record)
        return key

    cells: dict[tuple[tuple[int, str], tuple[str, ...]], None] = {}
    for place, records in places.items():
        for record in records:
            names = (record["model"].get("architecture") or "", place.model, f"{place.model} · {place.method}")
            cells[recipe_key(record), names] = None
    values_of = {}
    for field in dict.fromkeys(field for key, _ in cells for field in recipes[key]):
        values = {key: (canonical(recipe.get(field)), recipe.get(field)) for key, recipe in recipes.items()}
        values_of[field] = _values([(*values[key], names) for key, names in cells])
    return values_of


def _values(cells: Sequence[tuple[str, Any, tuple[str, ...]]]) -> Values:
    """Return the values of a field with their names.

    A cell is the value as text, the value, and names from wide to narrow.
    """
    values = {text: value for text, value, _ in cells}
    if len(values) == 1:
        return ((cells[0][1], ()),)
    for level in range(len(cells[0][2])):
        owners = {text: tuple(sorted({names[level] for other, _, names in cells if other == text})) for text in values}
        if sum(map(len, owners.values())) == len({names[level] for *_, names in cells}):
            break
    return tuple((values[text], owners[text]) for text in sorted(values))
