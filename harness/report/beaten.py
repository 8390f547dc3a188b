"""Which rows of a column are in the running, and which do better than what needs no fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.methods import METHODS
from harness.report.costs import of_entry
from harness.report.entries import DIGITS, EQUAL, Entry, average, troubled, untrained
from harness.report.groups import Place, succeeded
from harness.store import Record


@dataclass(frozen=True)
class Hurdle:
    """The best baseline of a column.

    Attributes:
        model: its name on the board.
        mean: over its seeds (0-100).
    """

    model: str
    mean: float


def hurdle(places: Mapping[Place, Sequence[Record]]) -> Hurdle | None:
    """The best baseline of the places of a column; of equal ones the first in the alphabet."""
    means = {
        where.model: average(record["score"] for record in records if succeeded(record))
        for where, records in places.items()
        if where.is_baseline
    }
    known = [(-mean, model) for model, mean in means.items() if mean is not None]
    return Hurdle(min(known)[1], -min(known)[0]) if known else None


def running(places: Mapping[Place, Sequence[Record]]) -> list[Place]:
    """The places of a column that a person may choose among, best first; of equal means the shortest training first.

    These are the models with the most seeds, without those whose trainings failed. Random weights (`scratch`) are there to
    compare with, and are not chosen unless there is nothing else.
    """
    good = {
        where: found
        for where, records in places.items()
        if not where.is_baseline and (found := [record for record in records if succeeded(record)])
    }
    good = {
        where: found
        for where, found in good.items()
        if not untrained([record["seed"] for record in found], troubled(found))
    }
    pretrained = {where: found for where, found in good.items() if _pretrained(where)}
    good = pretrained or good
    most = max(map(len, good.values()), default=0)
    keys = {}
    for where, found in good.items():
        if len(found) == most:
            seconds = of_entry(found)["train_seconds"]
            mean = average(record["score"] for record in found)
            keys[where] = -round(mean, DIGITS), math.inf if seconds is None else seconds, where.model, where.method
    return sorted(keys, key=lambda where: keys[where])


def _pretrained(where: Place) -> bool:
    return where.method not in METHODS or METHODS[where.method].pretrained


def judge(entries: Mapping[Place, Entry], best: Hurdle | None) -> dict[Place, Entry]:
    """The entries of a column with `baseline` or `unproven` among the flags of those that do not surely beat the best baseline.

    To be sure takes standings: two that share a letter cannot be told apart. Without, the mean alone counts.
    """
    if best is None:
        return dict(entries)
    theirs = next(entry for where, entry in entries.items() if where.is_baseline and where.model == best.model)
    return {where: entry if where.is_baseline else _judged(entry, best, theirs) for where, entry in entries.items()}


def _judged(entry: Entry, best: Hurdle, theirs: Entry) -> Entry:
    if entry.mean is None:
        return entry
    if entry.mean <= best.mean + EQUAL:
        return replace(entry, flags=("baseline", *entry.flags), best=False)
    ours, other = entry.standing, theirs.standing
    if ours is not None and other is not None and ours.groups & other.groups:
        return replace(entry, flags=("unproven", *entry.flags))
    return entry
