"""What records keep about predictions, with scores of parts of the test split: classes, lengths, a family's slices.

Imports neither torch nor a metric.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.family import Row, TaskFamily
    from harness.task import Task
    from harness.task_data import TaskData

# kind → part → "rows" (of a class: how often it is the reference), "score" (0-100), and metrics in their own scale
Slices = dict[str, dict[str, dict[str, float]]]

LENGTH = "length"
QUARTERS = 4


def is_constant(predictions: Sequence[Any]) -> bool:
    """Return whether every row got the same prediction."""
    return len(predictions) > 1 and all(prediction == predictions[0] for prediction in predictions)


def answer_counts(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> dict[str, Any]:
    """Return a record's `answers`: how varied the predictions are, and how varied the right answers are.

    A prediction that is a list, such as the tags of a sentence, counts as one answer for each item.

    Returns:
        `distinct`, the number of different answers, and `top_share` (0-1), the share of the most frequent one; the same
        with the prefix `expected_` for the right answers. Empty without rows.
    """
    predicted = _count_answers(predictions)
    expected = _count_answers([family.expected(row, cell.task) for row in rows])
    if not predicted or not expected:
        return {}
    return {
        "distinct": len(predicted), "top_share": max(predicted.values()) / predicted.total(),
        "expected_distinct": len(expected), "expected_top_share": max(expected.values()) / expected.total(),
    }  # fmt: skip


def _count_answers(predictions: Sequence[Any]) -> Counter[str]:
    items = (item for answer in predictions for item in (answer if isinstance(answer, list) else [answer]))
    return Counter(item if isinstance(item, str) else json.dumps(item, sort_keys=True) for item in items)


def task_facts(cell: Cell, data: TaskData, truncated: Mapping[str, int], warnings: Sequence[str]) -> dict[str, Any]:
    """Return a record's `task`.

    Args:
        truncated: split → how many rows had to be cut.
        warnings: what a check of the data found.
    """
    return {
        **cell.facts()["task"],
        "split_rule": data.rule,
        "rows": {split: len(rows) for split, rows in data.splits.items()},
        "rows_without_limit": data.rows_without_limit,
        **({"train_rows_available": data.available} if data.available else {}),
        "truncated": truncated,
        "warnings": warnings,
    }


def part_scores(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> dict[str, Any]:
    """Return a record's `phenomena` (phenomenon → rows and score, if the test rows are tagged) and `slices`."""
    task, lines = cell.task, list(prediction_lines(cell, family, rows, predictions))
    metric = family.metric(task)

    def compute(predictions: list[Any], references: list[Any]) -> dict[str, Any]:
        return {"score": metric.score(family.score(predictions, references, task))}

    phenomena = {}
    if all("phenomenon" in row for row in rows):
        references = [line["reference"] for line in lines]
        phenomena = score_by_slice(compute, predictions, references, [row["phenomenon"] for row in rows])
    return {"phenomena": phenomena, "slices": slice_scores(family, task, lines)}


def prediction_lines(
    cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    """Yield a line of predictions.jsonl for each test row: id, prediction, reference, and the slices it belongs to."""
    for row, prediction in zip(rows, predictions, strict=True):
        line = {"id": row["id"], "prediction": prediction, "reference": family.reference(row, cell.task)}
        optional = {
            "phenomenon": row.get("phenomenon"),
            "words": family.length(row, cell.task),
            "slices": dict(family.slices(row, cell.task)) or None,
        }
        yield line | {name: value for name, value in optional.items() if value is not None}


def score_by_slice(
    compute: Callable[..., dict], predictions: Sequence, references: Sequence, slices: Sequence[str], **options
) -> dict[str, dict]:
    """Score each slice by itself: `{slice: {"rows": number of rows, **metrics}}`, in alphabetical order.

    Corpus scores (BLEU, F1 over entities) of slices do not average to that of the whole. With the option `labels`,
    classification counts a label that a slice lacks as 0; leave it out to average over the labels that a slice has.

    Args:
        compute: called with `predictions`, `references` and `options`; returns metrics.
        slices: the slice of each row.

    Raises:
        ValueError: `predictions`, `references` and `slices` differ in length.
    """
    pairs_by_slice = defaultdict(list)
    for prediction, reference, name in zip(predictions, references, slices, strict=True):
        pairs_by_slice[name].append((prediction, reference))
    scores = {}
    for name, pairs in sorted(pairs_by_slice.items()):
        slice_predictions, slice_references = map(list, zip(*pairs, strict=True))
        metrics = compute(predictions=slice_predictions, references=slice_references, **options)
        scores[name] = {"rows": len(pairs), **metrics}
    return scores


def slice_scores(family: TaskFamily, task: Task, lines: Sequence[Mapping[str, Any]]) -> Slices:
    """Score the classes, the quarters by length, and the family's own slices of a test split.

    Args:
        lines: of predictions.jsonl. Old lines without `words` give no slices by length.
    """
    if not lines:
        return {}
    names: dict[str, list[str | None]] = {}  # kind → the part of each line
    if all(isinstance(line.get("words"), int) for line in lines):
        names[LENGTH] = list(length_buckets([line["words"] for line in lines]))
    for kind in dict.fromkeys(kind for line in lines for kind in line.get("slices") or {}):
        names[kind] = [(line.get("slices") or {}).get(kind) for line in lines]
    predictions, references = [line["prediction"] for line in lines], [line["reference"] for line in lines]
    scores: Slices = {
        kind: {name: dict(part) for name, part in parts.items()}
        for kind, parts in family.classes(predictions, references, task).items()
    }
    for kind, line_names in names.items():
        parts = {part: _score_part(family, task, lines, line_names, part) for part in _sorted_parts(kind, line_names)}
        scores[kind] = {part: metrics for part, metrics in parts.items() if metrics}
    return {kind: parts for kind, parts in scores.items() if parts}


def length_buckets(lengths: Sequence[int]) -> list[str]:
    """Return the quarter of each length, such as `7-9`. Equal lengths stay together, so there may be fewer quarters."""
    ranked = sorted(lengths)
    tops = sorted({ranked[math.ceil(len(ranked) * part / QUARTERS) - 1] for part in range(1, QUARTERS + 1)})
    buckets = [
        [length for length in ranked if low < length <= top] for low, top in zip([-1, *tops], tops, strict=False)
    ]
    names = [str(bucket[0]) if bucket[0] == bucket[-1] else f"{bucket[0]}-{bucket[-1]}" for bucket in buckets]
    return [next(name for name, top in zip(names, tops, strict=True) if length <= top) for length in lengths]


def _sorted_parts(kind: str, names: Sequence[str | None]) -> list[str]:
    parts = {name for name in names if name is not None}
    return sorted(parts, key=lambda name: int(name.partition("-")[0])) if kind == LENGTH else sorted(parts)


def _score_part(
    family: TaskFamily, task: Task, lines: Sequence[Mapping[str, Any]], names: Sequence[str | None], part: str
) -> dict[str, float]:
    """Return the family's metrics on the rows of one part; empty if they are undefined there."""
    rows = [line for line, name in zip(lines, names, strict=True) if name == part]
    try:
        metrics = family.score([line["prediction"] for line in rows], [line["reference"] for line in rows], task)
    except Exception:  # a metric may be undefined on a part, and the trained cell must not be lost for that
        print(f"no score of the slice {part!r}:\n{traceback.format_exc()}", file=sys.stderr)
        return {}
    finite = {key: value for key, value in metrics.items() if isinstance(value, float) and math.isfinite(value)}
    score = family.metric(task).score(metrics)
    return {"rows": len(rows), "score": score, **finite} if math.isfinite(score) else {}
