"""One cell of the board: what the seeds of one model, task, method and recipe gave together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from harness.methods import BASELINE
from harness.report.costs import Costed, Number, of_entry
from harness.report.groups import succeeded
from harness.report.ranks import Interval, split, told
from harness.report.slices import means, slices_of
from harness.slices import Slices
from harness.store import Record
from harness.trouble import Trouble, trouble_of_seeds

TRUNCATED_SHARE = 0.05  # of the test rows; more than that is marked
EQUAL = 1e-9  # a mean of equal numbers may differ from them in the last bit
DIGITS = 2  # of scores: what is equal to so many is a tie


@dataclass(frozen=True)
class Lead:
    """By how much one mean is higher than another, in points, over the seeds that both have.

    The 95 % interval is over test rows and seeds, paired row by row and seed by seed; with one seed it is over test rows alone.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Troubled:
    """A sign of trouble in the trainings of an entry, and the seeds that show it; the text is the first one's."""

    trouble: Trouble
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Standing:
    """How sure a mean is, and what it differs from; from predictions, which a board does not read (see `harness.stats`).

    Attributes:
        letters: rows of a column that share one cannot be told apart; empty where there is only one row.
        low, high: a 95 % interval of the mean, over test rows and seeds.
        ranks: the least and the greatest rank in its column that it may have (see `harness.report.ranks`).
        brief: whether the board is to show ranks, because some of its rows have too many letters.
        behind: how far the first of the column's `running` is ahead of it; None for that one, and without a common seed.
    """

    letters: str
    low: float
    high: float
    ranks: Interval | None = None
    brief: bool = False
    behind: Lead | None = None

    @property
    def groups(self) -> set[str]:
        """The letters one by one."""
        return split(self.letters)

    @property
    def mark(self) -> str:
        """What stands behind the score."""
        return told(self.ranks) if self.brief and self.ranks else self.letters


@dataclass(frozen=True)
class Entry(Costed):
    """Means over the seeds that ended well.

    Attributes:
        scores: seed → score (0-100).
        failed: the seeds without a score.
        mean: None where no seed has a score.
        sd: sample standard deviation (n - 1) of the scores; None for fewer than two.
        flags: of `trivial` (mean not above the trivial answer's), `baseline` (nor above the best baseline's), `unproven` (above,
            but not told apart from it), `failed-training` (some seed's training failed, see `trouble`), `constant` (some seed's predictions are all the same), `truncated` (more than 5 % of the test rows were cut), `remote-code` (Python code from the model's repository was
            run), `searched` (its recipe was chosen by a search), `few-seeds` (another entry of the column has more). Baselines have neither of the first five.
        best: the column's highest mean, or one equal to it to two digits. See `mark_column`.
        costs: name → number, of `harness.report.costs.COSTS`.
        standing: how sure the mean is; None where nobody has looked.
        metrics: metric → mean on test, in its library's own scale.
        slices: kind → part → figure → mean over the seeds, see `harness.report.slices.means`.
        trouble: signs that the trainings failed or fell short.
    """

    scores: Mapping[int, float]
    failed: tuple[int, ...]
    mean: float | None
    sd: float | None
    flags: tuple[str, ...]
    best: bool
    costs: Mapping[str, Number | None]
    metrics: Mapping[str, float]
    slices: Slices
    standing: Standing | None = None
    trouble: tuple[Troubled, ...] = ()

    @property
    def untrained(self) -> bool:
        """Whether each training with a score counts as failed, so that the mean says nothing about the model."""
        return untrained(self.scores, self.trouble)


def make_entry(records: Sequence[Record], slices: Mapping[str, Slices] | None = None) -> Entry:
    """The entry of one place's records, one a seed; `slices`: by the ids of records that hold none."""
    good = [record for record in records if succeeded(record)]
    scores = {record["seed"]: float(record["score"]) for record in good}
    mean = average(scores.values())
    metrics = [record.get("metrics") or {} for record in good]
    trouble = troubled(good)
    return Entry(
        scores=scores,
        failed=tuple(record["seed"] for record in records if not succeeded(record)),
        mean=mean,
        sd=stdev(scores.values()) if len(scores) > 1 else None,
        flags=_flags(mean, good, trouble),
        best=False,
        costs=of_entry(good),
        metrics=mean_each(numbers(part.get("test")) for part in metrics),
        slices=means([slices_of(record, slices or {}) for record in good]),
        trouble=trouble,
    )


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


def mark_column(entries: Sequence[Entry], baselines: Collection[int] = ()) -> list[Entry]:
    """A column's entries with `few-seeds` and `best` set; `baselines` are the places of those that are of baselines.

    Best is the highest mean of those with the most seeds, for a lucky single seed must not beat a mean of three. Nothing
    is best that does not beat the trivial answer, nor whose trainings failed, nor a score that stands alone. The seeds of baselines, most of which use none,
    are not counted.
    """
    most = max((len(entry.scores) for number, entry in enumerate(entries) if number not in baselines), default=0)
    marked = [
        replace(entry, flags=(*entry.flags, "few-seeds"))
        if number not in baselines and 0 < len(entry.scores) < most
        else entry
        for number, entry in enumerate(entries)
    ]
    means = {
        number: entry.mean
        for number, entry in enumerate(marked)
        if entry.scores and "few-seeds" not in entry.flags and not entry.untrained
    }
    best = highest(means)
    return [replace(entry, best=number in best and "trivial" not in entry.flags) for number, entry in enumerate(marked)]


def highest(values: Mapping[Any, float]) -> set[Any]:
    """The keys of the highest value and of those equal to it as shown; none where there is nothing to compare with."""
    if len(values) < 2:
        return set()
    top = max(round(value, DIGITS) for value in values.values())
    return {key for key, value in values.items() if round(value, DIGITS) == top}


def average(values: Any) -> float | None:
    """The mean of the values that are not None; None where there are none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def mean_each(mappings: Any) -> dict[str, float]:
    """Key → mean over the mappings that have it, in order of the keys' first appearance."""
    found: dict[str, list[float]] = defaultdict(list)
    for mapping in mappings:
        for name, value in mapping.items():
            found[name].append(value)
    return {name: fmean(values) for name, values in found.items()}


def numbers(metrics: Mapping[str, Any] | None) -> dict[str, float]:
    """The finite metrics that are measured; counts and texts (`total`, `signature`) are settings of the metric."""
    return {name: value for name, value in (metrics or {}).items() if isinstance(value, float) and math.isfinite(value)}


def _flags(mean: float | None, records: Sequence[Record], trouble: Sequence[Troubled]) -> tuple[str, ...]:
    if mean is None:
        return ()
    trivial = average(record.get("trivial_score") for record in records)
    model = records[0]["method"] != BASELINE  # what a model should not do is what a baseline is for
    found = {
        "trivial": model and trivial is not None and mean <= trivial + EQUAL,
        "failed-training": any(one.trouble.failed for one in trouble),
        "constant": model and any(record.get("constant") for record in records),
        "truncated": any(truncated_share(record["task"]) > TRUNCATED_SHARE for record in records),
        "remote-code": any(record["model"].get("remote_code") for record in records),
        "searched": any(record.get("search") for record in records),
    }
    return tuple(name for name, true in found.items() if true)


def truncated_share(task: Mapping[str, Any]) -> float:
    """The share of test rows that were cut to fit."""
    rows = (task.get("rows") or {}).get("test") or 0
    return (task.get("truncated") or {}).get("test", 0) / rows if rows else 0.0
