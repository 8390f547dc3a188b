"""Sections that read the predictions: confusion matrices, and the error browser, which compares two models row by row.

Records hold no sentences, so the error browser shows ids and answers, and texts only with `--with-texts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.page.templates import fill
from harness.report.page.view import Lines, Part, View
from harness.report.row_texts import answer_text, is_right, label_of, texts_of_rows
from harness.store import Record

LABELS = 40  # labels of a task with a line of their own, the most frequent ones
OTHER = "(other)"
Pairs = Counter[tuple[str, str]]  # (reference, prediction) → rows
CHARACTERS = 500_000  # characters of the predictions of a task at most; further rows are left out
COUNTED = 20_000  # for tasks with more rows only those on the page are counted
KINDS = (
    ("differ", "A and B differ"),
    ("a", "A right, B wrong"),
    ("b", "A wrong, B right"),
    ("wrong", "both wrong"),
    ("right", "both right"),
    ("all", "all rows"),
)


def confusion(view: View) -> Part | None:
    """A matrix of references × predictions for each model, with all seeds added up."""
    tasks = [task for column in view.board.columns if (task := _matrices(view, column))]
    if not tasks:
        return None
    return Part(fill("confusion.html", tasks=tasks), tasks)


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
    names = _label_lines([pairs for _, pairs, _ in counted])
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


def _are_labels(lines: Lines) -> bool:
    """Whether the references are labels: single values with few different ones."""
    references = [label_of(line["reference"]) for line in lines]
    return None not in references and 2 <= len(set(references)) <= max(LABELS, len(lines) // 4)


def _label_or_other(prediction: Any) -> str:
    label = label_of(prediction)
    return OTHER if label is None else label


def _label_lines(counted: Sequence[Pairs]) -> dict[str, int]:
    """Label → its line: the most frequent labels sorted by name, and then one line for all others if there are any."""
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
    """[line, column, rows] for each count that is not zero."""
    counts: Counter[tuple[int, int]] = Counter()
    for (reference, prediction), count in pairs.items():
        counts[names.get(reference, names.get(OTHER, 0)), names.get(prediction, names.get(OTHER, 0))] += count
    return [[line, place, count] for (line, place), count in sorted(counts.items())]


def errors(view: View) -> Part | None:
    """For each task the predictions of every model on some rows, those on which the models agree least."""
    tasks = [task for column in view.board.columns if (task := _answers(view, column))]
    if not tasks:
        return None
    return Part(fill("errors.html", tasks=tasks, kinds=KINDS, with_texts=view.with_texts), tasks)


@dataclass(frozen=True)
class ModelAnswers:
    """The predictions of a model on the test rows of a task with one seed, and which of them are right."""

    row: Row
    record: Record
    lines: Lines
    right: Sequence[bool]


def _answers(view: View, column: BoardColumn) -> dict[str, Any] | None:
    models = _models(view, column)
    if not models:
        return None
    lines = models[0].lines
    places = _least_agreed(view.rows, models)
    ids = [str(lines[place]["id"]) for place in places]
    texts: dict[str, int] = {}

    def number(value: Any) -> int:
        return texts.setdefault(answer_text(value), len(texts))

    return {
        "title": column.title,
        "rows": len(lines),
        "ids": ids,
        "kinds": [str(lines[place].get("phenomenon") or "") for place in places],
        "tags": isinstance(lines[0]["reference"], list) and isinstance(lines[0]["prediction"], list),
        "references": [number(lines[place]["reference"]) for place in places],
        "models": [
            {
                "title": one.row.title,
                "seed": one.record["seed"],
                "said": [number(one.lines[place]["prediction"]) for place in places],
                "right": "".join("01"[one.right[place]] for place in places),
                "all": _bits(one.right) if len(lines) <= COUNTED else "",
            }
            for one in models
        ],
        "texts": list(texts),
        **_texts_of(view, models[0], ids),
    }


def _models(view: View, column: BoardColumn) -> list[ModelAnswers]:
    """For each row of the board the first seed with predictions for the same test rows as those of the first row."""
    answers: list[ModelAnswers] = []
    ids: list[Any] = []
    for row in view.rows_of(column):
        for record in view.records(row, column):
            lines = view.predictions(record)
            if lines and [line["id"] for line in lines] == (ids := ids or [line["id"] for line in lines]):
                verdict = [is_right(line["prediction"], line["reference"]) for line in lines]
                answers.append(ModelAnswers(row, record, lines, verdict))
                break
    return answers


def _texts_of(view: View, one: ModelAnswers, ids: Sequence[str]) -> dict[str, Any]:
    """`read`: texts of the rows, if they are requested and available; `unread`: why they are not available."""
    if not view.with_texts:
        return {}
    texts, why = texts_of_rows(one.record["task"], one.lines, view.store.root)
    return {"unread": why} if why else {"read": [answer_text(texts.get(one, "")) for one in ids]}


def _least_agreed(most: int, models: Sequence[ModelAnswers]) -> list[int]:
    """Positions of the rows that go into the page, in the order of the file: those on which the models agree least."""
    places = range(len(models[0].lines))
    answers = [{answer_text(one.lines[place]["prediction"]) for one in models} for place in places]
    counts = [sum(one.right[place] for one in models) for place in places]
    ranked = sorted(
        places, key=lambda place: (-min(counts[place], len(models) - counts[place]), -len(answers[place]), place)
    )
    chosen, size = [], 0
    for place in ranked[:most]:
        size += sum(map(len, answers[place]))
        if size > CHARACTERS:
            break
        chosen.append(place)
    return sorted(chosen)


def _bits(verdict: Sequence[bool]) -> str:
    """Right or wrong for all rows, four rows for each hexadecimal digit, with the first row in the highest bit."""
    padded = [*verdict, *[False] * (-len(verdict) % 4)]
    return "".join(
        f"{sum(bit << (3 - place) for place, bit in enumerate(padded[start : start + 4])):x}"
        for start in range(0, len(padded), 4)
    )
