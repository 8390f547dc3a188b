"""One cell of the board: what the seeds of one model, task, method and recipe gave together."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.grouping.costs import of_entry
from harness.grouping.groups import BoardPlace, succeeded
from harness.methods import BASELINE, METHODS
from harness.store import Record
from harness.trouble import Trouble, trouble_of_seeds

EQUAL = 1e-9  # a mean of equal numbers may differ from them in the last bit
DIGITS = 2  # of scores: what is equal to so many is a tie


@dataclass(frozen=True)
class Troubled:
    """A sign of trouble in the trainings of an entry, and the seeds that show it; the text is the first one's."""

    trouble: Trouble
    seeds: tuple[int, ...]


def troubled(records: Sequence[Record]) -> tuple[Troubled, ...]:
    """The signs of trouble in a place's records that ended well, one of a kind."""
    found: dict[tuple[str, bool], tuple[Trouble, list[int]]] = {}
    for record in records:
        for one in record.get("trouble") or ():
            found.setdefault((one.kind, one.failed), (one, []))[1].append(record["seed"])
    if len(records) > 1 and records[0]["method"] != BASELINE:
        for one in trouble_of_seeds(records):
            found.setdefault((one.kind, one.failed), (one, [record["seed"] for record in records]))
    return tuple(Troubled(one, tuple(seeds)) for one, seeds in found.values())


def untrained(seeds: Collection[int], trouble: Sequence[Troubled]) -> bool:
    """Whether the training of each of the seeds failed."""
    return bool(seeds) and set(seeds) <= {seed for one in trouble if one.trouble.failed for seed in one.seeds}


def average(values: Any) -> float | None:
    """The mean of the values that are not None; None where there are none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


@dataclass(frozen=True)
class Hurdle:
    """The best baseline of a column.

    Attributes:
        model: its name on the board.
        mean: over its seeds (0-100).
    """

    model: str
    mean: float


def hurdle(places: Mapping[BoardPlace, Sequence[Record]]) -> Hurdle | None:
    """The best baseline of the places of a column; of equal ones the first in the alphabet."""
    means = {
        where.model: average(record["score"] for record in records if succeeded(record))
        for where, records in places.items()
        if where.is_baseline
    }
    known = [(-mean, model) for model, mean in means.items() if mean is not None]
    return Hurdle(min(known)[1], -min(known)[0]) if known else None


def running(places: Mapping[BoardPlace, Sequence[Record]]) -> list[BoardPlace]:
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


def _pretrained(where: BoardPlace) -> bool:
    return where.method not in METHODS or METHODS[where.method].pretrained
