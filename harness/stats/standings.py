"""How sure the numbers of a board are, and which of them differ: read from the predictions beside the records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from harness.cache.place import cache_folder, prune, used, write
from harness.errors import BenchError
from harness.report.board import Standings
from harness.report.entries import Standing
from harness.report.groups import Place, identified, place, succeeded
from harness.report.parts import Needed
from harness.stats.holm import holm
from harness.stats.letters import letters
from harness.store import Record, Store

ALPHA = 0.05
VERSION = 1  # of what is computed here; part of the cache's keys


@dataclass(frozen=True)
class Found:
    """One task's intervals and tests.

    Attributes:
        intervals: row → low and high of its mean.
        p: pairs of rows, and the p value of their difference, not adjusted.
    """

    intervals: Mapping[str, tuple[float, float]]
    p: Sequence[tuple[str, str, float]]


def standings(store: Store, records: Iterable[Record]) -> Standings:
    """The standing of each row in each column of a board, and a note for each column of which predictions cannot be used.

    p values are adjusted for all pairs of all columns (Holm 1979).

    Args:
        store: where the predictions are.
        records: of the board.
    """
    places, said = place(filter(identified, Needed.of(records)))
    columns: dict[str, dict[Place, dict[int, Record]]] = {}
    for where, group in places.items():
        if good := {record["seed"]: record for record in group if succeeded(record)}:
            columns.setdefault(where.task, {})[where] = good
    found, notes = {}, []
    for task in sorted(columns):
        try:
            found[task] = _column(store, columns[task])
        except BenchError as error:
            notes.append(f"{task}: no intervals and groups: {error}.")
    return Standings(_lettered(columns, found), notes, (places, said))


def _lettered(
    columns: Mapping[str, Mapping[Place, Mapping[int, Record]]], found: Mapping[str, Found]
) -> dict[Place, Standing]:
    every = [(task, *pair) for task in found for pair in found[task].p]
    adjusted = holm([p for *_, p in every])
    different = {
        (task, frozenset((one, other))) for (task, one, other, _), p in zip(every, adjusted, strict=True) if p < ALPHA
    }
    standing = {}
    for task, one in found.items():
        rows = {_name(where): (where, records) for where, records in columns[task].items()}
        ranked = sorted(rows, key=lambda name: (-_mean(rows[name][1]), name))
        groups = letters(ranked, [pair for where, pair in different if where == task]) if len(rows) > 1 else {}
        for name, (where, _) in rows.items():
            standing[where] = Standing(groups.get(name, ""), *one.intervals[name])
    return standing


def _column(store: Store, rows: Mapping[Place, Mapping[int, Record]]) -> Found:
    """One column, from the cache where nothing has changed since."""
    facts = {_name(where): {seed: _identity(record) for seed, record in group.items()} for where, group in rows.items()}
    key = hashlib.sha256(json.dumps([VERSION, facts], sort_keys=True).encode()).hexdigest()
    folder = cache_folder("standings")
    path = folder / f"{key}.json" if folder else None
    if path and (known := _read(path)):
        return known
    found = _compute(store, rows)
    if path:
        write(path, lambda place: place.write_text(json.dumps([found.intervals, found.p]), encoding="utf-8"))
        prune(path.parent)
    return found


def _read(path: Any) -> Found | None:
    try:
        intervals, p = json.loads(path.read_text(encoding="utf-8"))
        found = Found({name: (low, high) for name, (low, high) in intervals.items()}, [tuple(pair) for pair in p])
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # there is none, or it is damaged: it is made anew
    used(path)
    return found


def _compute(store: Store, rows: Mapping[Place, Mapping[int, Record]]) -> Found:
    import numpy as np

    from harness.stats.load import Scored, same_rows
    from harness.stats.paired import Drawing, spread

    drawing, first, drawn = None, None, {}
    for where, group in rows.items():
        for seed, record in sorted(group.items()):
            scored = Scored(store, record)
            if drawing is None:
                first, drawing = scored, Drawing(len(scored.ids), scored.resamples)
            same_rows(first, scored, record["id"])
            drawn[_name(where), seed] = drawing.of(scored.metric)
    count = len(first.ids)

    def look(seeds: Iterable[int], name: str, other: str | None = None) -> Any:
        ours = [drawn[name, seed] for seed in seeds]
        each, many = np.array([one.score for one in ours]), np.array([one.drawn for one in ours])
        if other is not None:
            theirs = [drawn[other, seed] for seed in seeds]
            each, many = each - [one.score for one in theirs], many - np.array([one.drawn for one in theirs])
        return spread(each, many, count)

    seeds = {_name(where): set(group) for where, group in rows.items()}
    means = {name: look(sorted(own), name) for name, own in seeds.items()}
    pairs = [
        (one, other, look(both, one, other).p)
        for one, other in combinations(sorted(seeds), 2)
        if (both := sorted(seeds[one] & seeds[other]))
    ]
    return Found({name: (mean.low, mean.high) for name, mean in means.items()}, pairs)


def _identity(record: Record) -> list[Any]:
    return [record["id"], record.get("finished"), record["score"]]


def _name(where: Place) -> str:
    return f"{where.model}\n{where.method}"


def _mean(records: Mapping[int, Record]) -> float:
    return sum(record["score"] for record in records.values()) / len(records)
