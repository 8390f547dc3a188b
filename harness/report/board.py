"""The leaderboard as data: a pure function of records. Whatever shows it only chooses letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness import recorded
from harness.methods import BASELINE
from harness.published import Published
from harness.report.columns import Column, make_column, row_order
from harness.report.commands import commands
from harness.report.crossed import Crossed
from harness.report.curves import Curve, curves
from harness.report.entries import Standing, average
from harness.report.gains import Gain, gains
from harness.report.groups import Place, identified, main_places, place
from harness.report.overall import Overall
from harness.report.parts import Needed
from harness.report.rows import Row, make_rows, table_rows
from harness.report.runs import Environment, Failure, environments, failures
from harness.slices import Slices
from harness.store import Record

LEAST_ROWS = 6  # of a test: all of n rows speak for one of two models by chance with probability 2 / 2 ** n


@dataclass(frozen=True)
class Standings:
    """What `harness.stats.standings` finds out of a board's records.

    Attributes:
        of: place → its standing.
        notes: a sentence for each column that there are none for.
        places: the records by place, and notes on that, as `harness.report.groups.place` gives them: a board of very many
            records need not find them again.
        overall: how the rows stand over all tasks; None for fewer than two tasks.
        crossed: title of each learning curve → who overtakes whom.
        slices: by the ids of records that hold none.
    """

    of: Mapping[Place, Standing]
    notes: Sequence[str]
    places: tuple[dict[Place, list[Record]], list[str]]
    overall: Overall | None = None
    crossed: Mapping[str, Crossed] = field(default_factory=dict)
    slices: Mapping[str, Slices] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """Models × tasks.

    Attributes:
        columns: in the order asked for, then by title.
        rows: by average, best first, then those without one by the number of their scores; then by title. Baselines stand among the
            models, behind those that are equal to them.
        trivial_average: of the columns' trivial scores; None unless each has one.
        notes: sentences on what had to be kept apart.
        overall: how the rows stand over all tasks; None where nobody has looked, or there is one task only.
        gains: what pre-training was worth, for models with both `full` and `scratch`.
        commands: `bench run` commands that make these records.
        suites: the names of the suites that the cells were run in.
        cells: the number of records that count.
        curves: scores by the number of training rows, of tasks that were trained on several; the columns have the largest alone.
        dates: the days (UTC, ISO 8601) of the first start and the last end; None where no record says.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    trivial_average: float | None
    notes: tuple[str, ...]
    overall: Overall | None
    failures: tuple[Failure, ...]
    gains: tuple[Gain, ...]
    environments: tuple[Environment, ...]
    commands: tuple[str, ...]
    suites: tuple[str, ...]
    dates: tuple[str, str] | None
    cells: int
    curves: tuple[Curve, ...] = ()

    @property
    def table_rows(self) -> tuple[Row, ...]:
        """The rows of a table of models × tasks, see `harness.report.rows.table_rows`."""
        return table_rows(self.rows, self.columns)

    @classmethod
    def of(
        cls,
        records: Iterable[Record],
        order: Sequence[str] = (),
        published: Sequence[Published] = (),
        standings: Standings | None = None,
    ) -> Board:
        """The board of these records, whatever their order.

        Args:
            order: the tasks that come first.
            published: numbers of others to stand beside ours.
            standings: how sure the means are, and what could not be found out.
        """
        records = Needed.of(records)
        every, said = standings.places if standings else place(filter(identified, records))
        places, notes = main_places(every), list(said)
        kept = [record for group in every.values() for record in group]
        slices = standings.slices if standings else {}
        columns = _columns(places, order, slices)
        known_trivial = [column.trivial for column in columns]
        trivial = average(known_trivial) if None not in known_trivial else None
        # Where baselines ran says nothing of models, which may have run on a GPU.
        trained = [record for record in kept if record["method"] != BASELINE]
        known = environments(trained or kept)
        if len(known) > 1:
            notes.append(f"The cells ran in {len(known)} different environments: times and memory are not comparable.")
        notes += standings.notes if standings else ()
        notes += few_rows(columns)
        notes += [recorded.damage_note(records.damaged)] if records.damaged else []
        suites = tuple(sorted({record["suite"] for record in kept if record.get("suite")}))
        if len(suites) > 1:
            notes.append(f"The cells come from several suites: {', '.join(suites)}.")
        return cls(
            columns=columns,
            rows=make_rows(places, columns, trivial, published, standings.of if standings else None, slices),
            trivial_average=trivial,
            notes=tuple(notes),
            overall=standings.overall if standings else None,
            failures=failures([*kept, *(record for record in records if not identified(record))]),
            gains=gains(places),
            environments=known,
            commands=commands(every),
            suites=suites,
            dates=_dates(kept),
            cells=len(kept),
            curves=curves(every, standings.of if standings else {}, standings.crossed if standings else None),
        )


def _columns(
    places: Mapping[Place, list[Record]], order: Sequence[str], slices: Mapping[str, Slices]
) -> tuple[Column, ...]:
    by_title: dict[str, dict[Place, list[Record]]] = {}
    for where in sorted(places, key=row_order):
        by_title.setdefault(where.task, {})[where] = places[where]
    rank = {name: number for number, name in enumerate(order)}
    columns = [make_column(title, found, slices) for title, found in by_title.items()]
    return tuple(sorted(columns, key=lambda column: (rank.get(column.task, len(rank)), column.title)))


def few_rows(columns: Iterable[Column]) -> list[str]:
    """A sentence for each column with so few test rows that no exact test of them can be significant, whatever they show."""
    return [
        f"{column.title}: its {rows} test {'row is' if rows == 1 else 'rows are'} too few to tell any two models apart"
        f" (at the level 0.05 that takes {LEAST_ROWS} at least)."
        for column in columns
        if 0 < (rows := column.rows.get("test", 0)) < LEAST_ROWS
    ]


def _dates(records: Sequence[Record]) -> tuple[str, str] | None:
    days = {time[:10] for record in records for time in (record.get("started"), record.get("finished")) if time}
    return (min(days), max(days)) if days else None
