"""Sections made from predictions: confusion matrices, and the error browser, which compares two models row by row.

Records do not store the texts of rows, so the error browser shows ids and answers, and texts only with `--with-texts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.page.view import Lines, Part, View, fill
from harness.report.row_texts import answer_text, is_right, label_of, texts_of_rows
from harness.store import Record

MAX_LABELS = 40  # labels of a task with a line of their own, the most frequent ones
OTHER = "(other)"
Pairs = Counter[tuple[str, str]]  # (reference, prediction) → rows
MAX_CHARACTERS = 500_000  # characters of the predictions of a task; further rows are left out
MAX_COUNTED = 20_000  # for tasks with more rows, only the rows on the page are counted
KINDS = (
    ("differ", "A and B differ"),
    ("a", "A right, B wrong"),
    ("b", "A wrong, B right"),
    ("wrong", "both wrong"),
    ("right", "both right"),
    ("all", "all rows"),
)


def confusion(view: View) -> Part | None:
    """Return a matrix of references × predictions for each model, summed over the seeds."""
    tasks = [task for column in view.board.columns if (task := _matrices(view, column))]
    return Part(fill("confusion.html", tasks=tasks), tasks) if tasks else None


def _matrices(view: View, column: BoardColumn) -> dict[str, Any] | None:
    counted = []
    for row in view.rows_of(column):
        pairs, seeds = Pairs(), 0
        for record in view.records(row, column):
            lines = view.predictions(record)
            if lines is None:
                continue
            if not _are_labels(lines):
                return None
            pairs.update((label_of(line["reference"]), _label_or_other(line["prediction"])) for line in lines)
            seeds += 1
        if seeds:
            counted.append((row.title, pairs, seeds))
    if not counted:
        return None
    numbers = _label_numbers([pairs for _, pairs, _ in counted])
    models = [
        {
            "title": title,
            "seeds": seeds,
            "right": sum(count for (reference, prediction), count in pairs.items() if reference == prediction),
            "counts": _sparse_matrix(pairs, numbers),
        }
        for title, pairs, seeds in counted
    ]
    return {"title": column.title, "labels": list(numbers), "models": models}


def _are_labels(lines: Lines) -> bool:
    """Whether the references are labels: single values, few of them different."""
    references = [label_of(line["reference"]) for line in lines]
    return None not in references and 2 <= len(set(references)) <= max(MAX_LABELS, len(lines) // 4)


def _label_or_other(prediction: Any) -> str:
    label = label_of(prediction)
    return OTHER if label is None else label


def _label_numbers(counted: Sequence[Pairs]) -> dict[str, int]:
    """Return label → its line in the matrix: the most frequent labels sorted by name, then one line for all others."""
    rows: Counter[str] = Counter()
    for pairs in counted:
        for (reference, prediction), count in pairs.items():
            rows[reference] += count
            rows[prediction] += 0
    ranked = sorted(rows, key=lambda name: (-rows[name], name))
    names = sorted(name for name in ranked[:MAX_LABELS] if name != OTHER)
    names += [OTHER] if len(ranked) > MAX_LABELS or OTHER in rows else []
    return {name: number for number, name in enumerate(names)}


def _sparse_matrix(pairs: Mapping[tuple[str, str], int], numbers: Mapping[str, int]) -> list[list[int]]:
    """Return [line, column, rows] for each count that is not zero."""
    other = numbers.get(OTHER, 0)
    counts: Counter[tuple[int, int]] = Counter()
    for (reference, prediction), count in pairs.items():
        counts[numbers.get(reference, other), numbers.get(prediction, other)] += count
    return [[line, column, count] for (line, column), count in sorted(counts.items())]


def errors(view: View) -> Part | None:
    """Return for each task the predictions of every model on the rows on which the models agree least."""
    tasks = [task for column in view.board.columns if (task := _answers(view, column))]
    return Part(fill("errors.html", tasks=tasks, kinds=KINDS, with_texts=view.with_texts), tasks) if tasks else None


@dataclass(frozen=True)
class ModelAnswers:
    """The predictions of one seed of a model on the test rows of a task, and which of them are right."""

    row: Row
    record: Record
    lines: Lines
    right: Sequence[bool]


def _answers(view: View, column: BoardColumn) -> dict[str, Any] | None:
    models = _models(view, column)
    if not models:
        return None
    lines = models[0].lines
    shown = _least_agreed(view.rows, models)
    ids = [str(lines[row]["id"]) for row in shown]
    texts: dict[str, int] = {}

    def text_number(value: Any) -> int:
        return texts.setdefault(answer_text(value), len(texts))

    return {
        "title": column.title,
        "rows": len(lines),
        "ids": ids,
        "kinds": [str(lines[row].get("phenomenon") or "") for row in shown],
        "tags": isinstance(lines[0]["reference"], list) and isinstance(lines[0]["prediction"], list),
        "references": [text_number(lines[row]["reference"]) for row in shown],
        "models": [
            {
                "title": model.row.title,
                "seed": model.record["seed"],
                "said": [text_number(model.lines[row]["prediction"]) for row in shown],
                "right": "".join("01"[model.right[row]] for row in shown),
                "all": _hexadecimal(model.right) if len(lines) <= MAX_COUNTED else "",
            }
            for model in models
        ],
        "texts": list(texts),
        **_texts_of(view, models[0], ids),
    }


def _models(view: View, column: BoardColumn) -> list[ModelAnswers]:
    """Return for each row of the board the first seed with predictions for the same test rows as the first row."""
    answers: list[ModelAnswers] = []
    ids: list[Any] = []
    for row in view.rows_of(column):
        for record in view.records(row, column):
            lines = view.predictions(record)
            if lines and [line["id"] for line in lines] == (ids := ids or [line["id"] for line in lines]):
                right = [is_right(line["prediction"], line["reference"]) for line in lines]
                answers.append(ModelAnswers(row, record, lines, right))
                break
    return answers


def _texts_of(view: View, model: ModelAnswers, ids: Sequence[str]) -> dict[str, Any]:
    """Return the texts of the rows (`read`), or why there are none (`unread`); empty without `--with-texts`."""
    if not view.with_texts:
        return {}
    texts, why = texts_of_rows(model.record["task"], model.lines, view.store.root)
    return {"unread": why} if why else {"read": [answer_text(texts.get(row_id, "")) for row_id in ids]}


def _least_agreed(most: int, models: Sequence[ModelAnswers]) -> list[int]:
    """Return the positions of the rows on the page, in the order of the file: those on which the models agree least."""
    rows = range(len(models[0].lines))
    answers = [{answer_text(model.lines[row]["prediction"]) for model in models} for row in rows]
    right = [sum(model.right[row] for model in models) for row in rows]
    ranked = sorted(rows, key=lambda row: (-min(right[row], len(models) - right[row]), -len(answers[row]), row))
    chosen, size = [], 0
    for row in ranked[:most]:
        size += sum(map(len, answers[row]))
        if size > MAX_CHARACTERS:
            break
        chosen.append(row)
    return sorted(chosen)


def _hexadecimal(right: Sequence[bool]) -> str:
    """Return right or wrong for all rows, four rows for each hexadecimal digit, the first row in its highest bit."""
    bits = "".join("01"[one] for one in right)
    bits += "0" * (-len(bits) % 4)
    return "".join(f"{int(bits[start : start + 4], 2):x}" for start in range(0, len(bits), 4))
