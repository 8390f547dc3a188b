"""One cell of the board: the mean over the seeds of one model, task, method and recipe, with its flags, costs and slices."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

import msgspec

from harness.grouping.contenders import DIGITS, EQUAL, Troubled, average, troubled, untrained
from harness.grouping.costs import Costed, Number, of_entry
from harness.grouping.groups import succeeded
from harness.methods import BASELINE
from harness.predictions import Slices
from harness.stats.standings import Standing
from harness.store import Record

PHENOMENON = "phenomenon"
OF_CLASSES = ("precision", "recall", "f1")  # figures of a slice that is a class; its score is its F1
SMALL = 20  # a slice of fewer rows is marked: its score is mostly chance
TRUNCATED_SHARE = 0.05  # share of truncated test rows that is marked when exceeded


def slices_of(record: Record, computed: Mapping[str, Slices]) -> Slices:
    """The slices of a record, with its phenomena: kind → part → figure → number.

    Args:
        record: the record.
        computed: record's id → slices, for older records that do not hold them.
    """
    metrics = record.get("metrics") or {}
    own = metrics.get("slices") or computed.get(record["id"]) or {}
    if isinstance(own, bytes):  # see `harness.grouping.board_records`
        own = msgspec.json.decode(own)
    phenomena = metrics.get("phenomena")
    return {**own, **({PHENOMENON: phenomena} if phenomena else {})}


def slice_means(many: Sequence[Slices]) -> Slices:
    """Kind → part → figure → mean over the seeds that have it; the figure `seeds` is their number."""
    return {
        kind: {
            name: {
                "seeds": len(parts),
                **{
                    figure: fmean(known)
                    for figure in dict.fromkeys(figure for part in parts for figure in part)
                    if figure != "rows" and (known := [part[figure] for part in parts if part.get(figure) is not None])
                },
            }
            for name, parts in named.items()
        }
        for kind, named in _by_part(many).items()
    }


def slice_rows(many: Sequence[Slices]) -> dict[str, dict[str, int]]:
    """Kind → part → number of its rows."""
    return {
        kind: {name: max(int(part.get("rows") or 0) for part in parts) for name, parts in named.items()}
        for kind, named in _by_part(many).items()
    }


def best_on_slice(scores: Mapping[Any, float | None], first: Any) -> Any:
    """The key of the highest score; `first` where its score is equal to two digits."""
    known = {key: round(value, 2) for key, value in scores.items() if value is not None}
    if not known:
        return None
    top = max(known.values())
    return first if known.get(first) == top else next(key for key, value in known.items() if value == top)


def has_class_scores(slices: Slices, kind: str) -> bool:
    """Whether the scores of a kind are F1 scores of classes, not the metric of the task on some of the rows."""
    return any(set(OF_CLASSES) == part.keys() - {"seeds", "rows", "score"} for part in slices.get(kind, {}).values())


def _by_part(many: Iterable[Slices]) -> dict[str, dict[str, list[Mapping[str, float]]]]:
    by_kind: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for slices in many:
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
        mean: mean score; None where no seed has one.
        sd: sample standard deviation (n - 1) of the scores; None for fewer than two.
        flags: of `trivial` (mean not above the trivial answer's), `baseline` (nor above the best baseline's), `unproven` (above,
            but not told apart from it), `failed-training` (the training of some seed failed, see `trouble`), `constant` (the predictions
            of some seed are all equal), `truncated` (more than 5 % of the test rows were truncated), `remote-code` (Python code of
            the model's repository was run), `searched` (the recipe was chosen by a search), `few-seeds` (another entry of the
            column has more). Baselines have none of the first five.
        best: whether the mean is the highest of the column, or equal to it to two digits. See `mark_column`.
        costs: name of a `harness.grouping.costs.COSTS` → number.
        metrics: metric → mean on test, in the scale of its library.
        slices: see `slice_means`.
        standing: how sure the mean is; None without statistics.
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
    trouble: tuple[Troubled, ...] = ()

    @property
    def untrained(self) -> bool:
        """Whether all trainings with a score failed, so that the mean says nothing about the model."""
        return untrained(self.scores, self.trouble)


def make_entry(records: Sequence[Record], slices: Mapping[str, Slices] | None = None) -> Entry:
    """The entry of the records of one place, one for each seed; `slices`: record's id → slices, for records without them."""
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
        slices=slice_means([slices_of(record, slices or {}) for record in good]),
        trouble=trouble,
    )


def mark_column(entries: Sequence[Entry], baselines: Collection[int] = ()) -> list[Entry]:
    """The entries of a column with `few-seeds` and `best` set; `baselines` are the positions of baselines.

    Best is the highest mean of the entries with the most seeds, because a lucky single seed must not beat a mean of three. An entry
    is not best if it does not beat the trivial answer, if its trainings failed, or if it is the only one. Seeds of baselines do not
    count, as most of them use none.
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
    """The keys of the highest value and of those equal to two digits; empty for fewer than two values."""
    if len(values) < 2:
        return set()
    top = max(round(value, DIGITS) for value in values.values())
    return {key for key, value in values.items() if round(value, DIGITS) == top}


def mean_each(mappings: Any) -> dict[str, float]:
    """Key → mean over the mappings that have it, in the order of first appearance."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for mapping in mappings:
        for name, value in mapping.items():
            by_name[name].append(value)
    return {name: fmean(values) for name, values in by_name.items()}


def numbers(metrics: Mapping[str, Any] | None) -> dict[str, float]:
    """The finite float values; counts and texts (`total`, `signature`) are settings of the metric."""
    return {name: value for name, value in (metrics or {}).items() if isinstance(value, float) and math.isfinite(value)}


def _flags(mean: float | None, records: Sequence[Record], trouble: Sequence[Troubled]) -> tuple[str, ...]:
    if mean is None:
        return ()
    trivial = average(record.get("trivial_score") for record in records)
    model = records[0]["method"] != BASELINE  # these flags are not for baselines
    conditions = {
        "trivial": model and trivial is not None and mean <= trivial + EQUAL,
        "failed-training": any(one.trouble.failed for one in trouble),
        "constant": model and any(record.get("constant") for record in records),
        "truncated": any(truncated_share(record["task"]) > TRUNCATED_SHARE for record in records),
        "remote-code": any(record["model"].get("remote_code") for record in records),
        "searched": any(record.get("search") for record in records),
    }
    return tuple(name for name, true in conditions.items() if true)


def truncated_share(task: Mapping[str, Any]) -> float:
    """The share of test rows that were truncated."""
    rows = (task.get("rows") or {}).get("test") or 0
    return (task.get("truncated") or {}).get("test", 0) / rows if rows else 0.0
