"""leaderboard.md. To add a section, add a function that returns Markdown to `SECTIONS` or `TASK_SECTIONS`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from harness.finding import some
from harness.grouping.costs import NONE, duration, shown_costs, sizes
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import (
    baselines_named,
    column_facts,
    environment,
    interval,
    legend,
    metric_texts,
    score,
    signed,
    spread,
    troubles,
)
from harness.report.curves import Curve, curve_sentences, curves_introduction, point_text, size_headings
from harness.report.markdown_tables import ScoreCell, entry_cell, escape, row_heading, score_cells, table
from harness.report.ranks_over_tasks import over_tasks
from harness.report.slice_tables import slice_section
from harness.report.verdict import verdict

TITLE = "# Leaderboard"
EMPTY = "There are no results yet. Start with `bench run`."


def render(board: Board) -> str:
    """Return the board as Markdown."""
    if not board.rows:
        return "\n\n".join([TITLE, EMPTY, *map(escape, board.notes), *failures_section(board)]) + "\n"
    parts = [TITLE, *(part for make in SECTIONS for part in make(board))]
    return "\n\n".join(part for part in parts if part) + "\n"


def recommendations(board: Board) -> list[str]:
    """Return the lines of the verdict: which model to fine-tune."""
    return ["\n".join(f"- {escape(line)}" for line in verdict(board).lines())]


def board_introduction(board: Board) -> list[str]:
    """Return a paragraph on how the scores were made."""
    seeds = sorted({seed for column in board.columns for seed in column.seeds})
    spread = " ± sample standard deviation over the seeds" if len(seeds) > 1 else ""
    when = ""
    if board.dates:
        first, last = board.dates
        when = f", run on {first}" if first == last else f", run from {first} to {last}"
    suites = f" of suite {escape(', '.join(board.suites))}" if board.suites else ""
    return [
        f"Every model is fine-tuned on every task{suites} under one protocol and scored once on the test split. Scores are each "
        f"task's primary metric on a scale of 0–100, higher is better: mean{spread} ({some(board.cells, 'cell')}{when}; "
        f"seeds {', '.join(map(str, seeds)) or NONE})."
    ]


def main_table(board: Board) -> list[str]:
    """Return the table of models × tasks."""
    rows = board.table_rows
    columns = []
    for column in board.columns:
        cells = [entry_cell(row.entries.get(column.title)) for row in rows]
        columns.append([escape(column.title), *score_cells([*cells, ScoreCell(score(column.trivial))])])
    if len(board.columns) > 1:
        averages = [ScoreCell(score(row.average), best=row.best) for row in rows]
        columns.append(["average", *score_cells([*averages, ScoreCell(score(board.trivial_average))])])
    columns += [[cost.title, *map(cost.cell_text, rows), ""] for cost in shown_costs(rows)]
    return [_model_table(rows, columns)]


def _model_table(rows: Sequence[Row], columns: Sequence[Sequence[str]]) -> str:
    """Make a table with a line for each row of the board and one for the trivial answer."""
    names = ["model", *map(row_heading, rows), "*trivial answer*"]
    headers, *lines = zip(names, *columns, strict=True)
    return table(headers, lines)


def notes_below(board: Board) -> list[str]:
    """Return the legend and the notes."""
    lines = ["**Bold**: best of the column, ties to two digits included. –: no result."]
    if len(board.columns) > 1:
        lines[0] += " The average needs a score in every column."
    if any(row.is_baseline for row in board.rows):
        lines.append("*Italics*: baselines, which every model has to beat; nothing is fine-tuned for them.")
    lines += [f"{escape(line)}." for line in [*baselines_named(board), *legend(board)]]
    lines += [f"Trouble: {escape(line)}." for line in troubles(board)]
    lines += [f"Note: {escape(note)}" for note in board.notes]
    return ["\n".join(f"- {line}" for line in lines)]


def learning_curves(board: Board) -> list[str]:
    """Return a table of models × training rows for each curve, and which models overtake which."""
    if not board.curves:
        return []
    parts = ["## Learning curves", curves_introduction(board.curves)]
    for curve in board.curves:
        parts += [f"### Learning curve of {escape(curve.task)} ({escape(curve.metric or NONE)})", _curve_table(curve)]
        parts.append("\n".join(f"- {escape(line)}" for line in curve_sentences(curve)))
    return parts


def _curve_table(curve: Curve) -> str:
    rows = []
    for line in curve.lines:
        title = escape(line.title)
        rows.append([f"*{title}*" if line.is_baseline else title, *map(point_text, line.points)])
    rows.append(["*trivial answer*", *(score(size.trivial) for size in curve.sizes)])
    return table(["model", *size_headings(curve)], rows)


def gains_section(board: Board) -> list[str]:
    """Return the gains of pre-training."""
    if not board.gains:
        return []
    models = sorted({gain.model for gain in board.gains})
    titles = [column.title for column in board.columns if any(gain.task == column.title for gain in board.gains)]
    texts = {(gain.model, gain.task): signed(gain.mean) + spread(gain.sd) for gain in board.gains}
    rows = [[escape(model), *(texts.get((model, title), NONE) for title in titles)] for model in models]
    return [
        "## What pre-training is worth",
        "Points by which `full` (pretrained weights) beats `scratch` (random weights of the same architecture): the mean of the "
        "differences seed by seed, ± their sample standard deviation.",
        table(["model", *map(escape, titles)], rows),
    ]


def baselines_section(board: Board) -> list[str]:
    """Return the score of each baseline, if the main table shows only the best one of each task."""
    if not baselines_named(board):
        return []
    rows = []
    for column in board.columns:
        for row in _task_rows(board, column):
            if row.is_baseline:
                entry = row.entries[column.title]
                rows.append([escape(column.title), escape(row.title), score(entry.mean), duration(entry.train_seconds)])
    return ["## Baselines", table(["task", "baseline", "score", "training"], rows, left=2)]


def task_sections(board: Board) -> list[str]:
    """Return a section for each task."""
    return [part for column in board.columns for make in TASK_SECTIONS for part in make(board, column)]


def task_heading(board: Board, column: BoardColumn) -> list[str]:
    """Return the heading of a task."""
    return [f"## {escape(column.title)}"]


def task_facts(board: Board, column: BoardColumn) -> list[str]:
    """Return a list with the metric, data, rows and recipe of a task."""
    facts = column_facts(column)
    if column.warnings:
        facts["warnings about the data"] = f"{len(column.warnings)}: {facts['warnings about the data']}"
    facts |= {name: facts[name] or NONE for name in ("rows", "seeds", "recipe")}
    facts = {"metric": facts.pop("metric"), "family": column.family, **facts}
    return ["\n".join(f"- {name}: {escape(value)}" for name, value in facts.items() if value)]


def metrics_table(board: Board, column: BoardColumn) -> list[str]:
    """Return a table of all metrics and costs of a task."""
    rows = _task_rows(board, column)
    entries = [row.entries[column.title] for row in rows]
    columns = [["score", *score_cells([*map(entry_cell, entries), ScoreCell(score(column.trivial))])]]
    if any(entry.standing for entry in entries):
        columns.append(["95 % interval", *map(interval, entries), ""])
    columns += _published_column(rows, column, column.metric, "published")
    columns.append(["seeds", *(str(len(entry.scores)) for entry in entries), ""])
    for name in column.metrics:
        texts = metric_texts([*(entry.metrics.get(name) for entry in entries), column.trivial_metrics.get(name)])
        columns.append([escape(name), *texts])
        columns += _published_column(rows, column, name, f"published {name}")
    columns += [[cost.of_task or cost.title, *map(cost.cell_text, entries), ""] for cost in shown_costs(rows)]
    return [_model_table(rows, columns)]


def _task_rows(board: Board, column: BoardColumn) -> list[Row]:
    """Return the rows of a task by score; rows with equal scores or without a score in the order of the board."""
    rows = [row for row in board.rows if column.title in row.entries]
    means = {row.title: row.entries[column.title].mean for row in rows}
    return sorted(rows, key=lambda row: math.inf if means[row.title] is None else -means[row.title])


def _published_column(rows: Sequence[Row], column: BoardColumn, metric: str | None, heading: str) -> list[list[str]]:
    """Return a column with the published numbers of a metric and our difference; none if nothing is published."""
    published = [[number for number in row.published.get(column.title, ()) if number.metric == metric] for row in rows]
    if not any(published):
        return []
    texts = [" / ".join(f"{score(one.value)} ({signed(one.difference)})" for one in numbers) for numbers in published]
    return [[escape(heading), *texts, ""]]


def published_sources(board: Board, column: BoardColumn) -> list[str]:
    """Return the sources of published numbers."""
    lines = [
        f"- {escape(row.title)}, {escape(number.metric)} {score(number.value)}: {escape(number.source)}; "
        f"{escape(number.split)} split" + (f"; {escape(number.note)}" if number.note else "")
        for row in _task_rows(board, column)
        for number in row.published.get(column.title, ())
    ]
    return ["Published numbers, in brackets ours minus theirs; protocols differ:", "\n".join(lines)] if lines else []


def models_section(board: Board) -> list[str]:
    """Return a table of the models and their sources."""
    rows = {
        row.model: [escape(row.model), row.architecture or NONE, escape(row.source or NONE), sizes(row.parameters)]
        for row in sorted(board.rows, key=lambda row: (row.title, row.method), reverse=True)
    }
    headers = ["model", "architecture", "source", "parameters"]
    return ["## Models", table(headers, [rows[name] for name in sorted(rows)], left=3)]


def failures_section(board: Board) -> list[str]:
    """Return a table of the cells that failed."""
    if not board.failures:
        return []
    rows = [[escape(failure.id), escape(failure.type), escape(failure.message)] for failure in board.failures]
    return [f"## Failed cells ({len(rows)})", table(["cell", "error", "message"], rows, left=3)]


def environments_section(board: Board) -> list[str]:
    """Return a list of the devices and library versions."""
    if not board.environments:
        return []
    lines = [f"- {escape(environment(one.facts))} ({some(one.cells, 'cell')})" for one in board.environments]
    return ["## Environment", "\n".join(lines)]


def reproduce_section(board: Board) -> list[str]:
    """Return the commands that reproduce the records."""
    lines = "\n".join(board.commands)
    return [
        "## How to reproduce",
        f"```console\n{lines}\n```",
        "A cell that is finished is not run again. `bench plan` with the same options shows the cells without running any; their "
        "recipes must be the ones given above.",
    ]


# Each function returns parts as Markdown (a heading, a paragraph, a table), or an empty list.
SECTIONS: tuple[Callable[[Board], list[str]], ...] = (
    recommendations,
    board_introduction,
    main_table,
    notes_below,
    over_tasks,
    learning_curves,
    gains_section,
    baselines_section,
    task_sections,
    models_section,
    failures_section,
    environments_section,
    reproduce_section,
)
TASK_SECTIONS: tuple[Callable[[Board, BoardColumn], list[str]], ...] = (
    task_heading,
    task_facts,
    metrics_table,
    published_sources,
    slice_section,
)
