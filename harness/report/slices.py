"""Slices of the test rows, as records and boards have them: kind → part → figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import msgspec

from harness.slices import Slices
from harness.store import Record

PHENOMENON = "phenomenon"
OF_CLASSES = ("precision", "recall", "f1")  # besides the score, which is F1 then
SMALL = 20  # rows; the score of fewer is mostly chance


def slices_of(record: Record, found: Mapping[str, Slices]) -> Slices:
    """A record's slices, its phenomena included.

    Args:
        found: record's id → slices, of records from before they were kept there.
    """
    metrics = record.get("metrics") or {}
    own = metrics.get("slices") or found.get(record["id"]) or {}
    if isinstance(own, bytes):  # see `harness.report.parts`
        own = msgspec.json.decode(own)
    phenomena = metrics.get("phenomena")
    return {**own, **({PHENOMENON: phenomena} if phenomena else {})}


def means(many: Sequence[Slices]) -> Slices:
    """Kind → part → figure → mean over the seeds that have it; `seeds`: how many these are."""
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
        for kind, named in _gathered(many).items()
    }


def rows(many: Sequence[Slices]) -> dict[str, dict[str, int]]:
    """Kind → part → how many rows it has."""
    return {
        kind: {name: max(int(part.get("rows") or 0) for part in parts) for name, parts in named.items()}
        for kind, named in _gathered(many).items()
    }


def best(scores: Mapping[Any, float | None], first: Any) -> Any:
    """Whose score is the highest, `first` where it is equal to it as shown."""
    known = {key: round(value, 2) for key, value in scores.items() if value is not None}
    if not known:
        return None
    top = max(known.values())
    return first if known.get(first) == top else next(key for key, value in known.items() if value == top)


def of_classes(slices: Slices, kind: str) -> bool:
    """Whether a kind's scores are each class's F1, and not the task's metric on some of the rows."""
    return any(set(OF_CLASSES) == part.keys() - {"seeds", "rows", "score"} for part in slices.get(kind, {}).values())


def _gathered(many: Iterable[Slices]) -> dict[str, dict[str, list[Mapping[str, float]]]]:
    found: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for slices in many:
        for kind, parts in slices.items():
            for name, part in parts.items():
                found.setdefault(kind, {}).setdefault(name, []).append(part)
    return found
