"""The error browser: where two models differ, row by row. There are no sentences in records, so it shows ids and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import Lines, View
from harness.report.page.widgets import box, field, fields, numbered
from harness.report.row_texts import answer_text, is_right, test_texts
from harness.store import Record

CHARACTERS = 500_000  # of one task's predictions; what goes beyond is left out
COUNTED = 20_000  # rows of a task; of larger ones only the rows on the page are counted
KINDS = (
    ("differ", "A and B differ"),
    ("a", "A right, B wrong"),
    ("b", "A wrong, B right"),
    ("wrong", "both wrong"),
    ("right", "both right"),
    ("all", "all rows"),
)


def errors(view: View) -> Part | None:
    """Of each task some rows' predictions by every model: those on which the models agree least."""
    found = [task for column in view.board.columns if (task := _task(view, column))]
    if not found:
        return None
    said = (
        "What two models said to the same test rows, one seed of each. Right means equal to the reference (or to one of its "
        "answers) letter for letter, which is stricter than most metrics."
    )
    if not view.with_texts:
        said += " The texts are not part of the records: look a row up by its id, or use --with-texts."
    return Part(join(tag("p", said), _frame(found)), found)


@dataclass(frozen=True)
class Said:
    """What a model said to a task's test rows with one seed, and which of it is right."""

    row: Row
    record: Record
    lines: Lines
    right: Sequence[bool]


def _task(view: View, column: BoardColumn) -> dict[str, Any] | None:
    models = _models(view, column)
    if not models:
        return None
    lines = models[0].lines
    kept = _kept(view.rows, models)
    ids = [str(lines[place]["id"]) for place in kept]
    texts: dict[str, int] = {}

    def number(value: Any) -> int:
        return texts.setdefault(answer_text(value), len(texts))

    return {
        "title": column.title,
        "rows": len(lines),
        "ids": ids,
        "kinds": [str(lines[place].get("phenomenon") or "") for place in kept],
        "tags": isinstance(lines[0]["reference"], list) and isinstance(lines[0]["prediction"], list),
        "references": [number(lines[place]["reference"]) for place in kept],
        "models": [
            {
                "title": one.row.title,
                "seed": one.record["seed"],
                "said": [number(one.lines[place]["prediction"]) for place in kept],
                "right": "".join("01"[one.right[place]] for place in kept),
                "all": _bits(one.right) if len(lines) <= COUNTED else "",
            }
            for one in models
        ],
        "texts": list(texts),
        **_read(view, models[0], ids),
    }


def _models(view: View, column: BoardColumn) -> list[Said]:
    """Of each row of the board the first seed with predictions for the same test rows as the first row's."""
    found: list[Said] = []
    ids: list[Any] = []
    for row in view.rows_of(column):
        for record in view.records(row, column):
            lines = view.predictions(record)
            if lines and [line["id"] for line in lines] == (ids := ids or [line["id"] for line in lines]):
                verdict = [is_right(line["prediction"], line["reference"]) for line in lines]
                found.append(Said(row, record, lines, verdict))
                break
    return found


def _read(view: View, one: Said, ids: Sequence[str]) -> dict[str, Any]:
    """`read`: the rows' texts, if they are asked for and to be had; `unread`: why they are not."""
    if not view.with_texts:
        return {}
    found, why = test_texts(one.record["task"], one.lines, view.store.root)
    return {"unread": why} if why else {"read": [answer_text(found.get(one, "")) for one in ids]}


def _kept(most: int, models: Sequence[Said]) -> list[int]:
    """The places of the rows that go into the page, in the order of the file: those where the models agree least."""
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
    """Right or wrong for all rows of the task, four rows a hexadecimal digit, the first row in its highest bit."""
    padded = [*verdict, *[False] * (-len(verdict) % 4)]
    return "".join(
        f"{sum(bit << (3 - place) for place, bit in enumerate(padded[start : start + 4])):x}"
        for start in range(0, len(padded), 4)
    )


def _frame(found: Sequence[Mapping[str, Any]]) -> Html:
    kinds = [tag("option", title, value=name) for name, title in KINDS]
    return join(
        fields(
            field("errors-task", "Task", body=numbered(found)),
            field("errors-a", "Model A"),
            field("errors-b", "Model B"),
            field("errors-kind", "Rows", body=kinds),
        ),
        tag("p", id="errors-note", class_="note", aria_live="polite"),
        box("Rows and predictions", id="errors-table", tall=True),
        tag("button", "Show more rows", type="button", id="errors-more", hidden=True),
    )
