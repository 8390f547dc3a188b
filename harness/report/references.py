"""Published numbers beside an entry of the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.published import Published
from harness.report.entries import Entry
from harness.report.groups import succeeded
from harness.store import Record


@dataclass(frozen=True)
class Reference:
    """One published number and ours.

    Attributes:
        metric: the key in our metrics.
        value: the published number (0-100).
        ours: our mean over seeds on the same scale; None where no seed has a score.
        difference: ours minus the published one.
        split, source, note: as in `Published`.
    """

    metric: str
    value: float
    ours: float | None
    difference: float | None
    split: str
    source: str
    note: str


def references(entry: Entry, records: Sequence[Record], published: Sequence[Published]) -> tuple[Reference, ...]:
    """What is published of the model and task of an entry's records, the primary metric first."""
    if not records:
        return ()
    primary = next((record["primary_metric"] for record in records if succeeded(record)), None)
    found = [one for one in published if one.concerns(records[0])]
    ours = {name: _points(name, entry, primary) for name in dict.fromkeys(one.metric for one in found)}
    return tuple(
        Reference(
            metric=one.metric,
            value=one.value,
            ours=ours[one.metric],
            difference=None if ours[one.metric] is None else ours[one.metric] - one.value,
            split=one.split,
            source=one.source,
            note=one.note,
        )
        for one in sorted(found, key=lambda one: one.metric != primary)
    )


def _points(name: str, entry: Entry, primary: str | None) -> float | None:
    """Our metric on the scale of scores. A library gives all metrics of a task on one scale, so the primary one tells it."""
    if name == primary:
        return entry.mean
    value = entry.metrics.get(name)
    if value is None or entry.mean is None or primary is None:
        return None
    return value * _scale(entry.mean, entry.metrics, primary)


def _scale(mean: float, metrics: Mapping[str, float], primary: str) -> float:
    """What metrics must be multiplied with to lie in 0-100: 1 or 100."""
    return 100.0 if mean and abs(mean - 100 * metrics.get(primary, 0.0)) < 1e-6 * abs(mean) else 1.0
