"""The rows of a column that can be recommended, the best baseline, and failed trainings."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.grouping.costs import entry_costs
from harness.grouping.groups import BoardPlace, succeeded
from harness.methods import BASELINE, METHODS
from harness.store import Record
from harness.trouble import Trouble, trouble_of_seeds

EQUAL = 1e-9  # tolerance: means of equal numbers may differ in the last bit
DIGITS = 2  # decimal digits of scores; scores that are equal to two digits tie


@dataclass(frozen=True)
class EntryTrouble:
    """A sign of trouble in the trainings of an entry, as reported for the first seed, and all seeds that show it."""

    trouble: Trouble
    seeds: tuple[int, ...]


def entry_trouble(records: Sequence[Record]) -> tuple[EntryTrouble, ...]:
    """The signs of trouble in the successful records of an entry, one of each kind."""
    by_kind: dict[tuple[str, bool], tuple[Trouble, list[int]]] = {}
    for record in records:
        for trouble in record.get("trouble") or ():
            by_kind.setdefault((trouble.kind, trouble.failed), (trouble, []))[1].append(record["seed"])
    if len(records) > 1 and records[0]["method"] != BASELINE:
        for trouble in trouble_of_seeds(records):
            by_kind.setdefault((trouble.kind, trouble.failed), (trouble, [record["seed"] for record in records]))
    return tuple(EntryTrouble(trouble, tuple(seeds)) for trouble, seeds in by_kind.values())


def untrained(seeds: Collection[int], trouble: Sequence[EntryTrouble]) -> bool:
    """Whether the training of every seed failed."""
    return bool(seeds) and set(seeds) <= {seed for one in trouble if one.trouble.failed for seed in one.seeds}


def average(values: Any) -> float | None:
    """The mean of the values that are not None; None if there are none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


@dataclass(frozen=True)
class BestBaseline:
    """The best baseline of a column: its name on the board, and its mean over seeds (0-100)."""

    model: str
    mean: float


def best_baseline(places: Mapping[BoardPlace, Sequence[Record]]) -> BestBaseline | None:
    """The best baseline of a column, of equal ones the first by name. None if the column has no baseline."""
    means = {
        place.model: average(record["score"] for record in records if succeeded(record))
        for place, records in places.items()
        if place.is_baseline
    }
    known = [(-mean, model) for model, mean in means.items() if mean is not None]
    return BestBaseline(min(known)[1], -min(known)[0]) if known else None


def candidates(places: Mapping[BoardPlace, Sequence[Record]]) -> list[BoardPlace]:
    """The places of a column that can be recommended, best first; of equal means the shortest training first.

    These are the models with the most seeds, except those whose trainings all failed. Random weights (`scratch`) are
    for comparison, and are included only if there is nothing else.
    """
    good: dict[BoardPlace, list[Record]] = {}
    for place, records in places.items():
        scored = [record for record in records if succeeded(record)]
        seeds = [record["seed"] for record in scored]
        if scored and not place.is_baseline and not untrained(seeds, entry_trouble(scored)):
            good[place] = scored
    good = {place: scored for place, scored in good.items() if _pretrained(place)} or good
    most = max(map(len, good.values()), default=0)
    keys = {}
    for place, scored in good.items():
        if len(scored) == most:
            seconds = entry_costs(scored)["train_seconds"]
            mean = average(record["score"] for record in scored)
            keys[place] = -round(mean, DIGITS), math.inf if seconds is None else seconds, place.model, place.method
    return sorted(keys, key=keys.__getitem__)


def _pretrained(place: BoardPlace) -> bool:
    return place.method not in METHODS or METHODS[place.method].pretrained
