"""One cell of the board: the mean over the seeds of one model, task, method and recipe, with flags and costs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

import msgspec

from harness.grouping.contenders import DIGITS, EQUAL, EntryTrouble, average, entry_trouble, untrained
from harness.grouping.costs import Costed, Number, entry_costs
from harness.grouping.groups import succeeded
from harness.methods import BASELINE
from harness.predictions import Slices
from harness.stats.standings import Standing
from harness.store import Record

PHENOMENON = "phenomenon"
CLASS_METRICS = {"precision", "recall", "f1"}  # metrics of a slice that is a class; its score is its F1
SMALL = 20  # slices with fewer rows are marked, because their scores are mostly chance
TRUNCATED_SHARE = 0.05  # a larger share of truncated test rows is marked


def slices_of(record: Record, computed: Mapping[str, Slices]) -> Slices:
    """Return the slices of a record, including its phenomena: kind → slice name → metric → number.

    Args:
        record: the record.
        computed: record id → slices, for older records that do not store them.
    """
    metrics = record.get("metrics") or {}
    slices = metrics.get("slices") or computed.get(record["id"]) or {}
    if isinstance(slices, bytes):  # not parsed yet, see `harness.grouping.board_records`
        slices = msgspec.json.decode(slices)
    phenomena = metrics.get("phenomena")
    return {**slices, **({PHENOMENON: phenomena} if phenomena else {})}


def slice_means(slices_by_seed: Sequence[Slices]) -> Slices:
    """Average each metric of each slice over the seeds that have it; the metric `seeds` is the number of seeds."""
    means: dict[str, dict[str, dict[str, float]]] = {}
    for kind, slices in _by_slice(slices_by_seed).items():
        for name, seeds in slices.items():
            metrics = dict.fromkeys(metric for seed in seeds for metric in seed if metric != "rows")
            values = {metric: [seed[metric] for seed in seeds if seed.get(metric) is not None] for metric in metrics}
            known = {metric: fmean(numbers) for metric, numbers in values.items() if numbers}
            means.setdefault(kind, {})[name] = {"seeds": len(seeds), **known}
    return means


def slice_rows(slices_by_seed: Sequence[Slices]) -> dict[str, dict[str, int]]:
    """Return the number of rows of each slice: kind → slice name → rows."""
    return {
        kind: {name: max(int(seed.get("rows") or 0) for seed in seeds) for name, seeds in slices.items()}
        for kind, slices in _by_slice(slices_by_seed).items()
    }


def best_on_slice(scores: Mapping[Any, float | None], preferred: Any) -> Any:
    """Return the key of the highest score, or `preferred` if its score is equal to two digits."""
    rounded = {key: round(value, 2) for key, value in scores.items() if value is not None}
    if not rounded:
        return None
    top = max(rounded.values())
    return preferred if rounded.get(preferred) == top else next(key for key, value in rounded.items() if value == top)


def has_class_scores(slices: Slices, kind: str) -> bool:
    """Whether the scores of a kind are F1 scores of classes, rather than the task's metric on some of the rows."""
    return any(part.keys() - {"seeds", "rows", "score"} == CLASS_METRICS for part in slices.get(kind, {}).values())


def _by_slice(slices_by_seed: Iterable[Slices]) -> dict[str, dict[str, list[Mapping[str, float]]]]:
    by_kind: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for slices in slices_by_seed:
        for kind, parts in slices.items():
            for name, part in parts.items():
                by_kind.setdefault(kind, {}).setdefault(name, []).append(part)
    return by_kind


@dataclass(frozen=True)
class Entry(Costed):
    """The mean over the successful seeds of one model, task, method and recipe.

    Attributes:
        scores: seed → score (0-100).
        failed: seeds without a score.
        mean: mean score; None if no seed has one.
        sd: sample standard deviation (n - 1) of the scores; None for fewer than two.
        flags: some of `trivial` (the mean is not above the trivial answer's), `baseline` (nor above the best
            baseline's), `unproven` (above the best baseline's, but not significantly), `failed-training` (the training
            of a seed failed, see `trouble`), `constant` (all predictions of a seed are equal), `truncated` (more than 5
            % of the test rows were truncated), `remote-code` (Python code from the model's repository was run),
            `searched` (a search chose the recipe) and `few-seeds` (another entry of the column has more seeds).
            Baselines have none of the first five.
        best: whether the mean is the highest of the column, or equal to it to two digits. See `mark_column`.
        costs: name of a column of `harness.grouping.costs.COSTS` → number.
        metrics: metric → mean on test, in the scale of its library.
        slices: see `slice_means`.
        standing: the interval and group of the mean; None without statistics.
        trouble: signs that trainings failed or fell short.
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
    trouble: tuple[EntryTrouble, ...] = ()

    @property
    def untrained(self) -> bool:
        """Whether every training with a score failed, so that the mean says nothing about the model."""
        return untrained(self.scores, self.trouble)


def make_entry(records: Sequence[Record], slices: Mapping[str, Slices] | None = None) -> Entry:
    """Return the entry of records that differ only in their seeds.

    Args:
        records: one for each seed.
        slices: record id → slices, for records that do not store them.
    """
    scored = [record for record in records if succeeded(record)]
    scores = {record["seed"]: float(record["score"]) for record in scored}
    mean = average(scores.values())
    trouble = entry_trouble(scored)
    return Entry(
        scores=scores,
        failed=tuple(record["seed"] for record in records if not succeeded(record)),
        mean=mean,
        sd=stdev(scores.values()) if len(scores) > 1 else None,
        flags=_flags(mean, scored, trouble),
        best=False,
        costs=entry_costs(scored),
        metrics=mean_each(numbers((record.get("metrics") or {}).get("test")) for record in scored),
        slices=slice_means([slices_of(record, slices or {}) for record in scored]),
        trouble=trouble,
    )


def mark_column(entries: Sequence[Entry], baselines: Collection[int] = ()) -> list[Entry]:
    """Return the entries of a column with `few-seeds` and `best` set.

    The best entry has the highest mean among the entries with the most seeds, because a lucky single seed must not beat
    a mean of three. It must beat the trivial answer, at least one of its trainings must have succeeded, and there must
    be another entry.

    Args:
        entries: the entries of the column.
        baselines: positions of baselines. Their seeds are not counted, as most of them use none.
    """
    most = max((len(entry.scores) for number, entry in enumerate(entries) if number not in baselines), default=0)
    marked = [
        replace(entry, flags=(*entry.flags, "few-seeds"))
        if number not in baselines and 0 < len(entry.scores) < most
        else entry
        for number, entry in enumerate(entries)
    ]
    best = highest(
        {
            number: entry.mean
            for number, entry in enumerate(marked)
            if entry.scores and "few-seeds" not in entry.flags and not entry.untrained
        }
    )
    return [replace(entry, best=number in best and "trivial" not in entry.flags) for number, entry in enumerate(marked)]


def highest(values: Mapping[Any, float]) -> set[Any]:
    """Return the keys of the highest value and of values equal to it to two digits; empty for fewer than two values."""
    if len(values) < 2:
        return set()
    top = max(round(value, DIGITS) for value in values.values())
    return {key for key, value in values.items() if round(value, DIGITS) == top}


def mean_each(mappings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Average the values of each key over the mappings that have it, in the order of first appearance."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for mapping in mappings:
        for name, value in mapping.items():
            by_name[name].append(value)
    return {name: fmean(values) for name, values in by_name.items()}


def numbers(metrics: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the finite floats of `metrics`; counts and texts (`total`, `signature`) are settings of the metric."""
    return {name: value for name, value in (metrics or {}).items() if isinstance(value, float) and math.isfinite(value)}


def _flags(mean: float | None, records: Sequence[Record], trouble: Sequence[EntryTrouble]) -> tuple[str, ...]:
    if mean is None:
        return ()
    trivial = average(record.get("trivial_score") for record in records)
    is_model = records[0]["method"] != BASELINE
    conditions = {
        "trivial": is_model and trivial is not None and mean <= trivial + EQUAL,
        "failed-training": any(sign.trouble.failed for sign in trouble),
        "constant": is_model and any(record.get("constant") for record in records),
        "truncated": any(truncated_share(record["task"]) > TRUNCATED_SHARE for record in records),
        "remote-code": any(record["model"].get("remote_code") for record in records),
        "searched": any(record.get("search") for record in records),
    }
    return tuple(name for name, applies in conditions.items() if applies)


def truncated_share(task: Mapping[str, Any]) -> float:
    """Return the share of test rows that were truncated (0-1)."""
    rows = (task.get("rows") or {}).get("test") or 0
    return (task.get("truncated") or {}).get("test", 0) / rows if rows else 0.0
