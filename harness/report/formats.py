"""What `bench leaderboard --format` can write: a name and a function of the records for each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from harness.cell import sized
from harness.published import published
from harness.report.board import Board, Standings
from harness.report.diagram import diagram
from harness.report.latex import to_latex
from harness.report.latex_curves import curves_to_latex
from harness.report.markdown import render
from harness.store import Record

FIELDS = (
    "model", "method", "task", "seeds", "mean", "sd", "low", "high", "group", "min", "max", "failed", "trivial", "best",
    "parameters", "trained", "train_seconds", "peak_memory_bytes", "flags", "published", "difference", "train_rows",
    "search_seconds",
)  # fmt: skip


def to_json(board: Board) -> str:
    """The whole board, fields as the classes of `harness.report` describe them; scores unrounded."""
    return json.dumps(asdict(board), indent=1, ensure_ascii=False) + "\n"


def to_csv(board: Board) -> str:
    """One line for each model, method and task that was tried, and then for each other size of a learning curve, which the task's
    name tells.

    `seeds` and `failed` count seeds; scores are 0-100 and unrounded; what is unknown is empty; `flags` has spaces between,
    and so have `published` numbers of the primary metric and the `difference` of ours from each.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        for column in board.columns:
            entry = row.entries.get(column.title)
            if entry is None:
                continue
            scores = entry.scores.values()
            beside = [one for one in row.published.get(column.title, ()) if one.metric == column.metric]
            writer.writerow(
                {
                    "model": row.model,
                    "method": row.method,
                    "task": column.title,
                    "seeds": len(scores),
                    "mean": entry.mean,
                    "sd": entry.sd,
                    "low": entry.standing and entry.standing.low,
                    "high": entry.standing and entry.standing.high,
                    "group": entry.standing and entry.standing.letters,
                    "min": min(scores, default=None),
                    "max": max(scores, default=None),
                    "failed": len(entry.failed),
                    "trivial": column.trivial,
                    "best": int(entry.best),
                    "parameters": entry.parameters,
                    "trained": entry.trained,
                    "train_seconds": entry.train_seconds,
                    "peak_memory_bytes": entry.peak_memory_bytes,
                    "flags": " ".join(entry.flags),
                    "published": " ".join(str(one.value) for one in beside),
                    "search_seconds": entry.search_seconds,
                    "difference": " ".join(str(one.difference) for one in beside if one.difference is not None),
                    "train_rows": column.rows.get("train"),
                }
            )
    writer.writerows(_points(board))
    return out.getvalue()


def _points(board: Board) -> Iterator[dict[str, Any]]:
    """The points of learning curves that are no column of the board."""
    columns = {column.title for column in board.columns}
    for curve in board.curves:
        for number, size in enumerate(curve.sizes):
            task = sized(curve.task, size.train_rows)
            for line in curve.lines:
                point = line.points[number]
                if point is not None and task not in columns:
                    facts = {name: getattr(point, name) for name in ("seeds", "mean", "sd", "low", "high", "failed")}
                    names = {"model": line.model, "method": line.method, "task": task}
                    yield {**names, **facts, "trivial": size.trivial, "train_rows": size.rows}


FORMATS: dict[str, Callable[[Board], str]] = {
    "md": render,
    "json": to_json,
    "csv": to_csv,
    "latex": lambda board: to_latex(board) + curves_to_latex(board),
    "svg": diagram,
}


def formatted(form: str, records: Iterable[Record], standings: Standings | None = None) -> str:
    """The board of records in one of `FORMATS`, with the published numbers that are registered."""
    return FORMATS[form](Board.of(records, published=published(), standings=standings))
