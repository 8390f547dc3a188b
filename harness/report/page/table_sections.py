"""Sections of text and tables: verdict, ranks over all tasks, gains, slices, failed cells, tasks, environments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from harness.grouping.contenders import average
from harness.grouping.costs import NONE
from harness.grouping.groups import succeeded
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import column_facts, environment, metric_texts, score, signed, spread
from harness.report.entries import SMALL, has_class_scores, numbers
from harness.report.markdown import EMPTY
from harness.report.page.view import Part, View, fill
from harness.report.ranks_over_tasks import (
    diagram,
    figure_text,
    friedman_sentence,
    group_texts,
    over_tasks_introduction,
    over_tasks_notes,
    ranked_title,
)
from harness.report.slice_tables import SMALL_MARK, kind_heading, largest_slices, ranked_rows, task_slices
from harness.report.verdict import verdict
from harness.report.verdict_lines import AHEAD, BASELINE, FAILED, FIRST, TIE
from harness.safe_text import short

OUTCOMES = {FIRST: "proven", AHEAD: "not proven", TIE: "tie", BASELINE: "baseline", FAILED: "failed"}
MAX_SLICES = 40  # slices of a kind that are shown, those with the most rows
STEPS = 9  # colours of css/heat.css
Heading = tuple[str, str]  # the heading of a column, and the text below it


def empty(view: View) -> Part | None:
    """Say what to do if there are no results."""
    return None if view.board.rows else Part(fill("lines.html", text=EMPTY.replace("`", ""), lines=()))


def verdict_cards(view: View) -> Part | None:
    """Return one line over all tasks, and a card for each task."""
    if not view.board.columns:
        return None
    answer = verdict(view.board)
    cards = [
        (task.task, OUTCOMES[task.outcome], task.outcome, task.line.removeprefix(f"{task.task}: "))
        for task in answer.tasks
    ]
    return Part(fill("verdict.html", overall=answer.overall.line if answer.overall else None, cards=cards))


def overall(view: View) -> Part | None:
    """Return ranks, normalised scores, wins and groups over all tasks, with the critical-difference diagram."""
    ranking = view.board.overall
    if ranking is None:
        return None
    notes = over_tasks_notes(ranking)
    if not ranking.rows:
        return Part(fill("overall.html", rows=(), notes=notes)) if notes else None
    html = fill(
        "overall.html",
        introduction=over_tasks_introduction(ranking),
        rows=[
            (ranked_title(row), [figure_text(figure) for figure in (row.rank, row.score, row.wins)], group)
            for row, group in zip(ranking.rows, group_texts(ranking), strict=True)
        ],
        friedman=friedman_sentence(ranking.friedman, ranking) if ranking.friedman else None,
        diagram=Markup(diagram(view.board)),
        notes=notes,
    )
    return Part(html)


def tasks(view: View) -> Part | None:
    """Return the data, protocol and recipe of each column."""
    facts = [(column.title, column.family, column_facts(column)) for column in view.board.columns]
    return Part(fill("tasks.html", tasks=facts)) if facts else None


def failures(view: View) -> Part | None:
    """Return the cells that failed, with their errors."""
    failed = [(failure, view.address(failure.id)) for failure in view.board.failures]
    return Part(fill("failures.html", failures=failed)) if failed else None


def environments(view: View) -> Part | None:
    """Return the devices and library versions."""
    lines = [f"{environment(one.facts)} ({one.cells} cells)" for one in view.board.environments]
    return Part(fill("lines.html", text=None, lines=lines)) if lines else None


def gains(view: View) -> Part | None:
    """Return a table of the points by which pretrained weights beat random ones."""
    board = view.board
    if not board.gains:
        return None
    by_cell = {(gain.model, gain.task): gain for gain in board.gains}
    titles = [column.title for column in board.columns if any(task == column.title for _, task in by_cell)]
    rows = [row for row in board.rows if row.method == "full" and any((row.model, title) in by_cell for title in titles)]
    lines = [[by_cell.get((row.model, title)) for title in titles] for row in rows]
    values = [[gain.mean if gain else None for gain in line] for line in lines]
    texts = [[signed(gain.mean) + spread(gain.sd) if gain else NONE for gain in line] for line in lines]
    headings = [(title, "points") for title in titles]
    table = _heat_table("What pre-training is worth", "full − scratch", headings, rows, values, texts)
    introduction = (
        "Points by which full (pretrained weights) beats scratch (random weights of the same architecture): the mean of the "
        "differences seed by seed, ± their sample standard deviation."
    )
    return Part(fill("heat_table.html", introduction=introduction, tables=[table], folded=False))


def slices(view: View) -> Part | None:
    """Return a table for each task and kind of slices, such as labels, lengths or phenomena."""
    columns = view.board.columns
    tables = [_slice_table(view, column, kind) for column in columns for kind in column.slices]
    if not tables:
        return None
    introduction = (
        "Score of each slice of the test alone, the mean over seeds; of a label or an entity type its F1. Each slice is coloured "
        "on its own scale. Where another row is best than on the whole test, the slice's heading names it; that may be chance."
    )
    if any(count < SMALL for column in columns for counts in column.slices.values() for count in counts.values()):
        introduction += f" {SMALL_MARK}: fewer than {SMALL} rows."
    return Part(fill("heat_table.html", introduction=introduction, tables=tables, folded=True))


def _slice_table(view: View, column: BoardColumn, kind: str) -> dict[str, Any]:
    ranked = ranked_rows(view.board, column)
    all_slices = [one for one in task_slices(column, ranked) if one.kind == kind]
    shown = largest_slices(all_slices, MAX_SLICES)
    rows = view.rows_of(column)
    row_slices = [row.entries[column.title].slices for row in rows]
    are_classes = any(has_class_scores(one, kind) for one in row_slices)
    headings, values = [], []
    for one in shown:
        best = f"best: {one.best}" if one.best and one.best != ranked[0].title else ""
        headings.append((short(one.name), " · ".join(filter(None, (f"{one.count} rows", best)))))
        values.append([one.scores[row.title] for row in rows])
        for metric in ("precision", "recall") if are_classes else ():
            shares = [own.get(kind, {}).get(one.name, {}).get(metric) for own in row_slices]
            headings.append((f"{short(one.name)} {metric}", ""))
            values.append([None if share is None else 100 * share for share in shares])
    lines = list(zip(*values, strict=True))
    left_out = f", without {len(all_slices) - len(shown)} of fewer rows" if len(all_slices) > len(shown) else ""
    below = kind_heading(kind)
    texts = [list(map(score, line)) for line in lines]
    table = _heat_table(f"{column.title}: {below}", below, headings, rows, lines, texts)
    return {**table, "note": f"{len(all_slices)} slices{left_out}"}


def types(view: View) -> Part | None:
    """Return a table for each metric with parts that are not slices, such as a metric by entity type."""
    tables = []
    for column in view.board.columns:
        rows = view.rows_of(column)
        row_slices = [row.entries[column.title].slices for row in rows]
        class_slices = [
            set(counts)
            for kind, counts in column.slices.items()
            if any(has_class_scores(one, kind) for one in row_slices)
        ]
        for metric, row_means in _metrics_by_type([view.records(row, column) for row in rows]).items():
            headings = list(dict.fromkeys(heading for means in row_means for heading in means))
            type_names = {name for name, _ in headings}
            if type_names in class_slices:
                continue
            values = [[means.get(heading) for heading in headings] for means in row_means]
            texts = [[metric_texts([value])[0] for value in line] for line in values]
            title = f"{column.title}: {metric.replace('_', ' ')}"
            tables.append(
                {**_heat_table(title, "type", headings, rows, values, texts), "note": f"{len(type_names)} types"}
            )
    introduction = (
        "Test metrics of each type alone, the mean over seeds, in their library's own scale. Each column is coloured on its own."
    )
    return Part(fill("heat_table.html", introduction=introduction, tables=tables, folded=True)) if tables else None


def _metrics_by_type(groups: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[Heading, float | None]]]:
    """Return metric → for each group of records (type, name of the number) → mean over the records."""
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
    return {name: [_type_means([test.get(name) or {} for test in group]) for group in tests] for name in names}


def _type_means(metrics: Sequence[Mapping[str, Any]]) -> dict[Heading, float | None]:
    flat = [
        {(kind, name): value for kind, part in metric.items() if isinstance(part, Mapping) for name, value in numbers(part).items()}
        for metric in metrics
    ]  # fmt: skip
    kinds = sorted({kind for one in flat for kind, _ in one})
    names = dict.fromkeys(name for one in flat for _, name in one)
    return {(kind, name): average(one.get((kind, name)) for one in flat) for kind in kinds for name in names}


def _heat_table(
    title: str, below: str, headings: Sequence[Heading], rows: Sequence[Row],
    values: Sequence[Sequence[float | None]], texts: Sequence[Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """Return a table for `heat_table.html` with a line for each row of the board, coloured column by column.

    Args:
        title: title of the table.
        below: text below the heading of the first column.
        headings: headings of the other columns.
        rows: rows of the board.
        values: [rows, columns], for colours and sorting.
        texts: [rows, columns], the values as text.
    """
    colours = list(zip(*(heat_steps(column) for column in zip(*values, strict=True)), strict=True))
    lines = [
        (row.title, list(zip(row_values, row_texts, row_colours, strict=True)))
        for row, row_values, row_texts, row_colours in zip(rows, values, texts, colours, strict=True)
    ]
    return {"title": title, "below": below, "headings": headings, "rows": lines, "note": None}


def heat_steps(values: Iterable[float | None]) -> list[int | None]:
    """Return the colour of each value: 0 for the lowest to `STEPS` - 1 for the highest; None if there is no scale."""
    values = [value if value is not None and math.isfinite(value) else None for value in values]
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if high <= low:
        return [None] * len(values)
    return [None if value is None else round((value - low) / (high - low) * (STEPS - 1)) for value in values]
