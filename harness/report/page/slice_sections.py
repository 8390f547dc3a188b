"""Sections that are coloured tables of models × parts: gains of pre-training, slices of the test data, types of a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.grouping.contenders import average
from harness.grouping.groups import succeeded
from harness.report import board_text as text
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import SMALL, has_class_scores, numbers
from harness.report.page.templates import fill
from harness.report.page.view import Part, View
from harness.report.slice_tables import FEW, kind_heading, largest_slices, ranked_rows, task_slices
from harness.safe_text import short

PARTS = 40  # slices of a kind that are shown, those with the most rows
STEPS = 9  # colours of css/heat.css
Heading = tuple[str, str]  # name of a part, and what stands below it


def heat_step(value: float | None, low: float, high: float) -> int | None:
    """The colour of a value: 0 for `low` to `STEPS` - 1 for `high`. None for no number, or where low and high are equal."""
    if value is None or not math.isfinite(value) or high <= low:
        return None
    return min(STEPS - 1, max(0, round((value - low) / (high - low) * (STEPS - 1))))


def heat_steps(values: Iterable[float | None]) -> list[int | None]:
    """The colour of each value on a scale from the lowest to the highest of them."""
    values = list(values)
    known = [value for value in values if value is not None and math.isfinite(value)]
    return [heat_step(value, min(known), max(known)) if known else None for value in values]


def gains(view: View) -> Part | None:
    """Points by which pretrained weights beat random ones."""
    board = view.board
    if not board.gains:
        return None
    by_cell = {(gain.model, gain.task): gain for gain in board.gains}
    titles = [column.title for column in board.columns if any(task == column.title for _, task in by_cell)]
    rows = [row for row in board.rows if row.method == "full" and any((row.model, title) in by_cell for title in titles)]
    lines = [[by_cell.get((row.model, title)) for title in titles] for row in rows]
    values = [[gain.mean if gain else None for gain in line] for line in lines]
    texts = [[text.signed(gain.mean) + text.spread(gain.sd) if gain else text.NONE for gain in line] for line in lines]
    table = _table("What pre-training is worth", "full − scratch", [(title, "points") for title in titles], rows, values, texts)
    introduction = (
        "Points by which full (pretrained weights) beats scratch (random weights of the same architecture): the mean of the "
        "differences seed by seed, ± their sample standard deviation."
    )
    return Part(fill("heat_table.html", introduction=introduction, tables=[table], folded=False))


def slices(view: View) -> Part | None:
    """A table for each task and kind of slices, such as labels, lengths or phenomena."""
    columns = view.board.columns
    tables = [_slice_table(view, column, kind) for column in columns for kind in column.slices]
    if not tables:
        return None
    introduction = (
        "Score of each slice of the test alone, the mean over seeds; of a label or an entity type its F1. Each slice is coloured "
        "on its own scale. Where another row is best than on the whole test, the slice's heading names it; that may be chance."
    )
    if any(count < SMALL for column in columns for parts in column.slices.values() for count in parts.values()):
        introduction += f" {FEW}: fewer than {SMALL} rows."
    return Part(fill("heat_table.html", introduction=introduction, tables=tables, folded=True))


def _slice_table(view: View, column: BoardColumn, kind: str) -> dict[str, Any]:
    ranked = ranked_rows(view.board, column)
    all_slices = [one for one in task_slices(column, ranked) if one.kind == kind]
    shown = largest_slices(all_slices, PARTS)
    rows = view.rows_of(column)
    row_slices = [row.entries[column.title].slices for row in rows]
    classes = any(has_class_scores(one, kind) for one in row_slices)
    headings, values = [], []
    for one in shown:
        best = f"best: {one.best}" if one.best and one.best != ranked[0].title else ""
        headings.append((short(one.name), " · ".join(filter(None, (f"{one.count} rows", best)))))
        values.append([one.scores[row.title] for row in rows])
        for figure in ("precision", "recall") if classes else ():
            shares = [own.get(kind, {}).get(one.name, {}).get(figure) for own in row_slices]
            headings.append((f"{short(one.name)} {figure}", ""))
            values.append([None if share is None else 100 * share for share in shares])
    lines = list(zip(*values, strict=True))
    left_out = f", without {len(all_slices) - len(shown)} of fewer rows" if len(all_slices) > len(shown) else ""
    below = kind_heading(kind)
    texts = [list(map(text.score, line)) for line in lines]
    table = _table(f"{column.title}: {below}", below, headings, rows, lines, texts)
    return {**table, "note": f"{len(all_slices)} slices{left_out}"}


def types(view: View) -> Part | None:
    """A table for each metric with parts that are not slices, such as the entity types of a metric by type."""
    tables = []
    for column in view.board.columns:
        rows = view.rows_of(column)
        row_slices = [row.entries[column.title].slices for row in rows]
        slice_names = [set(parts) for kind, parts in column.slices.items() if any(has_class_scores(one, kind) for one in row_slices)]
        for metric, parts in _nested([view.records(row, column) for row in rows]).items():
            names = list(dict.fromkeys(name for part in parts for name in part))
            kinds = dict.fromkeys(kind for kind, _ in names)
            if set(kinds) in slice_names:
                continue
            values = [[part.get(name) for name in names] for part in parts]
            texts = [[text.metric_texts([value])[0] for value in line] for line in values]
            table = _table(f"{column.title}: {metric.replace('_', ' ')}", "type", names, rows, values, texts)
            tables.append({**table, "note": f"{len(kinds)} types"})
    introduction = (
        "Test metrics of each type alone, the mean over seeds, in their library's own scale. Each column is coloured on its own."
    )
    return Part(fill("heat_table.html", introduction=introduction, tables=tables, folded=True)) if tables else None


def _nested(groups: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[tuple[str, str], float | None]]]:
    """Metric → for each group of records (type, number's name) → mean."""
    tests = [
        [(record.get("metrics") or {}).get("test") or {} for record in records if succeeded(record)] for records in groups
    ]
    names = dict.fromkeys(
        name
        for group in tests
        for test in group
        for name, value in test.items()
        if isinstance(value, Mapping) and any(isinstance(part, Mapping) and numbers(part) for part in value.values())
    )
    return {name: [_means([test.get(name) or {} for test in group]) for group in tests] for name in names}


def _means(tests: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], float | None]:
    flat = [
        {(kind, name): value for kind, part in test.items() if isinstance(part, Mapping) for name, value in numbers(part).items()}
        for test in tests
    ]  # fmt: skip
    kinds, names = sorted({kind for one in flat for kind, _ in one}), dict.fromkeys(name for one in flat for _, name in one)
    return {(kind, name): average(one.get((kind, name)) for one in flat) for kind in kinds for name in names}


def _table(
    title: str, below: str, headings: Sequence[Heading], rows: Sequence[Row],
    values: Sequence[Sequence[float | None]], texts: Sequence[Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """A table of rows × parts for `heat_table.html`, coloured part by part.

    Args:
        title: of the table.
        below: what a part is, below the heading of the rows' names.
        headings: of the parts.
        rows: of the board.
        values: [rows, parts], to colour and to sort by.
        texts: [rows, parts], the same for a person.
    """
    colours = list(zip(*(heat_steps(part) for part in zip(*values, strict=True)), strict=True))
    lines = [
        (row.title, list(zip(own, own_texts, own_colours, strict=True)))
        for row, own, own_texts, own_colours in zip(rows, values, texts, colours, strict=True)
    ]
    return {"title": title, "below": below, "headings": headings, "rows": lines, "note": None}
