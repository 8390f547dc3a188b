"""The leaderboard as data: a pure function of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from harness import record_parsing
from harness.grouping.board_records import BoardRecords
from harness.grouping.contenders import average
from harness.grouping.groups import BoardPlace, identified, main_places, records_by_place, succeeded
from harness.grouping.row_names import row_order
from harness.grouping.titles import canonical
from harness.methods import BASELINE
from harness.predictions import Slices
from harness.published import Published
from harness.report.board_columns import BoardColumn, make_column
from harness.report.board_rows import Row, make_rows, table_rows
from harness.report.commands import commands
from harness.report.curves import Curve, make_curves
from harness.stats.over_tasks import Overall
from harness.stats.standings import Standings
from harness.store import Record

PRETRAINED, RANDOM = "full", "scratch"
MIN_TEST_ROWS = 6  # all of n test rows favour the same of two models by chance with probability 2 / 2 ** n


@dataclass(frozen=True)
class Gain:
    """The points that pre-training adds to one model on one task.

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


@dataclass(frozen=True)
class Failure:
    """A cell without a score: its error type, the first line of its error message, its task and its model."""

    id: str
    type: str
    message: str
    task: str
    model: str


@dataclass(frozen=True)
class BoardEnvironment:
    """An environment as stored in records, and the number of cells that ran in it."""

    facts: Mapping[str, Any]
    cells: int


@dataclass(frozen=True)
class Board:
    """A table of models × tasks.

    Attributes:
        columns: by title.
        rows: by average, best first; rows without an average by the number of their scores; then by title. Baselines
            are listed among the models, after models with an equal average.
        trivial_average: mean of the trivial scores; None unless each column has one.
        notes: sentences about the records, such as which models of the same name were kept apart.
        overall: ranks over all tasks; None without statistics or with a single task.
        failures: cells without a score.
        gains: gain of pre-training, for models with both `full` and `scratch`.
        environments: where the cells ran.
        commands: `bench run` commands that reproduce the records.
        suites: names of the suites of the cells.
        dates: days (UTC, ISO 8601) of the first start and the last end; None if no record has them.
        cells: number of records on the board.
        curves: scores by number of training rows, for tasks with several numbers; columns show the largest one only.
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
        published: Sequence[Published] = (),
        standings: Standings | None = None,
    ) -> Board:
        """Make the board of these records, which may be in any order.

        Args:
            records: whole records, or records cut to what a board needs.
            published: published numbers to show beside the entries.
            standings: the statistics of these records; None for a board without statistics.
        """
        records = BoardRecords.of(records)
        all_places, grouping_notes = standings.places if standings else records_by_place(filter(identified, records))
        places = main_places(all_places)
        shown = [record for group in all_places.values() for record in group]
        slices = standings.slices if standings else {}
        columns = _columns(places, slices)
        trivial_scores = [column.trivial for column in columns]
        trivial = average(trivial_scores) if None not in trivial_scores else None
        # Only the environments of models are shown: baselines may have run elsewhere.
        environments = _environments([record for record in shown if record["method"] != BASELINE] or shown)
        suites = tuple(sorted({record["suite"] for record in shown if record.get("suite")}))
        notes = list(grouping_notes)
        if len(environments) > 1:
            notes.append(f"The cells ran in {len(environments)} different environments: times and memory are not comparable.")
        notes += standings.notes if standings else ()
        notes += _few_rows_notes(columns)
        notes += [record_parsing.damage_note(records.damaged)] if records.damaged else []
        if len(suites) > 1:
            notes.append(f"The cells come from several suites: {', '.join(suites)}.")
        return cls(
            columns=columns,
            rows=make_rows(places, columns, trivial, published, standings.of if standings else None, slices),
            trivial_average=trivial,
            notes=tuple(notes),
            overall=standings.overall if standings else None,
            failures=failures_of([*shown, *(record for record in records if not identified(record))]),
            gains=_gains(places),
            environments=environments,
            commands=commands(all_places),
            suites=suites,
            dates=_dates(shown),
            cells=len(shown),
            curves=make_curves(
                all_places, standings.of if standings else {}, standings.overtakings if standings else None
            ),
        )


def failures_of(records: Iterable[Record]) -> tuple[Failure, ...]:
    """Return all failed cells, sorted by id."""
    failed = sorted((record for record in records if not succeeded(record)), key=lambda record: record["id"])
    return tuple(map(_failure, failed))


def _failure(record: Record) -> Failure:
    error = record.get("error") or {
        "type": "score",
        "message": f"the score is {record.get('score')}, which is no number",
    }
    lines = str(error.get("message") or "").strip().splitlines() or [""]
    names = record["task"]["name"], record["model"]["name"]
    return Failure(record["id"], str(error.get("type") or "unknown"), lines[0], *names)


def _columns(places: Mapping[BoardPlace, list[Record]], slices: Mapping[str, Slices]) -> tuple[BoardColumn, ...]:
    by_title: dict[str, dict[BoardPlace, list[Record]]] = {}
    for where in sorted(places, key=row_order):
        by_title.setdefault(where.task, {})[where] = places[where]
    return tuple(make_column(title, column_places, slices) for title, column_places in sorted(by_title.items()))


def _gains(places: Mapping[BoardPlace, list[Record]]) -> tuple[Gain, ...]:
    """Return a gain for each model, recipe and task with both methods and a common seed."""
    scores = {
        (where.model, where.task, where.method): {
            record["seed"]: record["score"] for record in records if succeeded(record)
        }
        for where, records in places.items()
    }
    gains = []
    for (model, task, method), pretrained in sorted(scores.items()):
        random = scores.get((model, task, RANDOM), {})
        seeds = tuple(seed for seed in sorted(pretrained) if seed in random)
        if method == PRETRAINED and seeds:
            differences = [pretrained[seed] - random[seed] for seed in seeds]
            sd = stdev(differences) if len(differences) > 1 else None
            gains.append(Gain(model, task, average(differences), sd, seeds))
    return tuple(gains)


def _environments(records: Sequence[Record]) -> tuple[BoardEnvironment, ...]:
    """Return the different environments, the one with the most cells first. Failed cells may have none."""
    facts = [record["environment"] for record in records if record.get("environment")]
    # Many records share one object, so each object is turned into text once.
    texts = {id(environment): canonical(environment) for environment in {id(one): one for one in facts}.values()}
    by_text = {texts[id(environment)]: environment for environment in facts}
    cells = Counter(texts[id(environment)] for environment in facts)
    return tuple(
        BoardEnvironment(by_text[text], cells[text]) for text in sorted(by_text, key=lambda text: (-cells[text], text))
    )


def _few_rows_notes(columns: Iterable[BoardColumn]) -> list[str]:
    """Return a sentence for each column with too few test rows for any exact test to be significant."""
    return [
        f"{column.title}: its {rows} test {'row is' if rows == 1 else 'rows are'} too few to tell any two models apart"
        f" (at the level 0.05 that takes {MIN_TEST_ROWS} at least)."
        for column in columns
        if 0 < (rows := column.rows.get("test", 0)) < MIN_TEST_ROWS
    ]


def _dates(records: Sequence[Record]) -> tuple[str, str] | None:
    days = {time[:10] for record in records for time in (record.get("started"), record.get("finished")) if time}
    return (min(days), max(days)) if days else None
