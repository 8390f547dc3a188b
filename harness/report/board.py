"""The leaderboard as data: a pure function of records. Whatever shows it only chooses letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.columns import Column, make_column, row_order
from harness.report.commands import commands
from harness.report.entries import Entry, average, highest, make_entry, mark_column
from harness.report.gains import Gain, gains
from harness.report.groups import Place, place, succeeded
from harness.report.runs import Environment, Failure, environments, failures
from harness.store import Record


@dataclass(frozen=True)
class Row:
    """One model, method and recipe.

    Attributes:
        title: the model, and the method unless it is `full`.
        entries: column title → entry; a column that the row has no record for is missing.
        average: mean of the columns' means; None unless the row has a score in every column.
        best: the highest average, or one equal to it to two digits.
        parameters: smallest and largest of its cells, which differ by their heads.
        train_seconds: mean of a cell's training steps.
        peak_memory_bytes: largest of its cells.
    """

    title: str
    model: str
    method: str
    architecture: str | None
    source: str | None
    entries: Mapping[str, Entry]
    average: float | None
    best: bool
    parameters: tuple[int, int] | None
    train_seconds: float | None
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Board:
    """Models × tasks.

    Attributes:
        columns: in the order asked for, then by title.
        rows: by average, best first, then those without one by the number of their scores; then by title.
        trivial_average: of the columns' trivial scores; None unless each has one.
        notes: sentences on what had to be kept apart.
        gains: what pre-training was worth, for models with both `full` and `scratch`.
        commands: `bench run` commands that make these records.
        suites: the names of the suites that the cells were run in.
        dates: the days (UTC, ISO 8601) of the first start and the last end; None where no record says.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    trivial_average: float | None
    notes: tuple[str, ...]
    failures: tuple[Failure, ...]
    gains: tuple[Gain, ...]
    environments: tuple[Environment, ...]
    commands: tuple[str, ...]
    suites: tuple[str, ...]
    dates: tuple[str, str] | None
    cells: int

    @classmethod
    def of(cls, records: Iterable[Record], order: Sequence[str] = ()) -> Board:
        """The board of these records, whatever their order; `order` names the tasks that come first."""
        records = sorted(records, key=lambda record: record["id"])
        places, notes = place(records)
        kept = [record for group in places.values() for record in group]
        columns = _columns(places, order)
        trivial = [column.trivial for column in columns]
        known = environments(kept)
        if len(known) > 1:
            notes.append(f"The cells ran in {len(known)} different environments: times and memory are not comparable.")
        suites = tuple(sorted({record["suite"] for record in kept if record.get("suite")}))
        if len(suites) > 1:
            notes.append(f"The cells come from several suites: {', '.join(suites)}.")
        return cls(
            columns=columns,
            rows=_rows(places, columns),
            trivial_average=average(trivial) if None not in trivial else None,
            notes=tuple(notes),
            failures=failures(kept),
            gains=gains(places),
            environments=known,
            commands=commands(places),
            suites=suites,
            dates=_dates(kept),
            cells=len(kept),
        )


def _columns(places: Mapping[Place, list[Record]], order: Sequence[str]) -> tuple[Column, ...]:
    by_title: dict[str, dict[Place, list[Record]]] = {}
    for where in sorted(places, key=row_order):
        by_title.setdefault(where.task, {})[where] = places[where]
    rank = {name: number for number, name in enumerate(order)}
    columns = [make_column(title, found) for title, found in by_title.items()]
    return tuple(sorted(columns, key=lambda column: (rank.get(column.task, len(rank)), column.title)))


def _rows(places: Mapping[Place, list[Record]], columns: Sequence[Column]) -> tuple[Row, ...]:
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    records: dict[tuple[str, str], list[Record]] = {}
    for column in columns:
        wheres = sorted((where for where in places if where.task == column.title), key=row_order)
        for where, entry in zip(wheres, mark_column([make_entry(places[where]) for where in wheres]), strict=True):
            entries.setdefault((where.model, where.method), {})[column.title] = entry
            records.setdefault((where.model, where.method), []).extend(places[where])
    averages = {key: average(entry.mean for entry in found.values()) for key, found in entries.items() if _whole(found, columns)}
    fair = {key: value for key, value in averages.items() if not any("few-seeds" in e.flags for e in entries[key].values())}
    best = highest(fair)
    rows = [_row(key, entries[key], records[key], averages.get(key), key in best) for key in entries]
    return tuple(sorted(rows, key=_rank))


def _row(key: tuple[str, str], entries: dict[str, Entry], records: list[Record], mean: float | None, best: bool) -> Row:
    model, method = key
    facts = records[0]["model"]
    sizes = [entry.parameters for entry in entries.values() if entry.parameters]
    seconds = [(record.get("cost") or {}).get("train_seconds") for record in records if succeeded(record)]
    return Row(
        title=model if method == "full" else f"{model} · {method}",
        model=model,
        method=method,
        architecture=facts.get("architecture"),
        source=facts.get("source"),
        entries=entries,
        average=mean,
        best=best,
        parameters=(min(sizes), max(sizes)) if sizes else None,
        train_seconds=average(seconds),
        peak_memory_bytes=max((entry.peak_memory_bytes for entry in entries.values() if entry.peak_memory_bytes), default=None),
    )


def _whole(entries: Mapping[str, Entry], columns: Sequence[Column]) -> bool:
    return all(column.title in entries and entries[column.title].mean is not None for column in columns)


def _rank(row: Row) -> tuple[Any, ...]:
    scored = sum(entry.mean is not None for entry in row.entries.values())
    return (row.average is None, -(row.average or 0.0), -scored, row.title, row.method)


def _dates(records: Sequence[Record]) -> tuple[str, str] | None:
    times = sorted(time[:10] for record in records for time in (record.get("started"), record.get("finished")) if time)
    return (times[0], times[-1]) if times else None
