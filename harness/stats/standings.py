"""How sure the numbers of a board are, and which of them differ: read from the predictions beside the records."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.report.beaten import running
from harness.report.board import Standings
from harness.report.entries import Lead, Standing
from harness.report.groups import Place, identified, main_places, place, succeeded
from harness.report.parts import Needed
from harness.report.ranks import intervals, split, too_many
from harness.stats import kept
from harness.stats.holm import holm
from harness.stats.kept import Found
from harness.stats.letters import letters
from harness.stats.over_tasks import Task, over_tasks
from harness.stats.overtaking import crossed
from harness.stats.scores import key, scores
from harness.store import Record, Store

if TYPE_CHECKING:  # numpy takes a tenth of a second, and a board from the cache needs none
    from harness.metrics.additive import Array
    from harness.stats.luck import Prior
    from harness.stats.paired import Rows

ALPHA = 0.05
LOG = logging.getLogger(__name__)


def standings(store: Store, records: Iterable[Record]) -> Standings:
    """The standing of each row in each column of a board and over all of them, its intervals on learning curves and who overtakes
    whom there, and a note for each column of which predictions cannot be used.

    p values are adjusted for all pairs of all columns (Holm 1979); those of a learning curve's sizes for all of that curve.

    Args:
        store: where the predictions are.
        records: of the board.
    """
    places, said = place(filter(identified, Needed.of(records)))
    columns: dict[str, dict[Place, dict[int, Record]]] = {where.task: {} for where in places}
    main = {where.task for where in main_places(places)}
    for where, group in places.items():
        if good := {record["seed"]: record for record in group if succeeded(record)}:
            columns[where.task][where] = good
    found, notes, tasks = {}, [], []
    for title in sorted(columns):
        rows = columns[title]
        task = Task(title, {(where.model, where.method): group for where, group in rows.items()})
        tasks += [task] if title in main else []
        if not rows:
            continue
        best = next(iter(running({where: list(group.values()) for where, group in rows.items()})), None)
        name = kept.key(task.key, best and key(best))
        try:
            found[title] = _column(store, rows, name, best)
        except Exception as error:  # whatever predictions and a family's metric may do costs this column, not the board
            if not isinstance(error, BenchError):
                LOG.warning("%s: no intervals and groups", title, exc_info=True)
            notes.append(f"{title}: no intervals and groups: {_said(error)}.")
            task.unknown = True
        else:
            task.draws = lambda rows=rows, name=name, best=best, one=found[title]: _draws(store, rows, name, best, one)
    standing = _lettered(columns, {title: one for title, one in found.items() if title in main})
    for title in found.keys() - main:
        standing |= {where: Standing("", *found[title].intervals[key(where)]) for where in columns[title]}
    slices = {name: own for one in found.values() for name, own in one.slices.items()}
    return Standings(standing, notes, (places, said), over_tasks(tasks), crossed(columns, found), slices)


def _lettered(
    columns: Mapping[str, Mapping[Place, Mapping[int, Record]]], found: Mapping[str, Found]
) -> dict[Place, Standing]:
    every = [(task, *pair) for task in found for pair in found[task].p]
    adjusted = holm([p for *_, p in every])
    different = {
        (task, frozenset((one, other))) for (task, one, other, _), p in zip(every, adjusted, strict=True) if p < ALPHA
    }
    letters_of = {}
    for task, one in found.items():
        rows = {key(where): (where, records) for where, records in columns[task].items()}
        ranked = sorted(rows, key=lambda name: (-_mean(rows[name][1]), name))
        groups = letters(ranked, [pair for where, pair in different if where == task]) if len(rows) > 1 else {}
        places = intervals([(_mean(rows[name][1]), split(groups.get(name, "a"))) for name in ranked])
        for name, ranks in zip(ranked, places, strict=True):
            behind = Lead(*one.behind[name]) if name in one.behind else None
            letters_of[rows[name][0]] = groups.get(name, ""), one.intervals[name], ranks if groups else None, behind
    brief = too_many([own for own, *_ in letters_of.values()])
    return {
        where: Standing(own, *ends, ranks, brief, behind) for where, (own, ends, ranks, behind) in letters_of.items()
    }


def _column(store: Store, rows: Mapping[Place, Mapping[int, Record]], name: str, best: Place | None) -> Found:
    """One column, from the cache where nothing has changed since; `best` is what the others' `behind` is measured from."""
    return kept.column(name) or kept.keep(name, _compute(store, rows, best))


def _draws(
    store: Store, rows: Mapping[Place, Mapping[int, Record]], name: str, best: Place | None, found: Found
) -> Mapping[str, Array]:
    """Row → its mean scores on drawn seeds and rows: those of `found`, from the cache, or made anew."""
    known = found.draws if found.draws is not None else kept.draws(name, list(found.intervals))
    return known if known is not None else kept.keep(name, _compute(store, rows, best)).draws


def _compute(store: Store, rows: Mapping[Place, Mapping[int, Record]], best: Place | None) -> Found:
    import numpy as np

    from harness.stats.inner import redrawn
    from harness.stats.load import Scored, same_rows
    from harness.stats.luck import Luck
    from harness.stats.paired import Drawing, Rows, error_of, marks_of, right_or_wrong, spread, unlike

    drawing, first, drawn, slices, marks = None, None, {}, {}, {}
    for where, group in rows.items():
        for seed, record in sorted(group.items()):
            scored = Scored(store, record)
            if drawing is None:
                first, drawing = scored, Drawing(len(scored.ids), scored.resamples)
            same_rows(first, scored, record["id"])
            drawn[key(where), seed] = drawing.of(scored.metric)
            marks[key(where), seed] = marks_of(scored.metric)
            if not (record.get("metrics") or {}).get("slices"):
                slices[record["id"]] = scored.slices()
    count, shares = len(first.ids), right_or_wrong(first.metric)

    def taken(seeds: Iterable[int], name: str) -> tuple[Array, Array]:
        ours = [drawn[name, seed] for seed in seeds]
        return np.array([one.score for one in ours]), np.array([one.drawn for one in ours])

    def differences(one: str, other: str, both: Sequence[int]) -> tuple[Array, Array]:
        each, many = (ours - theirs for ours, theirs in zip(taken(both, one), taken(both, other), strict=True))
        return each, many

    def tested(one: str, other: str, both: Sequence[int]) -> Rows:
        return Rows(count, unlike([(marks[one, seed], marks[other, seed]) for seed in both]), shares)

    def apart(one: str, other: str, both: Sequence[int]) -> float:
        each, many = differences(one, other, both)
        return error_of(each, many, tested(one, other, both), luck.prior(one, other)).p(float(each.mean()))

    def ahead(one: str, other: str, both: Sequence[int]) -> tuple[float, float, float]:
        found = spread(*differences(one, other, both), tested(one, other, both), luck.prior(one, other))
        return found.value, found.low, found.high

    luck = Luck(scores(rows))
    leader = key(best) if best else None
    seeds = {key(where): set(group) for where, group in rows.items()}
    alone = Rows(count, shares=shares)
    ends = {name: _ends(*taken(sorted(own), name), alone, luck.prior(name)) for name, own in seeds.items()}
    pairs = [
        (one, other, apart(one, other, both))
        for one, other in combinations(sorted(seeds), 2)
        if (both := sorted(seeds[one] & seeds[other]))
    ]
    draws = {name: redrawn({seed: drawn[name, seed].drawn for seed in own}) for name, own in seeds.items()}
    behind = {
        name: ahead(leader, name, both)
        for name, own in seeds.items()
        if leader and name != leader and (both := sorted(seeds[leader] & own))
    }
    return Found(ends, pairs, draws, slices, behind)


def _ends(each: Array, many: Array, rows: Rows, prior: Prior | None) -> tuple[float, float]:
    """The interval of a mean; where no resample leaves a score's range, it ends there too."""
    from harness.stats.paired import spread

    mean = spread(each, many, rows, prior)
    low = max(0.0, mean.low) if many.min() >= 0.0 else mean.low
    return low, min(100.0, mean.high) if many.max() <= 100.0 else mean.high


def _said(error: Exception) -> str:
    """An error in a sentence; of one that nobody has foreseen, the log has the traceback."""
    told = " ".join(str(error).split())
    return told if isinstance(error, BenchError) else f"{type(error).__name__}: {told}"


def _mean(records: Mapping[int, Record]) -> float:
    return sum(record["score"] for record in records.values()) / len(records)
