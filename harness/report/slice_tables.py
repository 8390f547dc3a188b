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

MAX_ROWS = 5  # rows of the board in the table
MAX_SLICES = 12  # slices of a kind in the table
HEADINGS = {"length": "length in words"}
SMALL_MARK = "°"


@dataclass(frozen=True)
class Slice:
    """One slice of the test rows of a task.

    Attributes:
        kind: such as `label` or `length`.
        name: name of the slice.
        rows: number of its rows; of entity types: of their entities.
        scores: title of a row of the board → its mean score (0-100) on the slice.
        best: title of the row with the highest score; of equal rows the one that is best on the whole test. Rows with
            fewer seeds than others are not considered.
    """

    kind: str
    name: str
    rows: int
    scores: dict[str, float | None]
    best: str | None

    @property
    def count(self) -> str:
        """The number of rows, with a mark if it is small."""
        return f"{self.rows:,}" + (SMALL_MARK if self.rows < SMALL else "")


def task_slices(column: BoardColumn, rows: Sequence[Row]) -> Iterator[Slice]:
    """Return the slices of a task; `rows` as `ranked_rows` returns them."""
    entries = {row.title: row.entries[column.title] for row in rows}
    candidates = [title for title, entry in entries.items() if "few-seeds" not in entry.flags]
    for kind, parts in column.slices.items():
        for name, count in parts.items():
            scores = {title: entry.slices.get(kind, {}).get(name, {}).get("score") for title, entry in entries.items()}
            best = best_on_slice({title: scores[title] for title in candidates}, candidates[0] if candidates else None)
            yield Slice(kind, name, count, scores, best)


def ranked_rows(board: Board, column: BoardColumn) -> list[Row]:
    """Return the rows with a score on a task, the highest mean first, rows with fewer seeds than others last."""
    rows = [row for row in board.rows if column.title in row.entries and row.entries[column.title].mean is not None]
    entries = {row.title: row.entries[column.title] for row in rows}
    return sorted(rows, key=lambda row: ("few-seeds" in entries[row.title].flags, -(entries[row.title].mean or 0.0)))


def kind_heading(kind: str) -> str:
    """Return the heading for a kind of slices."""
    return HEADINGS.get(kind, kind)


def largest_slices(slices: Sequence[Slice], most: int) -> list[Slice]:
    """Return the `most` slices with the most rows, in their own order."""
    names = {one.name for one in sorted(slices, key=lambda one: -one.rows)[:most]}
    return [one for one in slices if one.name in names]


def slice_section(board: Board, column: BoardColumn) -> list[str]:
    """Return the table of slices × the best rows in the section of a task."""
    rows = ranked_rows(board, column)
    slices = list(task_slices(column, rows))
    if not slices:
        return []
    by_kind = [[one for one in slices if one.kind == kind] for kind in column.slices]
    chosen = [one for same_kind in by_kind for one in largest_slices(same_kind, MAX_SLICES)]
    shown = rows[:MAX_ROWS]
    lines = []
    for one in chosen:
        name = f"{escape(kind_heading(one.kind))}: {escape(short(one.name))}"
        texts = {row.title: score(one.scores[row.title]) for row in shown}
        cells = [f"**{text}**" if title == one.best else text for title, text in texts.items()]
        lines.append([name, one.count, *cells, _other_best(one, rows[0].title)])
    headers = ["slice", "rows", *map(row_heading, shown), "another is best"]
    return [_slice_note(rows, column, len(slices) - len(chosen)), table(headers, lines)]


def _other_best(one: Slice, first: str) -> str:
    """Return the best row on a slice and its lead, if it is not `first`, the best row on the whole test."""
    if one.best is None or one.best == first:
        return ""
    best_score, first_score = one.scores[one.best], one.scores[first]
    lead = f" {signed(best_score - first_score)}" if best_score is not None and first_score is not None else ""
    return f"{escape(one.best)}{lead}"


def _slice_note(rows: Sequence[Row], column: BoardColumn, left_out: int) -> str:
    classes = [
        kind for kind in column.slices if any(has_class_scores(row.entries[column.title].slices, kind) for row in rows)
    ]
    f1 = "".join(f"; of each {escape(kind)} its F1" for kind in classes)
    any_small = any(count < SMALL for parts in column.slices.values() for count in parts.values())
    return (
        f"Scores by slice of the test (0–100, mean over seeds{f1}), for the {min(MAX_ROWS, len(rows))} highest of the task. The last "
        "column names who is best on a slice where it is not the best on the whole test, and how far ahead; that may be chance."
        + (f" {SMALL_MARK}: fewer than {SMALL} rows." if any_small else "")
        + (f" {left_out} more slices, of fewer rows, are in `--format slices`." if left_out else "")
    )
