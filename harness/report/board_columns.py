"""One column of the board: a task with its data, its metric and the recipes of its trainings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.grouping.contenders import BestBaseline, average, best_baseline, running
from harness.grouping.groups import BoardPlace, succeeded
from harness.grouping.recipe_variants import SearchResult, searches_of
from harness.grouping.row_names import row_order, row_title
from harness.grouping.titles import canonical
from harness.predictions import Slices
from harness.recipe import trained_by
from harness.report.entries import mean_each, numbers, slice_rows, slices_of, truncated_share
from harness.store import Record


@dataclass(frozen=True)
class BoardColumn:
    """The facts of a task that are needed to judge the numbers of its column.

    Attributes:
        title: unique title on the board.
        task: name of the task.
        metric: name of the primary metric; None where every cell failed.
        rows: split → number of rows.
        split_rule: how the splits were made; None where no record has it.
        rows_without_limit: split → number of rows without the limit; empty without one.
        train_rows_available: number of training rows where only a part was used, a different one for each seed; else None.
        warnings: findings of the check of the data before training.
        truncated: model → share (0-1) of its test rows that were truncated, where any was; from records with a split rule.
        seeds: all seeds that any model has a score for.
        trivial: score (0-100) of the trivial answer, which needs no model.
        hurdle: the best baseline; None where none was run.
        running: titles of the rows that a person may choose among, best first (see `harness.grouping.contenders.running`).
        trivial_metrics: metrics of the trivial answer, in the scale of their libraries.
        metrics: names of the secondary metrics.
        settings: settings of the metric, such as its signature; different values are joined.
        slices: kind → part → number of its test rows (for entity types: of entities).
        searches: the search of each row whose recipe was searched.
        recipe: recipe field → (value, names trained with it) pairs; one pair without names where all agree.
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
    recipe: Mapping[str, tuple[tuple[Any, tuple[str, ...]], ...]]


def make_column(
    title: str, places: Mapping[BoardPlace, Sequence[Record]], slices: Mapping[str, Slices] | None = None
) -> BoardColumn:
    """The column of places with the same task title; `slices` as in `make_entry`."""
    records = [record for place in sorted(places, key=row_order) for record in places[place]]
    good = [record for record in records if succeeded(record)]
    task = next((record["task"] for record in good if "split_rule" in record["task"]), (good or records)[0]["task"])
    metric = next((record["primary_metric"] for record in good), None)
    tests = [(record.get("metrics") or {}).get("test") or {} for record in good]
    secondary = {name: None for test in tests for name in numbers(test) if name != metric}
    return BoardColumn(
        title=title,
        task=task["name"],
        family=task["family"],
        version=task.get("version"),
        source=task.get("source"),
        revision=task.get("revision"),
        fingerprint=task.get("fingerprint"),
        protocol=records[0].get("protocol"),
        metric=metric,
        rows=task.get("rows") or {},
        split_rule=task.get("split_rule"),
        rows_without_limit=(task.get("rows_without_limit") or {}) if task.get("limit") else {},
        train_rows_available=task.get("train_rows_available"),
        warnings=tuple(task.get("warnings") or ()),
        truncated=_truncated_shares(places),
        seeds=tuple(sorted({record["seed"] for record in good})),
        trivial=average(record.get("trivial_score") for record in good),
        hurdle=best_baseline(places),
        running=tuple(row_title(where.model, where.method) for where in running(places)),
        trivial_metrics=_trivial_metrics([(record.get("metrics") or {}).get("trivial") for record in good]),
        metrics=tuple(secondary),
        settings=_settings(tests),
        slices=slice_rows([slices_of(record, slices or {}) for record in good]),
        searches=searches_of(
            (row_title(where.model, where.method), places[where])
            for where in sorted(places, key=row_order)
        ),
        recipe=_recipe({where: secondary for where, secondary in places.items() if not where.is_baseline}),
    )


def _trivial_metrics(trivial: Sequence[Mapping[str, Any] | None]) -> dict[str, float]:
    """The mean of each metric of the trivial answer; many records share one object."""
    known = {key: numbers(metrics) for key, metrics in {id(metrics): metrics for metrics in trivial}.items()}
    return mean_each(known[id(metrics)] for metrics in trivial)


def trained_on(column: BoardColumn) -> str:
    """Which part of the training rows was used; empty where all were."""
    there = column.train_rows_available
    return f"{column.rows['train']:,} of {there:,} training rows, others for each seed" if there else ""


def _truncated_shares(places: Mapping[BoardPlace, Sequence[Record]]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for place in sorted(places, key=row_order):
        for record in places[place]:
            if succeeded(record) and "split_rule" in record["task"]:  # older records are left as they are
                shares[place.model] = max(shares.get(place.model, 0.0), truncated_share(record["task"]))
    return {model: share for model, share in shares.items() if share}


def _settings(tests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for test in tests:
        for name, value in test.items():
            if isinstance(value, (str, int)):  # faster than `str | int`, which is built for each value
                values[name][str(value)] = None
    return {name: " / ".join(sorted(texts)) for name, texts in values.items()}


def _recipe(places: Mapping[BoardPlace, Sequence[Record]]) -> dict[str, tuple[tuple[Any, tuple[str, ...]], ...]]:
    """Field → its values with their owners: architectures where these decide the value, else models, else rows."""
    recipes: dict[tuple[int, str], Mapping[str, Any]] = {}

    def used(record: Record) -> tuple[int, str]:
        """A key for the recipe of a record; many records share one object."""
        fitted = {name: one["value"] for name, one in (record.get("fitted") or {}).items()}
        key = (id(record.get("recipe")), canonical(fitted) if fitted else "")
        if key not in recipes:
            recipes[key] = trained_by(record)
        return key

    cells = list(
        dict.fromkeys(
            (
                used(record),
                (record["model"].get("architecture") or "", place.model, f"{place.model} · {place.method}"),
            )
            for place in sorted(places, key=row_order)
            for record in places[place]
        )
    )
    fields = dict.fromkeys(name for key, _ in cells for name in recipes[key])
    by_field = {
        field: {key: (canonical(recipe.get(field)), recipe.get(field)) for key, recipe in recipes.items()}
        for field in fields
    }
    return {field: _values([(*by_field[field][key], names) for key, names in cells]) for field in fields}


def _values(cells: Sequence[tuple[str, Any, tuple[str, ...]]]) -> tuple[tuple[Any, tuple[str, ...]], ...]:
    """The values of a field with their owners. A cell is canonical text, value, and names from wide to narrow."""
    values = {key: value for key, value, _ in cells}
    if len(values) == 1:
        return ((cells[0][1], ()),)
    for level in range(len(cells[0][2])):
        owners = {key: tuple(sorted({names[level] for own, _, names in cells if own == key})) for key in values}
        if sum(map(len, owners.values())) == len({names[level] for *_, names in cells}):
            break
    return tuple((values[key], owners[key]) for key in sorted(values))
