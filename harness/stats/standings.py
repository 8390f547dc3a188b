"""How sure the scores of a board are and which of them differ, from the predictions beside the records.

`standings` is what the board, the page and `bench recommend` ask for. Columns are read from the cache where nothing has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.grouping.board_records import BoardRecords
from harness.grouping.contenders import running
from harness.grouping.groups import BoardPlace, Column, identified, main_places, place, succeeded
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
    """By how many points one mean is higher than another, over the seeds that both have, with a 95 % interval.

    The interval is over test rows and seeds, paired row by row and seed by seed. With one seed it is over test rows alone.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """How sure the mean of one cell of the board is, and which other rows of its column it cannot be told apart from.

    Attributes:
        letters: rows of a column that share a letter cannot be told apart. Empty where the column has only one row.
        low, high: 95 % interval of the mean, over test rows and seeds.
        ranks: lowest and highest rank in its column that the row may have (see `rank_intervals`).
        brief: whether the board shows ranks instead of letters, because some of its rows have too many letters.
        behind: how far the best row of the column (see `running`) is ahead. None for that row, and without a common seed.
    """

    letters: str
    low: float
    high: float
    ranks: RankInterval | None = None
    brief: bool = False
    behind: Lead | None = None

    @property
    def groups(self) -> set[str]:
        """The letters one by one."""
        return split_letters(self.letters)

    @property
    def mark(self) -> str:
        """The text behind a score: letters or ranks."""
        return rank_text(self.ranks) if self.brief and self.ranks else self.letters


@dataclass(frozen=True)
class Standings:
    """The statistics of a board.

    Attributes:
        of: place → its standing.
        notes: a sentence for each column without statistics.
        places: the records by place and notes on the grouping, as `harness.grouping.groups.place` returns them, so that a
            large board does not have to group its records twice.
        overall: the rows over all tasks. None for fewer than two tasks.
        overtakings: title of each learning curve → who overtakes whom.
        slices: record's id → its slices, for records that do not hold them.
    """

    of: Mapping[BoardPlace, Standing]
    notes: Sequence[str]
    places: tuple[dict[BoardPlace, list[Record]], list[str]]
    overall: Overall | None = None
    overtakings: Mapping[str, Overtakings] = field(default_factory=dict)
    slices: Mapping[str, Slices] = field(default_factory=dict)


def standings(store: Store, records: Iterable[Record]) -> Standings:
    """The standing of each row in each column of the board, over all tasks and on learning curves.

    p values are adjusted for all pairs of all columns (Holm 1979). Those of a learning curve are adjusted for the pairs and sizes
    of that curve. A column whose predictions cannot be used costs its own statistics and gives a note.

    Args:
        store: the results folder with the predictions.
        records: the records of the board.
    """
    places, grouping_notes = place(filter(identified, BoardRecords.of(records)))
    columns: dict[str, dict[BoardPlace, dict[int, Record]]] = {where.task: {} for where in places}
    main = {where.task for where in main_places(places)}
    for where, group in places.items():
        if good := {record["seed"]: record for record in group if succeeded(record)}:
            columns[where.task][where] = good
    statistics: dict[str, ColumnStatistics] = {}
    notes, tasks = [], []
    for title in sorted(columns):
        rows = columns[title]
        task = TaskScores(title, {(where.model, where.method): group for where, group in rows.items()})
        tasks += [task] if title in main else []
        if not rows:
            continue
        best = next(iter(running({where: list(group.values()) for where, group in rows.items()})), None)
        column = _CachedColumn(store, rows, best, cache_key(task.key, best and best.row_key))
        try:
            statistics[title] = column.statistics()
        except Exception as error:  # predictions and metrics may do anything; that costs this column, not the board
            if not isinstance(error, BenchError):
                LOG.warning("%s: no intervals and groups", title, exc_info=True)
            notes.append(f"{title}: no intervals and groups: {_sentence(error)}.")
            task.unknown = True
        else:
            task.draws = column.draws
    standing = _main_standings(columns, {title: one for title, one in statistics.items() if title in main})
    for title in statistics.keys() - main:
        standing |= {where: Standing("", *statistics[title].intervals[where.row_key]) for where in columns[title]}
    slices = {name: own for one in statistics.values() for name, own in one.slices.items()}
    overtakings = overtakings_by_curve(columns, statistics)
    return Standings(standing, notes, (places, grouping_notes), over_tasks(tasks), overtakings, slices)


class _CachedColumn:
    """The statistics of one column, from the cache where nothing has changed.

    Args:
        store: the results folder with the predictions.
        rows: place → seed → record, of those that have a score.
        best: the row that the lead over the others is measured from; None: no leads.
        key: the name in the cache.
    """

    def __init__(self, store: Store, rows: Column, best: BoardPlace | None, key: str):
        self._store, self._rows, self._best, self._key = store, rows, best, key
        self._statistics: ColumnStatistics | None = None

    def statistics(self) -> ColumnStatistics:
        """Intervals and tests."""
        self._statistics = cached_column(self._key) or self._compute()
        return self._statistics

    def draws(self) -> Mapping[str, Array]:
        """Row → [resamples] of its mean score; only after `statistics`."""
        draws = self._statistics.draws
        if draws is None:
            draws = cached_draws(self._key, list(self._statistics.intervals))
        return draws if draws is not None else self._compute().draws

    def _compute(self) -> ColumnStatistics:
        from harness.stats.column_statistics import compute_column

        return cache_column(self._key, compute_column(self._store, self._rows, self._best))


def _main_standings(columns: Mapping[str, Column], statistics: Mapping[str, ColumnStatistics]) -> dict[BoardPlace, Standing]:
    """Standings in the columns of the main table, with letters by p values that are adjusted over all of them."""
    pairs = [(title, *pair) for title, column in statistics.items() for pair in column.p]
    adjusted = holm([p for *_, p in pairs])
    different: dict[str, list[frozenset[str]]] = {}
    for (title, one, other, _), p in zip(pairs, adjusted, strict=True):
        if p < ALPHA:
            different.setdefault(title, []).append(frozenset((one, other)))
    by_place = {}
    for title, column in statistics.items():
        rows = {where.row_key: (where, _mean(records)) for where, records in columns[title].items()}
        ranked = sorted(rows, key=lambda name: (-rows[name][1], name))
        groups = letters(ranked, different.get(title, ())) if len(rows) > 1 else {}
        ranks = rank_intervals([(rows[name][1], split_letters(groups.get(name, "a"))) for name in ranked])
        for name, own in zip(ranked, ranks, strict=True):
            behind = Lead(*column.behind[name]) if name in column.behind else None
            by_place[rows[name][0]] = groups.get(name, ""), column.intervals[name], own if groups else None, behind
    brief = too_many_letters([own for own, *_ in by_place.values()])
    return {where: Standing(own, *ends, ranks, brief, behind) for where, (own, ends, ranks, behind) in by_place.items()}


def _sentence(error: Exception) -> str:
    """The message of an error on one line. For an unforeseen error its type comes first, and the log has the traceback."""
    message = " ".join(str(error).split())
    return message if isinstance(error, BenchError) else f"{type(error).__name__}: {message}"


def _mean(records: Mapping[int, Record]) -> float:
    return sum(record["score"] for record in records.values()) / len(records)
