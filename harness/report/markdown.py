"""leaderboard.md: its sections in their order. A new one is one entry of `SECTIONS`, and a function that returns Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.finding import some
from harness.grouping.costs import NONE, duration, shown_costs, sizes
from harness.grouping.recipe_variants import search_sentence
from harness.report.board import Board, Gain
from harness.report.board_columns import BoardColumn, trained_on
from harness.report.board_rows import Row
from harness.report.board_text import (
    baselines_named,
    environment,
    interval,
    metric_texts,
    recipe,
    score,
    short,
    signed,
    spread,
)
from harness.report.curve_text import learning_curves
from harness.report.markdown_tables import (
    ScoreCell,
    board_introduction,
    entry_cell,
    escape,
    main_table,
    notes_below,
    recommendations,
    row_heading,
    score_cells,
    table,
)
from harness.report.ranks_over_tasks import over_tasks
from harness.report.slice_tables import slice_section

TITLE = "# Leaderboard"
EMPTY = "There are no results yet. Start with `bench run`."


def gains_section(board: Board) -> list[str]:
    """The gain of pre-training."""
    if not board.gains:
        return []
    models = sorted({gain.model for gain in board.gains})
    titles = [column.title for column in board.columns if any(gain.task == column.title for gain in board.gains)]
    by_cell = {(gain.model, gain.task): gain for gain in board.gains}
    rows = [[escape(model), *(_gain_text(by_cell.get((model, title))) for title in titles)] for model in models]
    return [
        "## What pre-training is worth",
        "Points by which `full` (pretrained weights) beats `scratch` (random weights of the same architecture): the mean of the "
        "differences seed by seed, ± their sample standard deviation.",
        table(["model", *map(escape, titles)], rows),
    ]


def _gain_text(gain: Gain | None) -> str:
    return signed(gain.mean) + spread(gain.sd) if gain else NONE


def baselines_section(board: Board) -> list[str]:
    """The score of each baseline, where the main table shows only the best one of each task."""
    if not baselines_named(board):
        return []
    rows = [
        [escape(column.title), escape(row.title), score(entry.mean), cost]
        for column in board.columns
        for row in _task_rows(board, column)
        if row.is_baseline
        for entry in [row.entries[column.title]]
        for cost in [duration(entry.train_seconds)]
    ]
    return ["## Baselines", table(["task", "baseline", "score", "training"], rows, left=2)]


def task_heading(board: Board, column: BoardColumn) -> list[str]:
    """The heading of a task."""
    return [f"## {escape(column.title)}"]


def task_facts(board: Board, column: BoardColumn) -> list[str]:
    """The metric, data, rows and recipe of a task."""
    splits = ", ".join(f"{split} {rows:,}" for split, rows in column.rows.items()) or NONE
    revision = f", revision {column.revision}" if column.revision else ""
    facts = {
        "metric": f"{column.metric or NONE} (as a score of 0–100)",
        "family": column.family,
        "data": f"{column.source or NONE}{revision}; version {column.version}, fingerprint {short(column.fingerprint)}",
        "rows": splits,
        **_protocol_facts(column),
        "seeds": ", ".join(map(str, column.seeds)) or NONE,
        "recipe": recipe(column.recipe) or NONE,
        **({"search": search_sentence(column.searches)} if column.searches else {}),
    }
    if column.settings:
        facts["metric settings"] = "; ".join(f"{name} {value}" for name, value in column.settings.items())
    return ["\n".join(f"- {name}: {escape(str(value))}" for name, value in facts.items())]


def _protocol_facts(column: BoardColumn) -> dict[str, str]:
    """Facts that only newer records have: rule of the splits, truncated rows, warnings about the data."""
    facts = {}
    if column.split_rule:
        facts["splits"] = column.split_rule
    if column.rows_without_limit:
        facts["subset of"] = ", ".join(f"{split} {rows:,}" for split, rows in column.rows_without_limit.items())
    if part := trained_on(column):
        facts["trained on"] = part
    if column.truncated:
        facts["test rows cut to fit"] = ", ".join(f"{model} {share:.1%}" for model, share in column.truncated.items())
    if column.warnings:
        facts["warnings about the data"] = f"{len(column.warnings)}: {'; '.join(column.warnings)}"
    return facts


def metrics_table(board: Board, column: BoardColumn) -> list[str]:
    """All metrics and costs of a task."""
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
    names = ["model", *map(row_heading, rows), "*trivial answer*"]
    headers, *lines = zip(names, *columns, strict=True)
    return [table(headers, lines)]


def _task_rows(board: Board, column: BoardColumn) -> list[Row]:
    """The rows of a task by score; equal ones and those without a score in the order of the board."""
    rows = [row for row in board.rows if column.title in row.entries]
    means = {row.title: row.entries[column.title].mean for row in rows}
    return sorted(rows, key=lambda row: math.inf if means[row.title] is None else -means[row.title])


def _published_column(rows: Sequence[Row], column: BoardColumn, metric: str | None, heading: str) -> list[list[str]]:
    """A column with the published numbers of a metric and the difference of ours; none where nothing is published."""
    published = [[one for one in row.published.get(column.title, ()) if one.metric == metric] for row in rows]
    if not any(published):
        return []
    texts = [" / ".join(f"{score(one.value)} ({signed(one.difference)})" for one in beside) for beside in published]
    return [[escape(heading), *texts, ""]]


def published_sources(board: Board, column: BoardColumn) -> list[str]:
    """The sources of published numbers."""
    lines = [
        f"- {escape(row.title)}, {escape(one.metric)} {score(one.value)}: {escape(one.source)}; {escape(one.split)} split"
        + (f"; {escape(one.note)}" if one.note else "")
        for row in _task_rows(board, column)
        for one in row.published.get(column.title, ())
    ]
    intro = "Published numbers, in brackets ours minus theirs; protocols differ:"
    return [intro, "\n".join(lines)] if lines else []


def models_section(board: Board) -> list[str]:
    """The sources of the models."""
    rows = {
        row.model: [escape(row.model), row.architecture or NONE, escape(row.source or NONE), sizes(row.parameters)]
        for row in sorted(board.rows, key=lambda row: (row.title, row.method), reverse=True)
    }
    return [
        "## Models",
        table(["model", "architecture", "source", "parameters"], [rows[name] for name in sorted(rows)], left=3),
    ]


def failures_section(board: Board) -> list[str]:
    """The cells that failed."""
    if not board.failures:
        return []
    rows = [[escape(failure.id), escape(failure.type), escape(failure.message)] for failure in board.failures]
    return [f"## Failed cells ({len(rows)})", table(["cell", "error", "message"], rows, left=3)]


def environments_section(board: Board) -> list[str]:
    """Devices and versions."""
    if not board.environments:
        return []
    lines = [f"- {escape(environment(known.facts))} ({some(known.cells, 'cell')})" for known in board.environments]
    return ["## Environment", "\n".join(lines)]


def reproduce_section(board: Board) -> list[str]:
    """The commands that make these records again."""
    lines = "\n".join(board.commands)
    return [
        "## How to reproduce",
        f"```console\n{lines}\n```",
        "A cell that is finished is not run again. `bench plan` with the same options shows the cells without running any; their "
        "recipes must be the ones given above.",
    ]


def render(board: Board, command: str | None = None) -> str:
    """The board as Markdown.

    Args:
        board: the board.
        command: the command that makes these results; None: derived from the records.
    """
    if not board.rows:
        return "\n\n".join([TITLE, EMPTY, *map(escape, board.notes), *failures_section(board)]) + "\n"
    if command:
        board = replace(board, commands=(command,))
    parts = [TITLE, *(part for make in SECTIONS for part in make(board))]
    return "\n\n".join(part for part in parts if part) + "\n"


def task_sections(board: Board) -> list[str]:
    """A section for each task."""
    return [part for column in board.columns for make in TASK_SECTIONS for part in make(board, column)]


# Each returns its parts as Markdown (a heading, a paragraph, a table), or none.
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
