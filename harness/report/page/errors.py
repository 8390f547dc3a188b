"""The error browser: where two models differ, row by row. There are no sentences in records, so it shows ids and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.columns import Column
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.texts import texts as texts_of
from harness.report.page.view import Lines, View
from harness.report.page.widgets import box, field, fields, numbered
from harness.report.predicted import right, shown
from harness.report.rows import Row

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
    where = (
        ""
        if view.with_texts
        else " The texts are not part of the records: look a row up by its id, or use --with-texts."
    )
    return Part(join(tag("p", said + where), _frame(found)), found)


def _task(view: View, column: Column) -> dict[str, Any] | None:
    ids: list[Any] | None = None
    lines: Lines = []
    models: list[tuple[Row, int, Lines]] = []
    for row in view.rows_of(column):
        for record in view.records(row, column):
            said = view.predictions(record)
            if said is None:
                continue
            if ids is None:
                ids, lines = [line["id"] for line in said], said
            if ids == [line["id"] for line in said]:
                models.append((row, record["seed"], said))
                break
    if ids is None:
        return None
    verdicts = [[right(line["prediction"], line["reference"]) for line in said] for _, _, said in models]
    kept = _kept(view.rows, models, verdicts, len(ids))
    texts: dict[str, int] = {}

    def number(value: Any) -> int:
        return texts.setdefault(shown(value), len(texts))

    data = {
        "title": column.title,
        "rows": len(ids),
        "ids": [str(ids[place]) for place in kept],
        "kinds": [str(lines[place].get("phenomenon") or "") for place in kept],
        "tags": isinstance(lines[0]["reference"], list) and isinstance(lines[0]["prediction"], list),
        "references": [number(lines[place]["reference"]) for place in kept],
        "models": [
            {
                "title": row.title,
                "seed": seed,
                "said": [number(said[place]["prediction"]) for place in kept],
                "right": "".join("01"[verdict[place]] for place in kept),
                "all": _bits(verdict) if len(ids) <= COUNTED else "",
            }
            for (row, seed, said), verdict in zip(models, verdicts, strict=True)
        ],
    }
    return {**data, "texts": list(texts), **_read(view, column, data["ids"])}


def _read(view: View, column: Column, ids: Sequence[str]) -> dict[str, Any]:
    """`read`: the rows' texts, if they are asked for and to be had; `unread`: why they are not."""
    if not view.with_texts:
        return {}
    found, why = texts_of(column)
    return {"unread": why} if why else {"read": [shown(found.get(one, "")) for one in ids]}


def _kept(
    most: int, models: Sequence[tuple[Row, int, Lines]], verdicts: Sequence[Sequence[bool]], rows: int
) -> list[int]:
    """The places of the rows that go into the page, in the order of the file: those where the models agree least."""
    counts = [sum(verdict[place] for verdict in verdicts) for place in range(rows)]
    different = [len({shown(said[place]["prediction"]) for _, _, said in models}) for place in range(rows)]
    ranked = sorted(
        range(rows),
        key=lambda place: (-min(counts[place], len(models) - counts[place]), -different[place], place),
    )
    chosen, size = [], 0
    for place in ranked[:most]:
        size += sum(map(len, {shown(said[place]["prediction"]) for _, _, said in models}))
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
