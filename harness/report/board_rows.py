"""One row of the board: a model with a method and a recipe, over all tasks; and published numbers beside its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.grouping.contenders import EQUAL, BestBaseline, average
from harness.grouping.costs import Costed, Number, Range, of_entries, of_row
from harness.grouping.groups import BoardPlace, succeeded
from harness.grouping.row_names import row_order, row_title
from harness.methods import BASELINE
from harness.predictions import Slices
from harness.published import Published
from harness.report.board_columns import BoardColumn
from harness.report.entries import Entry, highest, make_entry, mark_column
from harness.stats.standings import Standing
from harness.store import Record

BEST_BASELINE = "best baseline"


@dataclass(frozen=True)
class PublishedScore:
    """A published number and ours.

    Attributes:
        metric: name in our metrics.
        value: the published number (0-100).
        ours: our mean over seeds on the same scale; None where no seed has a score.
        difference: ours minus the published number.
        split, source, note: as in `Published`.
    """

    metric: str
    value: float
    ours: float | None
    difference: float | None
    split: str
    source: str
    note: str


def published_scores(entry: Entry, records: Sequence[Record], published: Sequence[Published]) -> tuple[PublishedScore, ...]:
    """Published numbers for the model and task of an entry, the primary metric first."""
    if not records:
        return ()
    primary = next((record["primary_metric"] for record in records if succeeded(record)), None)
    concerning = [one for one in published if one.concerns(records[0])]
    ours = {name: _our_score(name, entry, primary) for name in dict.fromkeys(one.metric for one in concerning)}
    return tuple(
        PublishedScore(
            metric=one.metric,
            value=one.value,
            ours=ours[one.metric],
            difference=None if ours[one.metric] is None else ours[one.metric] - one.value,
            split=one.split,
            source=one.source,
            note=one.note,
        )
        for one in sorted(concerning, key=lambda one: one.metric != primary)
    )


def _our_score(name: str, entry: Entry, primary: str | None) -> float | None:
    """Our metric on the scale of scores. All metrics of a task have the same scale, so the primary one determines it."""
    if name == primary:
        return entry.mean
    value = entry.metrics.get(name)
    if value is None or entry.mean is None or primary is None:
        return None
    return value * _scale(entry.mean, entry.metrics, primary)


def _scale(mean: float, metrics: Mapping[str, float], primary: str) -> float:
    """The factor that brings metrics to 0-100: 1 or 100."""
    return 100.0 if mean and abs(mean - 100 * metrics.get(primary, 0.0)) < 1e-6 * abs(mean) else 1.0


def flag_by_baseline(entries: Mapping[BoardPlace, Entry], best: BestBaseline | None) -> dict[BoardPlace, Entry]:
    """The entries of a column, with the flag `baseline` or `unproven` where they are not shown to beat the best baseline.

    With standings, two entries that share a letter cannot be told apart. Without, only the means are compared.
    """
    if best is None:
        return dict(entries)
    theirs = next(entry for where, entry in entries.items() if where.is_baseline and where.model == best.model)
    return {where: entry if where.is_baseline else _flagged(entry, best, theirs) for where, entry in entries.items()}


def _flagged(entry: Entry, best: BestBaseline, theirs: Entry) -> Entry:
    if entry.mean is None:
        return entry
    if entry.mean <= best.mean + EQUAL:
        return replace(entry, flags=("baseline", *entry.flags), best=False)
    ours, other = entry.standing, theirs.standing
    if ours is not None and other is not None and ours.groups & other.groups:
        return replace(entry, flags=("unproven", *entry.flags))
    return entry


@dataclass(frozen=True)
class Row(Costed):
    """A row of the board: one model, method and recipe.

    Attributes:
        title: the model; with the method unless that is `full` or a baseline.
        entries: column title → entry, for columns in which the row has a record.
        published: column title → published numbers of this model, where there are any.
        average: mean over all columns; None unless the row has a score in each.
        best: whether the average is the highest, or equal to it to two digits, by the same rules as for an entry.
        costs: name of a `harness.grouping.costs.COSTS` → number, or smallest and largest of the cells.
    """

    title: str
    model: str
    method: str
    architecture: str | None
    source: str | None
    entries: Mapping[str, Entry]
    published: Mapping[str, tuple[PublishedScore, ...]]
    average: float | None
    best: bool
    costs: Mapping[str, Number | Range | None]

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was fine-tuned."""
        return self.method == BASELINE


def table_rows(rows: Sequence[Row], columns: Sequence[BoardColumn]) -> tuple[Row, ...]:
    """The rows of the main table.

    Baselines that exist for some columns only are shown as one row with the best baseline of each column. Those of every column keep
    their rows.
    """
    partial = [row for row in rows if row.is_baseline and any(column.title not in row.entries for column in columns)]
    if not partial:
        return tuple(rows)
    named = {row.title: row for row in rows if row.is_baseline}
    entries = {one.title: named[one.hurdle.model].entries[one.title] for one in columns if one.hurdle}
    shown = [row for row in rows if row not in partial]
    if not entries:
        return tuple(shown)
    mean = average(entry.mean for entry in entries.values()) if _complete(entries, columns) else None
    first = highest({row.title: row.average for row in shown if row.best} | {BEST_BASELINE: mean}) if mean else set()
    costs = of_entries(entries.values())
    best = Row(
        BEST_BASELINE, BEST_BASELINE, BASELINE, BASELINE, None, entries, {}, mean, BEST_BASELINE in first, costs
    )
    if first:
        shown = [replace(row, best=row.title in first) for row in shown]
    return tuple(sorted([*shown, best], key=_rank))


def make_rows(
    places: Mapping[BoardPlace, list[Record]],
    columns: Sequence[BoardColumn],
    trivial: float | None,
    published: Sequence[Published] = (),
    standings: Mapping[BoardPlace, Standing] | None = None,
    slices: Mapping[str, Slices] | None = None,
) -> tuple[Row, ...]:
    """All rows in the order of the board; `trivial` is the average trivial score, which the best row must beat."""
    beside: dict[tuple[str, str], dict[str, tuple[PublishedScore, ...]]] = {}
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    records: dict[tuple[str, str], list[Record]] = {}
    for column in columns:
        wheres = sorted((where for where in places if where.task == column.title), key=row_order)
        baselines = {number for number, where in enumerate(wheres) if where.is_baseline}
        marked = zip(
            wheres, mark_column([make_entry(places[where], slices) for where in wheres], baselines), strict=True
        )
        sure = {where: replace(entry, standing=(standings or {}).get(where)) for where, entry in marked}
        for where, entry in flag_by_baseline(sure, column.hurdle).items():
            entries.setdefault((where.model, where.method), {})[column.title] = entry
            records.setdefault((where.model, where.method), []).extend(places[where])
            if scores := published_scores(entry, places[where], published):
                beside.setdefault((where.model, where.method), {})[column.title] = scores
    averages = {
        key: average(entry.mean for entry in scores.values()) for key, scores in entries.items() if _complete(scores, columns)
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
    beside: dict[str, tuple[PublishedScore, ...]],
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


def _complete(entries: Mapping[str, Entry], columns: Sequence[BoardColumn]) -> bool:
    return all(column.title in entries and entries[column.title].mean is not None for column in columns)


def _rank(row: Row) -> tuple[Any, ...]:
    scored = sum(entry.mean is not None for entry in row.entries.values())
    return (row.average is None, -(row.average or 0.0), -scored, row.is_baseline, row.title, row.method)
