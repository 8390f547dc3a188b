"""One row of the board: a model with a method and a recipe, over all tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.methods import BASELINE
from harness.published import Published
from harness.report.beaten import judge
from harness.report.columns import Column, row_order, row_title
from harness.report.costs import Costed, Number, Range, of_entries, of_row
from harness.report.entries import Entry, Standing, average, highest, make_entry, mark_column
from harness.report.groups import Place, succeeded
from harness.report.references import Reference, references
from harness.slices import Slices
from harness.store import Record


@dataclass(frozen=True)
class Row(Costed):
    """One model, method and recipe.

    Attributes:
        title: the model, and the method unless it is `full`, or the row a baseline's.
        entries: column title → entry; a column that the row has no record for is missing.
        published: column title → what others have published of this model; columns without any are missing.
        average: mean of the columns' means; None unless the row has a score in every column.
        best: the highest average, or one equal to it to two digits, by the same rules as an entry's.
        costs: name → number, or smallest and largest of its cells, which differ by their heads; of `harness.report.costs.COSTS`.
    """

    title: str
    model: str
    method: str
    architecture: str | None
    source: str | None
    entries: Mapping[str, Entry]
    published: Mapping[str, tuple[Reference, ...]]
    average: float | None
    best: bool
    costs: Mapping[str, Number | Range | None]

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was fine-tuned."""
        return self.method == BASELINE


BEST_BASELINE = "best baseline"


def table_rows(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """The rows of a table of models × tasks.

    Baselines that are made for some of the columns only have one row together, with the best baseline of each column. Those of
    every column keep their rows.
    """
    partial = [row for row in rows if row.is_baseline and any(column.title not in row.entries for column in columns)]
    if not partial:
        return tuple(rows)
    named = {row.title: row for row in rows if row.is_baseline}
    entries = {one.title: named[one.hurdle.model].entries[one.title] for one in columns if one.hurdle}
    kept = [row for row in rows if row not in partial]
    if not entries:
        return tuple(kept)
    mean = average(entry.mean for entry in entries.values()) if _whole(entries, columns) else None
    first = highest({row.title: row.average for row in kept if row.best} | {BEST_BASELINE: mean}) if mean else set()
    costs = of_entries(entries.values())
    best = Row(
        BEST_BASELINE, BEST_BASELINE, BASELINE, BASELINE, None, entries, {}, mean, BEST_BASELINE in first, costs
    )
    if first:
        kept = [replace(row, best=row.title in first) for row in kept]
    return tuple(sorted([*kept, best], key=_rank))


def make_rows(
    places: Mapping[Place, list[Record]],
    columns: Sequence[Column],
    trivial: float | None,
    published: Sequence[Published] = (),
    standings: Mapping[Place, Standing] | None = None,
    slices: Mapping[str, Slices] | None = None,
) -> tuple[Row, ...]:
    """All rows, in the board's order; `trivial` is the trivial answers' average, which the best one must beat."""
    beside: dict[tuple[str, str], dict[str, tuple[Reference, ...]]] = {}
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    records: dict[tuple[str, str], list[Record]] = {}
    for column in columns:
        wheres = sorted((where for where in places if where.task == column.title), key=row_order)
        baselines = {number for number, where in enumerate(wheres) if where.is_baseline}
        marked = zip(
            wheres, mark_column([make_entry(places[where], slices) for where in wheres], baselines), strict=True
        )
        sure = {where: replace(entry, standing=(standings or {}).get(where)) for where, entry in marked}
        for where, entry in judge(sure, column.hurdle).items():
            entries.setdefault((where.model, where.method), {})[column.title] = entry
            records.setdefault((where.model, where.method), []).extend(places[where])
            if found := references(entry, places[where], published):
                beside.setdefault((where.model, where.method), {})[column.title] = found
    averages = {
        key: average(entry.mean for entry in found.values()) for key, found in entries.items() if _whole(found, columns)
    }
    fair = {
        key: value for key, value in averages.items() if not any("few-seeds" in e.flags for e in entries[key].values())
    }
    best = {key for key in highest(fair) if trivial is None or fair[key] > trivial}
    rows = [
        _row(key, entries[key], beside.get(key, {}), records[key], averages.get(key), key in best) for key in entries
    ]
    return tuple(sorted(rows, key=_rank))


def _row(
    key: tuple[str, str],
    entries: dict[str, Entry],
    beside: dict[str, tuple[Reference, ...]],
    records: list[Record],
    mean: float | None,
    best: bool,
) -> Row:
    model, method = key
    facts = records[0]["model"]
    return Row(
        title=row_title(model, method),
        model=model,
        method=method,
        architecture=facts.get("architecture"),
        source=facts.get("source"),
        entries=entries,
        published=beside,
        average=mean,
        best=best,
        costs=of_row([record for record in records if succeeded(record)]),
    )


def _whole(entries: Mapping[str, Entry], columns: Sequence[Column]) -> bool:
    return all(column.title in entries and entries[column.title].mean is not None for column in columns)


def _rank(row: Row) -> tuple[Any, ...]:
    scored = sum(entry.mean is not None for entry in row.entries.values())
    return (row.average is None, -(row.average or 0.0), -scored, row.is_baseline, row.title, row.method)
