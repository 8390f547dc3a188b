"""One row of the board: a model with a method and a recipe, over all tasks; and published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.grouping.contenders import EQUAL, BestBaseline, average
from harness.grouping.costs import Costed, Number, NumberRange, combined_costs, row_costs
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
        metric: name of the metric in our records.
        value: the published number (0-100).
        ours: our mean over seeds on the same scale; None if no seed has a score.
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
    """Return the published numbers for the model and task of an entry, the primary metric first."""
    if not records:
        return ()
    primary = next((record["primary_metric"] for record in records if succeeded(record)), None)
    scores = []
    for number in published:
        if number.concerns(records[0]):
            ours = _our_score(number.metric, entry, primary)
            difference = None if ours is None else ours - number.value
            scores.append(
                PublishedScore(
                    number.metric, number.value, ours, difference, number.split, number.source, number.note
                )
            )
    return tuple(sorted(scores, key=lambda score: score.metric != primary))


def _our_score(name: str, entry: Entry, primary: str | None) -> float | None:
    """Return our metric on the scale of scores. All metrics of a task have the scale of its primary metric."""
    if name == primary:
        return entry.mean
    value = entry.metrics.get(name)
    if value is None or entry.mean is None or primary is None:
        return None
    is_share = entry.mean and abs(entry.mean - 100 * entry.metrics.get(primary, 0.0)) < 1e-6 * abs(entry.mean)
    return value * (100.0 if is_share else 1.0)


def flag_by_baseline(entries: Mapping[BoardPlace, Entry], best: BestBaseline | None) -> dict[BoardPlace, Entry]:
    """Flag the entries of a column that are not shown to beat the best baseline, with `baseline` or `unproven`.

    With standings, two entries that share a letter cannot be told apart. Without, only the means are compared.
    """
    if best is None:
        return dict(entries)
    baseline = next(entry for place, entry in entries.items() if place.is_baseline and place.model == best.model)
    return {
        place: entry if place.is_baseline else _flagged(entry, best.mean, baseline) for place, entry in entries.items()
    }


def _flagged(entry: Entry, baseline_mean: float, baseline: Entry) -> Entry:
    if entry.mean is None:
        return entry
    if entry.mean <= baseline_mean + EQUAL:
        return replace(entry, flags=("baseline", *entry.flags), best=False)
    if entry.standing and baseline.standing and entry.standing.groups & baseline.standing.groups:
        return replace(entry, flags=("unproven", *entry.flags))
    return entry


@dataclass(frozen=True)
class Row(Costed):
    """A row of the board: one model, method and recipe.

    Attributes:
        title: the model; with the method unless that is `full` or a baseline.
        entries: column title → entry, for columns in which the row has a record.
        published: column title → published numbers of this model, if there are any.
        average: mean over all columns; None unless the row has a score in each.
        best: whether the average is the highest, or equal to it to two digits, by the same rules as for an entry.
        costs: name of a column of `harness.grouping.costs.COSTS` → number, or smallest and largest of the cells.
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
    costs: Mapping[str, Number | NumberRange | None]

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was fine-tuned."""
        return self.method == BASELINE


def table_rows(rows: Sequence[Row], columns: Sequence[BoardColumn]) -> tuple[Row, ...]:
    """Return the rows of the main table.

    Baselines that exist for some columns only are combined into one row with the best baseline of each column.
    Baselines of every column keep their rows.
    """
    partial = [row for row in rows if row.is_baseline and any(column.title not in row.entries for column in columns)]
    if not partial:
        return tuple(rows)
    baselines = {row.title: row for row in rows if row.is_baseline}
    entries = {
        column.title: baselines[column.hurdle.model].entries[column.title] for column in columns if column.hurdle
    }
    shown = [row for row in rows if row not in partial]
    if not entries:
        return tuple(shown)
    mean = _average(entries, columns)
    best = highest({row.title: row.average for row in shown if row.best} | {BEST_BASELINE: mean}) if mean else set()
    if best:
        shown = [replace(row, best=row.title in best) for row in shown]
    combined = Row(
        title=BEST_BASELINE,
        model=BEST_BASELINE,
        method=BASELINE,
        architecture=BASELINE,
        source=None,
        entries=entries,
        published={},
        average=mean,
        best=BEST_BASELINE in best,
        costs=combined_costs(entries.values()),
    )
    return tuple(sorted([*shown, combined], key=_sort_key))


@dataclass
class _RowParts:
    """What is collected of one row, column by column."""

    entries: dict[str, Entry] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    published: dict[str, tuple[PublishedScore, ...]] = field(default_factory=dict)


def make_rows(
    places: Mapping[BoardPlace, list[Record]],
    columns: Sequence[BoardColumn],
    trivial: float | None,
    published: Sequence[Published] = (),
    standings: Mapping[BoardPlace, Standing] | None = None,
    slices: Mapping[str, Slices] | None = None,
) -> tuple[Row, ...]:
    """Return all rows in the order of the board. The best row must beat `trivial`, the average trivial score."""
    rows: dict[tuple[str, str], _RowParts] = {}
    for column in columns:
        column_places = sorted((place for place in places if place.task == column.title), key=row_order)
        baselines = {number for number, place in enumerate(column_places) if place.is_baseline}
        marked = mark_column([make_entry(places[place], slices) for place in column_places], baselines)
        entries = {
            place: replace(entry, standing=(standings or {}).get(place))
            for place, entry in zip(column_places, marked, strict=True)
        }
        for place, entry in flag_by_baseline(entries, column.hurdle).items():
            row = rows.setdefault((place.model, place.method), _RowParts())
            row.entries[column.title] = entry
            row.records += places[place]
            if scores := published_scores(entry, places[place], published):
                row.published[column.title] = scores
    averages = {key: mean for key, row in rows.items() if (mean := _average(row.entries, columns)) is not None}
    comparable = {
        key: mean
        for key, mean in averages.items()
        if not any("few-seeds" in entry.flags for entry in rows[key].entries.values())
    }
    best = {key for key in highest(comparable) if trivial is None or comparable[key] > trivial}
    made = []
    for (model, method), row in rows.items():
        facts = row.records[0]["model"]
        made.append(
            Row(
                title=row_title(model, method),
                model=model,
                method=method,
                architecture=facts.get("architecture"),
                source=facts.get("source"),
                entries=row.entries,
                published=row.published,
                average=averages.get((model, method)),
                best=(model, method) in best,
                costs=row_costs([record for record in row.records if succeeded(record)]),
            )
        )
    return tuple(sorted(made, key=_sort_key))


def _average(entries: Mapping[str, Entry], columns: Sequence[BoardColumn]) -> float | None:
    """Return the mean over all columns; None unless each has a score."""
    if any(column.title not in entries or entries[column.title].mean is None for column in columns):
        return None
    return average(entry.mean for entry in entries.values())


def _sort_key(row: Row) -> tuple[Any, ...]:
    scored = sum(entry.mean is not None for entry in row.entries.values())
    return (row.average is None, -(row.average or 0.0), -scored, row.is_baseline, row.title, row.method)
