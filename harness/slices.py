"""Scores of parts of the test: its classes, and its rows by length or by whatever a family names."""

from __future__ import annotations

import math
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.family import TaskFamily
    from harness.task import Task


# One metric over parts of the test rows: by length, by domain, by whatever names each row's slice.


def by_slice(
    compute: Callable[..., dict], predictions: Sequence, references: Sequence, slices: Sequence[str], **options
) -> dict[str, dict]:
    """Score every slice by itself: `{slice: {"rows": number of rows, **metrics}}`, in the slices' alphabetical order.

    `slices` names one slice a row; `compute` is a metric's `compute`, called with `predictions`, `references` and
    `options`. Raises ValueError where the three differ in length.

    Corpus scores (BLEU, F1 over entities) of slices do not average to the whole's. Classification's `labels` counts a
    label that a slice lacks as 0; leave the option out to average over the labels a slice has.
    """
    rows_of = defaultdict(list)
    for prediction, reference, name in zip(predictions, references, slices, strict=True):
        rows_of[name].append((prediction, reference))
    scores = {}
    for name, rows in sorted(rows_of.items()):
        part_predictions, part_references = map(list, zip(*rows, strict=True))
        metrics = compute(predictions=part_predictions, references=part_references, **options)
        scores[name] = {"rows": len(rows), **metrics}
    return scores


# Scores of parts of the test: its classes, and its rows by length or by whatever a family names, from saved predictions.


# kind → part → "rows" (of classes: how often they are wanted), "score" (0-100) and metrics in their library's own scale
Slices = dict[str, dict[str, dict[str, float]]]

LENGTH = "length"
QUARTERS = 4


def sliced(family: TaskFamily, task: Task, lines: Sequence[Mapping[str, Any]]) -> Slices:
    """All slices of a test but its phenomena, which records have beside them.

    Args:
        lines: of predictions.jsonl; those without `words`, from before it was saved, give no slices by length.
    """
    if not lines:
        return {}
    kinds: dict[str, list[str | None]] = {}
    if all(isinstance(line.get("words"), int) for line in lines):
        kinds[LENGTH] = list(buckets([line["words"] for line in lines]))
    for kind in dict.fromkeys(kind for line in lines for kind in line.get("slices") or {}):
        kinds[kind] = [(line.get("slices") or {}).get(kind) for line in lines]
    predictions, references = [line["prediction"] for line in lines], [line["reference"] for line in lines]
    found: Slices = {
        kind: {name: dict(part) for name, part in parts.items()}
        for kind, parts in family.classes(predictions, references, task).items()
    }
    for kind, names in kinds.items():
        parts = {name: _part(family, task, lines, names, name) for name in _order(kind, names)}
        found[kind] = {name: part for name, part in parts.items() if part}
    return {kind: parts for kind, parts in found.items() if parts}


def buckets(lengths: Sequence[int]) -> list[str]:
    """For each length the quarter of all that it is in, as `7-9`; equal lengths stay together, so there may be fewer quarters."""
    ranked = sorted(lengths)
    tops = sorted({ranked[math.ceil(len(ranked) * part / QUARTERS) - 1] for part in range(1, QUARTERS + 1)})
    members = [
        [length for length in ranked if low < length <= top] for low, top in zip([-1, *tops], tops, strict=False)
    ]
    names = [str(own[0]) if own[0] == own[-1] else f"{own[0]}-{own[-1]}" for own in members]
    return [next(name for name, top in zip(names, tops, strict=True) if length <= top) for length in lengths]


def _order(kind: str, names: Sequence[str | None]) -> list[str]:
    known = {name for name in names if name is not None}
    return sorted(known, key=lambda name: int(name.partition("-")[0])) if kind == LENGTH else sorted(known)


def _part(
    family: TaskFamily, task: Task, lines: Sequence[Mapping[str, Any]], names: Sequence[str | None], name: str
) -> dict[str, float]:
    """The family's metrics on the rows of one part; nothing where they have no value there."""
    rows = [line for line, own in zip(lines, names, strict=True) if own == name]
    try:
        metrics = family.score([line["prediction"] for line in rows], [line["reference"] for line in rows], task)
    except Exception:  # a metric need not be defined on every part, and the trained cell must not be lost for it
        print(f"no score of the slice {name!r}:\n{traceback.format_exc()}", file=sys.stderr)
        return {}
    known = {key: value for key, value in metrics.items() if isinstance(value, float) and math.isfinite(value)}
    score = family.metric(task).score(metrics)
    return {"rows": len(rows), "score": score, **known} if math.isfinite(score) else {}
