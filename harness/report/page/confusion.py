"""Confusion matrices of the tasks whose answers are one label of a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.board_columns import BoardColumn
from harness.report.page.markup import Html, tag
from harness.report.page.section import Part
from harness.report.page.view import Lines, View
from harness.report.page.widgets import box, field, fields, numbered
from harness.report.row_texts import label_of

LABELS = 40  # of a task that have a line of their own, the most frequent ones
OTHER = "(other)"
Pairs = Counter[tuple[str, str]]  # (reference, prediction) → rows


def confusion(view: View) -> Part | None:
    """What each model took for what, all seeds together."""
    found = [task for column in view.board.columns if (task := _task(view, column))]
    if not found:
        return None
    said = (
        "Rows are what is right, columns what the model said; all seeds added up. The colour is the share of the row, "
        "so a model without faults has colour in the diagonal alone."
    )
    return Part(_frame(said, found), found)


def _task(view: View, column: BoardColumn) -> dict[str, Any] | None:
    counted = []
    for row in view.rows_of(column):
        pairs, seeds = Pairs(), 0
        for record in view.records(row, column):
            lines = view.predictions(record)
            if lines is None:
                continue
            if not _labels(lines):
                return None
            pairs.update((label_of(line["reference"]), _said(line["prediction"])) for line in lines)
            seeds += 1
        if seeds:
            counted.append((row.title, pairs, seeds))
    if not counted:
        return None
    names = _names([pairs for _, pairs, _ in counted])
    models = [
        {
            "title": title,
            "seeds": seeds,
            "right": sum(count for (reference, prediction), count in pairs.items() if reference == prediction),
            "counts": _sparse(pairs, names),
        }
        for title, pairs, seeds in counted
    ]
    return {"title": column.title, "labels": list(names), "models": models}


def _labels(lines: Lines) -> bool:
    """Whether the references are labels: single values, of which few are different."""
    references = [label_of(line["reference"]) for line in lines]
    return None not in references and 2 <= len(set(references)) <= max(LABELS, len(lines) // 4)


def _said(prediction: Any) -> str:
    said = label_of(prediction)
    return OTHER if said is None else said


def _names(counted: Sequence[Pairs]) -> dict[str, int]:
    """Label → its line: the most frequent ones by name, and one for all others together where there are any."""
    rows: Counter[str] = Counter()
    for pairs in counted:
        for (reference, prediction), count in pairs.items():
            rows[reference] += count
            rows[prediction] += 0
    ranked = sorted(rows, key=lambda name: (-rows[name], name))
    names = sorted(name for name in ranked[:LABELS] if name != OTHER)
    names += [OTHER] if len(ranked) > LABELS or OTHER in rows else []
    return {name: place for place, name in enumerate(names)}


def _sparse(pairs: Mapping[tuple[str, str], int], names: Mapping[str, int]) -> list[list[int]]:
    """[line, column, rows] of all that is not zero."""
    found: Counter[tuple[int, int]] = Counter()
    for (reference, prediction), count in pairs.items():
        found[names.get(reference, names.get(OTHER, 0)), names.get(prediction, names.get(OTHER, 0))] += count
    return [[line, place, count] for (line, place), count in sorted(found.items())]


def _frame(said: str, found: Sequence[Mapping[str, Any]]) -> Html:
    return tag(
        "div",
        tag(
            "div",
            tag("p", said),
            fields(field("confusion-task", "Task", body=numbered(found)), field("confusion-model", "Model")),
            tag("p", id="confusion-note", class_="note", aria_live="polite"),
        ),
        tag("div", box("Confusion matrix", id="confusion-table")),
        class_="beside",
    )
