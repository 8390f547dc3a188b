"""The statistics of a whole board, from the predictions beside the records: intervals, groups, ranks and leads.

The board, the page and `bench recommend` call `standings`. Unchanged columns are read from the cache.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.grouping.board_records import BoardRecords
from harness.grouping.contenders import candidates
from harness.grouping.groups import BoardPlace, ColumnRecords, identified, main_places, records_by_place, succeeded
from harness.predictions import Slices
from harness.stats.multiple_tests import (
    ALPHA,
    RankInterval,
    holm,
    letters,
    rank_intervals,
    rank_text,
    split_letters,
    too_many_letters,
)
from harness.stats.over_tasks import Overall, TaskScores, over_tasks
from harness.stats.overtaking import Overtakings, overtakings_by_curve
from harness.stats.statistics_cache import ColumnStatistics, cache_column, cache_key, cached_column, cached_draws
from harness.store import Record, Store

if TYPE_CHECKING:  # importing numpy takes a tenth of a second, and a board from the cache does not need it
    from harness.metrics.additive import Array

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lead:
    """The difference in points of two means over common seeds, with a paired 95 % interval over test rows and seeds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """The statistics of one entry of the board.

    Attributes:
        letters: rows of a column that share a letter cannot be told apart. Empty if the column has only one row.
        low, high: 95 % interval of the mean over test rows and seeds.
        ranks: lowest and highest rank in its column that the row may have (see `rank_intervals`).
        brief: whether the board shows ranks instead of letters, because some rows have too many letters.
        behind: the lead of the best row of the column (see `candidates`). None for that row, and without a common seed.
    """

    letters: str
    low: float
    high: float
    ranks: RankInterval | None = None
    brief: bool = False
    behind: Lead | None = None

    @property
    def groups(self) -> set[str]:
        """The letters as a set."""
        return split_letters(self.letters)

    @property
    def mark(self) -> str:
        """The mark behind a score: letters or ranks."""
        return rank_text(self.ranks) if self.brief and self.ranks else self.letters


@dataclass(frozen=True)
class Standings:
    """The statistics of a board.

    Attributes:
        of: place → its standing.
        notes: a sentence for each column without statistics.
        places: the result of `harness.grouping.groups.records_by_place`, so that boards need not group records again.
        overall: the rows over all tasks. None for fewer than two tasks.
        overtakings: title of each learning curve → its overtakings.
        slices: record id → slices, of the records that do not hold them.
    """

    of: Mapping[BoardPlace, Standing]
    notes: Sequence[str]
    places: tuple[dict[BoardPlace, list[Record]], list[str]]
    overall: Overall | None = None
    overtakings: Mapping[str, Overtakings] = field(default_factory=dict)
    slices: Mapping[str, Slices] = field(default_factory=dict)


def standings(store: Store, records: Iterable[Record]) -> Standings:
    """Compute the standings of all rows in all columns of a board, over all tasks, and on learning curves.

    p values are adjusted for all pairs of all columns (Holm 1979). Those of a learning curve are adjusted for the pairs
    and sizes of that curve. A column whose predictions cannot be used has no statistics, but a note.
    """
    places, grouping_notes = records_by_place(filter(identified, BoardRecords.of(records)))
    columns: dict[str, dict[BoardPlace, dict[int, Record]]] = {place.task: {} for place in places}
    main = {place.task for place in main_places(places)}
    for place, records in places.items():
        if good := {record["seed"]: record for record in records if succeeded(record)}:
            columns[place.task][place] = good
    statistics: dict[str, ColumnStatistics] = {}
    notes, tasks = [], []
    for title, column in sorted(columns.items()):
        task = TaskScores(title, {(place.model, place.method): records for place, records in column.items()})
        tasks += [task] if title in main else []
        if not column:
            continue
        best = next(iter(candidates({place: list(records.values()) for place, records in column.items()})), None)
        key = cache_key(task.key, best and best.row_key)
        compute = partial(_compute, store, column, best, key)
        try:
            statistics[title] = cached_column(key) or compute()
        except Exception as error:  # predictions and metrics may raise anything; the other columns stay
            if not isinstance(error, BenchError):
                LOG.warning("%s: no intervals and groups", title, exc_info=True)
            notes.append(f"{title}: no intervals and groups: {_sentence(error)}.")
            task.unknown = True
        else:
            task.draws = partial(_draws, statistics[title], key, compute)
    by_place = _main_standings(columns, {title: own for title, own in statistics.items() if title in main})
    for title in statistics.keys() - main:
        by_place |= {place: Standing("", *statistics[title].intervals[place.row_key]) for place in columns[title]}
    slices = {record: own for column in statistics.values() for record, own in column.slices.items()}
    overtakings = overtakings_by_curve(columns, statistics)
    return Standings(by_place, notes, (places, grouping_notes), over_tasks(tasks), overtakings, slices)


def _compute(store: Store, column: ColumnRecords, best: BoardPlace | None, key: str) -> ColumnStatistics:
    from harness.stats.column_statistics import compute_column

    return cache_column(key, compute_column(store, column, best))


def _draws(statistics: ColumnStatistics, key: str, compute: Callable[[], ColumnStatistics]) -> Mapping[str, Array]:
    """Row key → [resamples] of the mean score."""
    draws = statistics.draws
    if draws is None:
        draws = cached_draws(key, list(statistics.intervals))
    return draws if draws is not None else compute().draws


def _main_standings(
    columns: Mapping[str, ColumnRecords], statistics: Mapping[str, ColumnStatistics]
) -> dict[BoardPlace, Standing]:
    """The standings in the columns of the main table, with letters from p values that are adjusted over all of them."""
    pairs = [(title, *pair) for title, column in statistics.items() for pair in column.p]
    adjusted = holm([p for *_, p in pairs])
    different: dict[str, list[frozenset[str]]] = {}
    for (title, one, other, _), p in zip(pairs, adjusted, strict=True):
        if p < ALPHA:
            different.setdefault(title, []).append(frozenset((one, other)))
    by_place: dict[BoardPlace, Standing] = {}
    for title, column in statistics.items():
        places = {place.row_key: place for place in columns[title]}
        means = {key: _mean(columns[title][place]) for key, place in places.items()}
        ranked = sorted(means, key=lambda key: (-means[key], key))
        groups = letters(ranked, different.get(title, ())) if len(ranked) > 1 else {}
        ranks = rank_intervals([(means[key], split_letters(groups.get(key, "a"))) for key in ranked])
        for key, interval in zip(ranked, ranks, strict=True):
            behind = Lead(*column.behind[key]) if key in column.behind else None
            own_ranks = interval if groups else None
            by_place[places[key]] = Standing(groups.get(key, ""), *column.intervals[key], own_ranks, behind=behind)
    brief = too_many_letters([standing.letters for standing in by_place.values()])
    return {place: replace(standing, brief=brief) for place, standing in by_place.items()}


def _sentence(error: Exception) -> str:
    """The message of an error on one line, with the type of an unexpected error; the log has its traceback."""
    message = " ".join(str(error).split())
    return message if isinstance(error, BenchError) else f"{type(error).__name__}: {message}"


def _mean(records: Mapping[int, Record]) -> float:
    return sum(record["score"] for record in records.values()) / len(records)
