"""Scores of parts of the test data: slices, and the types within a metric that are no slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.grouping.contenders import average
from harness.grouping.groups import succeeded
from harness.report import board_text as text
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import SMALL, has_class_scores, numbers
from harness.report.page.heat import steps
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.page.widgets import box
from harness.report.slice_tables import FEW, kind_heading, largest_slices, ranked_rows, task_slices
from harness.shown import short

PARTS = 40  # of a kind of slices, those with the most rows


def sliced(view: View) -> Part | None:
    """A table of each task and kind of slices, such as labels, lengths or phenomena."""
    found = [_slices(view, column, kind) for column in view.board.columns for kind in column.slices]
    if not found:
        return None
    said = (
        "Score of each slice of the test alone, the mean over seeds; of a label or an entity type its F1. Each slice is coloured "
        "on its own scale. Where another row is best than on the whole test, the slice's heading names it; that may be chance."
    )
    if any(
        count < SMALL for column in view.board.columns for parts in column.slices.values() for count in parts.values()
    ):
        said += f" {FEW}: fewer than {SMALL} rows."
    return Part(join(tag("p", said), tag("div", found, class_="folds")))


def _slices(view: View, column: BoardColumn, kind: str) -> Html:
    order = ranked_rows(view.board, column)
    every = [one for one in task_slices(column, order) if one.kind == kind]
    shown = largest_slices(every, PARTS)
    rows = view.rows_of(column)
    own = [row.entries[column.title].slices for row in rows]
    classes = any(has_class_scores(one, kind) for one in own)
    headings, values = [], []
    for one in shown:
        best = f"best: {one.best}" if one.best and one.best != order[0].title else ""
        headings.append([short(one.name), " · ".join(filter(None, (f"{one.count} rows", best)))])
        values.append([one.scores[row.title] for row in rows])
        for figure in ("precision", "recall") if classes else ():
            headings.append([f"{short(one.name)} {figure}", ""])
            values.append([_points(found.get(kind, {}).get(one.name, {}).get(figure)) for found in own])
    lines = list(zip(*values, strict=True))
    left_out = f", without {len(every) - len(shown)} of fewer rows" if len(every) > len(shown) else ""
    title = f"{column.title}: {kind_heading(kind)}"
    body = table(title, kind_heading(kind), headings, rows, lines, [list(map(text.score, line)) for line in lines])
    return _folded(title, f"{len(every)} slices{left_out}", body)


def _points(share: float | None) -> float | None:
    return None if share is None else 100 * share


def types(view: View) -> Part | None:
    """A table of each metric that has parts, unless these are slices."""
    found = []
    for column in view.board.columns:
        rows = view.rows_of(column)
        own = [row.entries[column.title].slices for row in rows]
        told = [set(parts) for kind, parts in column.slices.items() if any(has_class_scores(one, kind) for one in own)]
        for metric, parts in _nested([view.records(row, column) for row in rows]).items():
            title = f"{column.title}: {metric.replace('_', ' ')}"
            names = list(dict.fromkeys((kind, name) for part in parts for kind, name in part))
            if {kind for kind, _ in names} in told:
                continue
            values = [[part.get(name) for name in names] for part in parts]
            headings = [[kind, name] for kind, name in names]
            texts = [[text.metric_texts([value])[0] for value in line] for line in values]
            body = table(title, "type", headings, rows, values, texts)
            found.append(_folded(title, f"{len(dict.fromkeys(kind for kind, _ in names))} types", body))
    said = "Test metrics of each type alone, the mean over seeds, in their library's own scale. Each column is coloured on its own."
    return Part(join(tag("p", said), tag("div", found, class_="folds"))) if found else None


def _nested(groups: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[tuple[str, str], float | None]]]:
    """Metric → for each group of records (type, number's name) → mean."""
    tests = [
        [(record.get("metrics") or {}).get("test") or {} for record in records if succeeded(record)]
        for records in groups
    ]
    names = dict.fromkeys(
        name
        for found in tests
        for test in found
        for name, value in test.items()
        if isinstance(value, Mapping) and any(isinstance(part, Mapping) and numbers(part) for part in value.values())
    )
    return {name: [_means([test.get(name) or {} for test in found]) for found in tests] for name in names}


def _means(tests: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], float | None]:
    flat = [
        {(kind, name): value for kind, part in test.items() if isinstance(part, Mapping) for name, value in numbers(part).items()}
        for test in tests
    ]  # fmt: skip
    keys = sorted({key[0] for one in flat for key in one}), dict.fromkeys(key[1] for one in flat for key in one)
    return {(kind, name): average(one.get((kind, name)) for one in flat) for kind in keys[0] for name in keys[1]}


def table(
    title: str,
    what: str,
    headings: Sequence[Sequence[str]],
    rows: Sequence[Row],
    values: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
) -> Html:
    """Rows × parts, coloured part by part, to be sorted.

    Args:
        title: what the table is called aloud.
        what: a part is.
        headings: a part's name and what stands below it.
        rows: of the board.
        values: rows × parts.
        texts: the same for a person.
    """
    colours = list(zip(*(steps(column) for column in zip(*values, strict=True)), strict=True))
    head = [_heading("model", what, "up"), *(_heading(*heading, "down") for heading in headings)]
    body = [
        tag(
            "tr",
            tag("th", row.title, scope="row", data_v=row.title.casefold()),
            [
                tag("td", told, class_="number", data_v=value, data_heat=colour)
                for value, told, colour in zip(line, told_line, colour_line, strict=True)
            ],
        )
        for row, line, told_line, colour_line in zip(rows, values, texts, colours, strict=True)
    ]
    made = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="sortable heat")
    return box(f"Table: {title}", made)


def _heading(title: str, below: str, first: str) -> Html:
    button = tag("button", title, tag("span", below, class_="below"), type="button")
    return tag("th", button, scope="col", aria_sort="none", data_first=first)


def _folded(title: str, note: str | None, *body: Iterable[Any]) -> Html:
    return tag("details", tag("summary", title, tag("span", f" {note}", class_="note") if note else None), *body)
