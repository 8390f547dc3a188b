"""What a record and its predictions say of a test, whatever has made the predictions. Imports no torch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cell import Cell
from harness.family import Row, TaskFamily
from harness.slices import Slices, by_slice, sliced
from harness.task_data import TaskData


def is_constant(predictions: Sequence[Any]) -> bool:
    """Whether every row got the same prediction."""
    return len(predictions) > 1 and all(prediction == predictions[0] for prediction in predictions)


def answers(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> dict[str, Any]:
    """A record's `answers`: how unlike the predictions are, beside those that would be right.

    A prediction that is a list, such as the tags of a sentence, has as many answers as items.

    Returns:
        `distinct`, the number of different answers, and `top_share` (0-1), the share of the most frequent one; the same
        with `expected_` for the right ones. Empty without rows.
    """
    given, right = _counted(predictions), _counted([family.expected(row, cell.task) for row in rows])
    if not given or not right:
        return {}
    return {
        "distinct": len(given), "top_share": max(given.values()) / given.total(),
        "expected_distinct": len(right), "expected_top_share": max(right.values()) / right.total(),
    }  # fmt: skip


def _counted(predictions: Sequence[Any]) -> Counter[str]:
    items = (item for one in predictions for item in (one if isinstance(one, list) else [one]))
    return Counter(item if isinstance(item, str) else json.dumps(item, sort_keys=True) for item in items)


def task_facts(cell: Cell, data: TaskData, truncated: Mapping[str, int], warnings: Sequence[str]) -> dict[str, Any]:
    """A record's `task`.

    Args:
        truncated: split → rows that had to be cut.
        warnings: what a look at the data found.
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


def phenomena(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> dict[str, Any]:
    """Phenomenon → its rows and score (0-100), where the test rows are tagged."""
    if not all("phenomenon" in row for row in rows):
        return {}
    metric = family.metric(cell.task)

    def compute(predictions: list[Any], references: list[Any]) -> dict[str, Any]:
        return {"score": metric.score(family.score(predictions, references, cell.task))}

    references = [family.reference(row, cell.task) for row in rows]
    return by_slice(compute, predictions, references, [row["phenomenon"] for row in rows])


def slices(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> Slices:
    """The other slices, from the lines as they are saved."""
    return sliced(family, cell.task, list(lines(cell, family, rows, predictions)))


def lines(cell: Cell, family: TaskFamily, rows: Sequence[Row], predictions: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """One mapping for each test row: id, prediction, reference, and what slices it is of: phenomenon, words, the family's own."""
    for row, prediction in zip(rows, predictions, strict=True):
        line = {"id": row["id"], "prediction": prediction, "reference": family.reference(row, cell.task)}
        beside = {
            "phenomenon": row.get("phenomenon"),
            "words": family.length(row, cell.task),
            "slices": dict(family.slices(row, cell.task)) or None,
        }
        yield line | {name: value for name, value in beside.items() if value is not None}
