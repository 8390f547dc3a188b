"""The formats of `bench leaderboard --format`. To add a format, add an entry to `FORMATS`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.cell import sized_title
from harness.files import dump_json
from harness.grouping.costs import COSTS
from harness.published import published
from harness.report.board import Board
from harness.report.latex import curves_to_latex, to_latex
from harness.report.markdown import render
from harness.report.ranks_over_tasks import diagram
from harness.report.verdict import verdict
from harness.safe_text import csv_cell
from harness.stats.standings import Standings
from harness.store import Record

FIELDS = (
    "model", "method", "task", "seeds", "mean", "sd", "low", "high", "group", "rank_low", "rank_high", "min", "max", "failed", "trivial", "best",
    *(cost.name for cost in COSTS), "flags", "published", "difference", "train_rows",
)  # fmt: skip


def to_json(board: Board) -> str:
    """Return the verdict and the board as JSON, with the fields of their classes and unrounded scores."""
    board_verdict = verdict(board)
    facts = {"verdict": asdict(board_verdict), **asdict(board)}
    for task, task_facts in zip(board_verdict.tasks, facts["verdict"]["tasks"], strict=True):
        task_facts["line"] = task.line
    if board_verdict.overall:
        facts["verdict"]["overall"]["line"] = board_verdict.overall.line
    for row in facts["rows"]:
        for part in (row, *row["entries"].values()):  # costs are keys of the row or entry itself
            part |= part.pop("costs")
    return dump_json(facts, indent=1) + "\n"


def to_csv(board: Board) -> str:
    """Return CSV with a line for each model, method and task, then a line for each other size of a learning curve.

    The name of the task includes such a size. `seeds` and `failed` are numbers of seeds; scores are 0-100 and
    unrounded; unknown values are empty. `flags`, `published` numbers of the primary metric and the `difference` of ours
    from each are separated by spaces. A name that a spreadsheet would read as a formula begins with an apostrophe.
    """
    return _csv(FIELDS, [*_entries(board), *_points(board)])


def _csv(fields: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _entries(board: Board) -> Iterator[dict[str, Any]]:
    for row in board.rows:
        for column in board.columns:
            entry = row.entries.get(column.title)
            if entry is None:
                continue
            scores, standing = entry.scores.values(), entry.standing
            ranks = standing.ranks if standing else None
            published_here = [one for one in row.published.get(column.title, ()) if one.metric == column.metric]
            yield {
                "model": csv_cell(row.model),
                "method": row.method,
                "task": csv_cell(column.title),
                "seeds": len(scores),
                "mean": entry.mean,
                "sd": entry.sd,
                "low": standing and standing.low,
                "high": standing and standing.high,
                "group": standing and standing.letters,
                "rank_low": ranks and ranks[0],
                "rank_high": ranks and ranks[1],
                "min": min(scores, default=None),
                "max": max(scores, default=None),
                "failed": len(entry.failed),
                "trivial": column.trivial,
                "best": int(entry.best),
                **entry.costs,
                "flags": " ".join(entry.flags),
                "published": " ".join(str(one.value) for one in published_here),
                "difference": " ".join(str(one.difference) for one in published_here if one.difference is not None),
                "train_rows": column.rows.get("train"),
            }


def _points(board: Board) -> Iterator[dict[str, Any]]:
    """Return a line for each point of a learning curve that is not in a column of the board."""
    columns = {column.title for column in board.columns}
    for curve in board.curves:
        for number, size in enumerate(curve.sizes):
            task = sized_title(curve.task, size.train_rows)
            for line in curve.lines:
                point = line.points[number]
                if point is not None and task not in columns:
                    facts = {name: getattr(point, name) for name in ("seeds", "mean", "sd", "low", "high", "failed")}
                    names = {"model": csv_cell(line.model), "method": line.method, "task": csv_cell(task)}
                    yield {**names, **facts, "trivial": size.trivial, "train_rows": size.rows}


def to_slices(board: Board) -> str:
    """Return CSV with a line for each model, method, task and slice.

    `by` is the kind of slice. `rows` counts entities for entity types. `score` (0-100) is the mean over `seeds` of the
    task's metric, or of F1 for labels and entity types. Further columns are metrics in the scale of their library.
    """
    lines = [
        {
            "model": csv_cell(row.model), "method": row.method, "task": csv_cell(column.title), "by": csv_cell(kind),
            "slice": csv_cell(name),
            "rows": column.slices[kind][name], **part,
        }
        for row in board.rows
        for column in board.columns
        if column.title in row.entries
        for kind, parts in row.entries[column.title].slices.items()
        for name, part in parts.items()
    ]  # fmt: skip
    first = ("model", "method", "task", "by", "slice", "rows", "seeds", "score")
    return _csv(list(dict.fromkeys([*first, *(name for line in lines for name in line)])), lines)


FORMATS: dict[str, Callable[[Board], str]] = {
    "md": render,
    "json": to_json,
    "csv": to_csv,
    "slices": to_slices,
    "latex": lambda board: to_latex(board) + curves_to_latex(board),
    "svg": diagram,
}


def formatted(form: str, records: Iterable[Record], standings: Standings | None = None) -> str:
    """Return the board of records in one of `FORMATS`, with the registered published numbers."""
    return FORMATS[form](Board.of(records, published=published(), standings=standings))
