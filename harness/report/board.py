"""The leaderboard as data, a pure function of records; with gains of pre-training, failed cells and environments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from harness import recorded
from harness.grouping.board_records import BoardRecords
from harness.grouping.contenders import average
from harness.grouping.groups import BoardPlace, identified, main_places, place, succeeded
from harness.grouping.row_names import row_order
from harness.grouping.titles import canonical
from harness.methods import BASELINE
from harness.predictions import Slices
from harness.published import Published
from harness.report.board_columns import BoardColumn, make_column
from harness.report.board_rows import Row, make_rows, table_rows
from harness.report.commands import commands
from harness.report.curves import Curve, curves
from harness.stats.over_tasks import Overall
from harness.stats.standings import Standings
from harness.store import Record

PRETRAINED, RANDOM = "full", "scratch"
LEAST_ROWS = 6  # test rows: all of n rows favour the same of two models by chance with probability 2 / 2 ** n


@dataclass(frozen=True)
class Gain:
    """Points that pre-training adds to one model on one task.

    Attributes:
        model: name on the board.
        task: title of the column.
        mean: mean of `full` minus `scratch` over the seeds that both have.
        sd: sample standard deviation of the differences; None for a single seed.
        seeds: the seeds that both have.
    """

    model: str
    task: str
    mean: float
    sd: float | None
    seeds: tuple[int, ...]


def gains(places: Mapping[BoardPlace, list[Record]]) -> tuple[Gain, ...]:
    """A gain for each model, recipe and task with both methods and a common seed."""
    scores = {
        (where.model, where.task, where.method): {
            record["seed"]: record["score"] for record in records if succeeded(record)
        }
        for where, records in places.items()
    }
    pairs = []
    for (model, task, method), pretrained in sorted(scores.items()):
        random = scores.get((model, task, RANDOM), {})
        seeds = tuple(seed for seed in sorted(pretrained) if seed in random)
        if method == PRETRAINED and seeds:
            differences = [pretrained[seed] - random[seed] for seed in seeds]
            spread = stdev(differences) if len(differences) > 1 else None
            pairs.append(Gain(model, task, average(differences), spread, seeds))
    return tuple(pairs)


@dataclass(frozen=True)
class Failure:
    """A cell without a score: its error's type, the first line of the message, and the names of its task and model."""

    id: str
    type: str
    message: str
    task: str
    model: str


@dataclass(frozen=True)
class BoardEnvironment:
    """An environment in which `cells` cells ran; `facts` as records hold them."""

    facts: Mapping[str, Any]
    cells: int


def failures(records: Iterable[Record]) -> tuple[Failure, ...]:
    """All failed cells, sorted by id."""
    return tuple(
        _failure(record) for record in sorted(records, key=lambda record: record["id"]) if not succeeded(record)
    )


def environments(records: Sequence[Record]) -> tuple[BoardEnvironment, ...]:
    """The different environments, the one with the most cells first. Failed cells may have none."""
    recorded = [record["environment"] for record in records if record.get("environment")]
    names = {key: canonical(one) for key, one in {id(one): one for one in recorded}.items()}  # many share one object
    facts = {names[id(one)]: one for one in recorded}
    cells = Counter(names[id(one)] for one in recorded)
    return tuple(BoardEnvironment(facts[key], cells[key]) for key in sorted(facts, key=lambda key: (-cells[key], key)))


def _failure(record: Record) -> Failure:
    error = record.get("error") or {
        "type": "score",
        "message": f"the score is {record.get('score')}, which is no number",
    }
    lines = str(error.get("message") or "").strip().splitlines() or [""]
    names = record["task"]["name"], record["model"]["name"]
    return Failure(record["id"], str(error.get("type") or "unknown"), lines[0], *names)


@dataclass(frozen=True)
class Board:
    """A table of models × tasks.

    Attributes:
        columns: in the requested order, then by title.
        rows: by average, best first; rows without an average by the number of their scores; then by title. Baselines stand among
            the models, after those that are equal to them.
        trivial_average: mean of the trivial scores; None unless each column has one.
        notes: sentences about the records, such as models that had to be kept apart.
        overall: the rows over all tasks; None without statistics or with a single task.
        failures: cells without a score.
        gains: gain of pre-training, for models with both `full` and `scratch`.
        environments: where the cells ran.
        commands: `bench run` commands that make these records.
        suites: names of the suites of the cells.
        dates: days (UTC, ISO 8601) of the first start and the last end; None where no record has them.
        cells: number of records that count.
        curves: scores by number of training rows, for tasks with several; columns have the largest number alone.
    """

    columns: tuple[BoardColumn, ...]
    rows: tuple[Row, ...]
    trivial_average: float | None
    notes: tuple[str, ...]
    overall: Overall | None
    failures: tuple[Failure, ...]
    gains: tuple[Gain, ...]
    environments: tuple[BoardEnvironment, ...]
    commands: tuple[str, ...]
    suites: tuple[str, ...]
    dates: tuple[str, str] | None
    cells: int
    curves: tuple[Curve, ...] = ()

    @property
    def table_rows(self) -> tuple[Row, ...]:
        """The rows of the main table, see `harness.report.board_rows.table_rows`."""
        return table_rows(self.rows, self.columns)

    @classmethod
    def of(
        cls,
        records: Iterable[Record],
        order: Sequence[str] = (),
        published: Sequence[Published] = (),
        standings: Standings | None = None,
    ) -> Board:
        """The board of these records, in any order.

        Args:
            records: whole or cut records.
            order: names of the tasks that come first.
            published: published numbers to show beside the entries.
            standings: the statistics of these records; None: the board has none.
        """
        records = BoardRecords.of(records)
        all_places, grouping_notes = standings.places if standings else place(filter(identified, records))
        places, notes = main_places(all_places), list(grouping_notes)
        shown = [record for group in all_places.values() for record in group]
        slices = standings.slices if standings else {}
        columns = _columns(places, order, slices)
        known_trivial = [column.trivial for column in columns]
        trivial = average(known_trivial) if None not in known_trivial else None
        # Only environments of models count: baselines may have run elsewhere.
        trained = [record for record in shown if record["method"] != BASELINE]
        known = environments(trained or shown)
        if len(known) > 1:
            notes.append(f"The cells ran in {len(known)} different environments: times and memory are not comparable.")
        notes += standings.notes if standings else ()
        notes += few_rows(columns)
        notes += [recorded.damage_note(records.damaged)] if records.damaged else []
        suites = tuple(sorted({record["suite"] for record in shown if record.get("suite")}))
        if len(suites) > 1:
            notes.append(f"The cells come from several suites: {', '.join(suites)}.")
        return cls(
            columns=columns,
            rows=make_rows(places, columns, trivial, published, standings.of if standings else None, slices),
            trivial_average=trivial,
            notes=tuple(notes),
            overall=standings.overall if standings else None,
            failures=failures([*shown, *(record for record in records if not identified(record))]),
            gains=gains(places),
            environments=known,
            commands=commands(all_places),
            suites=suites,
            dates=_dates(shown),
            cells=len(shown),
            curves=curves(all_places, standings.of if standings else {}, standings.overtakings if standings else None),
        )


def _columns(
    places: Mapping[BoardPlace, list[Record]], order: Sequence[str], slices: Mapping[str, Slices]
) -> tuple[BoardColumn, ...]:
    by_title: dict[str, dict[BoardPlace, list[Record]]] = {}
    for where in sorted(places, key=row_order):
        by_title.setdefault(where.task, {})[where] = places[where]
    rank = {name: number for number, name in enumerate(order)}
    columns = [make_column(title, own, slices) for title, own in by_title.items()]
    return tuple(sorted(columns, key=lambda column: (rank.get(column.task, len(rank)), column.title)))


def few_rows(columns: Iterable[BoardColumn]) -> list[str]:
    """A sentence for each column with too few test rows for any exact test to be significant."""
    return [
        f"{column.title}: its {rows} test {'row is' if rows == 1 else 'rows are'} too few to tell any two models apart"
        f" (at the level 0.05 that takes {LEAST_ROWS} at least)."
        for column in columns
        if 0 < (rows := column.rows.get("test", 0)) < LEAST_ROWS
    ]


def _dates(records: Sequence[Record]) -> tuple[str, str] | None:
    days = {time[:10] for record in records for time in (record.get("started"), record.get("finished")) if time}
    return (min(days), max(days)) if days else None
