"""Scores by slice of a task's test rows: the best row on each slice, and the table in leaderboard.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import score, signed
from harness.report.entries import SMALL, best_on_slice, has_class_scores
from harness.report.markdown_tables import escape, row_heading, table
from harness.safe_text import short

TOP = 5  # rows of the board in the table
PARTS = 12  # slices of a kind in the table
UNITS = {"length": "length in words"}
FEW = "°"


@dataclass(frozen=True)
class Slice:
    """One slice of the test rows of a task.

    Attributes:
        kind: such as `label` or `length`.
        name: of the slice.
        rows: number of its rows; for entity types of entities.
        scores: title of a row of the board → its mean score (0-100) on the slice.
        best: row with the highest score; the row that is best on the whole test where it is equal. Rows with fewer seeds than others
            do not count.
    """

    kind: str
    name: str
    rows: int
    scores: dict[str, float | None]
    best: str | None

    @property
    def count(self) -> str:
        """The number of rows, with a mark where it is small."""
        return f"{self.rows:,}" + (FEW if self.rows < SMALL else "")


def task_slices(column: BoardColumn, rows: Sequence[Row]) -> Iterator[Slice]:
    """The slices of a task.

    Args:
        column: the task.
        rows: rows to choose the best from, the best on the whole test first.
    """
    equal = [row.title for row in rows if "few-seeds" not in row.entries[column.title].flags]
    for kind, parts in column.slices.items():
        for name, count in parts.items():
            scores = {
                row.title: row.entries[column.title].slices.get(kind, {}).get(name, {}).get("score") for row in rows
            }
            yield Slice(kind, name, count, scores, best_on_slice({one: scores[one] for one in equal}, equal[0] if equal else None))


def ranked_rows(board: Board, column: BoardColumn) -> list[Row]:
    """The rows with a score on a task, the highest mean first, rows with fewer seeds than others last."""
    known = [row for row in board.rows if column.title in row.entries and row.entries[column.title].mean is not None]
    entries = {row.title: row.entries[column.title] for row in known}
    return sorted(known, key=lambda row: ("few-seeds" in entries[row.title].flags, -(entries[row.title].mean or 0.0)))


def kind_heading(kind: str) -> str:
    """The name of a kind for people."""
    return UNITS.get(kind, kind)


def slice_section(board: Board, column: BoardColumn) -> list[str]:
    """The part of a task's section: slices × the best rows."""
    rows = ranked_rows(board, column)
    slices = list(task_slices(column, rows))
    if not slices:
        return []
    chosen = [one for kind in column.slices for one in largest_slices([one for one in slices if one.kind == kind], PARTS)]
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
    return [_slice_note(rows, column, len(slices) - len(chosen)), table(headers, lines)]


def largest_slices(parts: Sequence[Slice], most: int) -> list[Slice]:
    """The `most` slices with the most rows, in their own order."""
    names = {one.name for one in sorted(parts, key=lambda one: -one.rows)[:most]}
    return [one for one in parts if one.name in names]


def _other_best(one: Slice, first: str) -> str:
    """The best row on a slice and its lead, where it is not the one that is best on the whole test."""
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
