"""Sections without a script: verdict, ranks over all tasks, learning curves, tasks, failed cells and environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from harness.grouping.recipe_variants import search_sentence
from harness.report import board_text as text
from harness.report.board_columns import BoardColumn, trained_on
from harness.report.curve_text import curve_lines, curves_introduction, point_text, size_headings
from harness.report.curves import Curve
from harness.report.markdown import EMPTY
from harness.report.page.curve_chart import chart, drawable
from harness.report.page.templates import fill
from harness.report.page.view import Part, View
from harness.report.ranks_over_tasks import (
    diagram,
    figure_text,
    friedman_sentence,
    group_texts,
    over_tasks_introduction,
    ranked_title,
)
from harness.report.verdict import verdict
from harness.report.verdict_lines import AHEAD, BASELINE, FAILED, FIRST, TIE

# How sure an outcome is, in a word or two beside the task's name.
SURE = {FIRST: "proven", AHEAD: "not proven", TIE: "tie", BASELINE: "baseline", FAILED: "failed"}
OPEN = 3  # learning curves that are unfolded at first: each point of a chart is a stop of the Tab key


def empty(view: View) -> Part | None:
    """What to do where there are no results."""
    return None if view.board.rows else Part(fill("lines.html", text=EMPTY.replace("`", ""), lines=()))


def verdict_cards(view: View) -> Part | None:
    """One line over all tasks, and a card for each task."""
    if not view.board.columns:
        return None
    answer = verdict(view.board)
    cards = [(one.task, SURE[one.outcome], one.outcome, one.line.removeprefix(f"{one.task}: ")) for one in answer.tasks]
    return Part(fill("verdict.html", overall=answer.overall.line if answer.overall else None, cards=cards))


def overall(view: View) -> Part | None:
    """Ranks, normalised scores, wins and groups over all tasks, with the critical-difference diagram."""
    ranking = view.board.overall
    if ranking is None:
        return None
    notes = [*ranking.notes]
    notes += [f"{one.title} is left out: no score on {', '.join(one.missing)}." for one in ranking.left_out]
    if not ranking.rows:
        return Part(fill("overall.html", rows=(), notes=notes)) if notes else None
    rows = [
        (ranked_title(row), [figure_text(figure) for figure in (row.rank, row.score, row.wins)], group)
        for row, group in zip(ranking.rows, group_texts(ranking), strict=True)
    ]
    friedman = friedman_sentence(ranking.friedman, ranking) if ranking.friedman else None
    picture = Markup(diagram(view.board))
    html = fill(
        "overall.html", introduction=over_tasks_introduction(ranking), rows=rows, friedman=friedman, diagram=picture, notes=notes
    )
    return Part(html)


def curves(view: View) -> Part | None:
    """A chart and a table for each task that was trained on several numbers of rows, and who overtakes whom."""
    shown = [_curve(curve, number) for number, curve in enumerate(view.board.curves)]
    if not shown:
        return None
    return Part(fill("curves.html", introduction=curves_introduction(view.board), curves=shown, unfolded=OPEN))


def _curve(curve: Curve, number: int) -> dict[str, Any]:
    return {
        "task": curve.task,
        "metric": curve.metric or text.NONE,
        "chart": chart(curve, number) if drawable(curve) else None,
        "lines": curve_lines(curve),
        "headings": ("model", *size_headings(curve)),
        "rows": [(line.title, [point_text(point) for point in line.points]) for line in curve.lines],
        "trivial": [text.score(size.trivial) for size in curve.sizes],
    }


def tasks(view: View) -> Part | None:
    """The data, protocol and recipe behind each column."""
    shown = [(column.title, column.family, _facts(column)) for column in view.board.columns]
    return Part(fill("tasks.html", tasks=shown)) if shown else None


def _facts(column: BoardColumn) -> dict[str, str]:
    revision = f", revision {column.revision}" if column.revision else ""
    return {
        "metric": f"{column.metric or text.NONE} (as a score of 0–100)",
        "data": f"{column.source or text.NONE}{revision}; version {column.version}, fingerprint {text.short(column.fingerprint)}",
        "rows": _counts(column.rows),
        "splits": column.split_rule or "",
        "subset of": _counts(column.rows_without_limit),
        "trained on": trained_on(column),
        "test rows cut to fit": ", ".join(f"{model} {share:.1%}" for model, share in column.truncated.items()),
        "warnings about the data": "; ".join(column.warnings),
        "seeds": ", ".join(map(str, column.seeds)),
        "recipe": text.recipe(column.recipe),
        "search": search_sentence(column.searches),
        "metric settings": "; ".join(f"{name} {value}" for name, value in column.settings.items()),
    }


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{split} {rows:,}" for split, rows in counts.items())


def failures(view: View) -> Part | None:
    """The cells that failed, with their errors."""
    failed = [(one, view.address(one.id)) for one in view.board.failures]
    return Part(fill("failures.html", failures=failed)) if failed else None


def environments(view: View) -> Part | None:
    """Devices and versions."""
    lines = [f"{text.environment(one.facts)} ({one.cells} cells)" for one in view.board.environments]
    return Part(fill("lines.html", text=None, lines=lines)) if lines else None
