"""Slices of a task for people: the best rows of the board by slice, and where another one is best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import score, signed
from harness.report.entries import SMALL, best_on_slice, has_class_scores
from harness.report.markdown_tables import escape, row_heading, table
from harness.shown import short

TOP = 5  # rows of the board that Markdown shows
PARTS = 12  # of a kind
UNITS = {"length": "length in words"}
FEW = "°"


@dataclass(frozen=True)
class Slice:
    """One part of a task's test rows.

    Attributes:
        rows: how many it has; of entity types: entities.
        scores: title of a row → its mean score (0-100) on it.
        best: the row with the highest score there; the one that is best on all rows wherever it is equal to that. Rows of fewer
            seeds than others are not in the running.
    """

    kind: str
    name: str
    rows: int
    scores: dict[str, float | None]
    best: str | None

    @property
    def count(self) -> str:
        """The number of rows, marked where it is small."""
        return f"{self.rows:,}" + (FEW if self.rows < SMALL else "")


def task_slices(column: BoardColumn, rows: Sequence[Row]) -> Iterator[Slice]:
    """The slices of a task.

    Args:
        rows: those to choose the best from, the best on all test rows first.
    """
    equal = [row.title for row in rows if "few-seeds" not in row.entries[column.title].flags]
    for kind, parts in column.slices.items():
        for name, count in parts.items():
            found = {
                row.title: row.entries[column.title].slices.get(kind, {}).get(name, {}).get("score") for row in rows
            }
            yield Slice(kind, name, count, found, best_on_slice({one: found[one] for one in equal}, equal[0] if equal else None))


def ranked_rows(board: Board, column: BoardColumn) -> list[Row]:
    """The rows that have a score on a task, the highest mean first, those of fewer seeds than others last."""
    known = [row for row in board.rows if column.title in row.entries and row.entries[column.title].mean is not None]
    entries = {row.title: row.entries[column.title] for row in known}
    return sorted(known, key=lambda row: ("few-seeds" in entries[row.title].flags, -(entries[row.title].mean or 0.0)))


def kind_heading(kind: str) -> str:
    """What a kind is called where people read it."""
    return UNITS.get(kind, kind)


def slice_section(board: Board, column: BoardColumn) -> list[str]:
    """Of a task's section in leaderboard.md: slices × the best rows."""
    rows = ranked_rows(board, column)
    found = list(task_slices(column, rows))
    if not found:
        return []
    chosen = [one for kind in column.slices for one in largest_slices([one for one in found if one.kind == kind], PARTS)]
    shown = rows[:TOP]
    headers = ["slice", "rows", *map(row_heading, shown), "another is best"]
    lines = [
        [
            f"{escape(kind_heading(one.kind))}: {escape(short(one.name))}",
            one.count,
            *(_bold(score(one.scores[row.title]), one.best == row.title) for row in shown),
            _other_best(one, rows[0].title),
        ]
        for one in chosen
    ]
    return [_slice_note(rows, column, len(found) - len(chosen)), table(headers, lines)]


def largest_slices(parts: Sequence[Slice], most: int) -> list[Slice]:
    """Those with the most rows, in their own order."""
    names = {one.name for one in sorted(parts, key=lambda one: -one.rows)[:most]}
    return [one for one in parts if one.name in names]


def _other_best(one: Slice, first: str) -> str:
    """Who is best on a slice, and by how much, where it is not the one that is best on all rows."""
    if one.best is None or one.best == first:
        return ""
    ours, theirs = one.scores[one.best], one.scores[first]
    ahead = f" {signed(ours - theirs)}" if ours is not None and theirs is not None else ""
    return f"{escape(one.best)}{ahead}"


def _bold(shown: str, bold: bool) -> str:
    return f"**{shown}**" if bold else shown


def _slice_note(rows: Sequence[Row], column: BoardColumn, left_out: int) -> str:
    classes = [
        kind for kind in column.slices if any(has_class_scores(row.entries[column.title].slices, kind) for row in rows)
    ]
    f1 = "".join(f"; of each {escape(kind)} its F1" for kind in classes)
    few = any(count < SMALL for parts in column.slices.values() for count in parts.values())
    return (
        f"Scores by slice of the test (0–100, mean over seeds{f1}), for the {min(TOP, len(rows))} highest of the task. The last "
        "column names who is best on a slice where it is not the best on the whole test, and how far ahead; that may be chance."
        + (f" {FEW}: fewer than {SMALL} rows." if few else "")
        + (f" {left_out} more slices, of fewer rows, are in `--format slices`." if left_out else "")
    )
