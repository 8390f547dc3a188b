"""The section "Learning curves" of leaderboard.md, and its words and numbers wherever else it is shown."""

from __future__ import annotations

from harness.report.board import Board
from harness.report.crossed import sentences
from harness.report.curves import Curve, Line, Point
from harness.report.tables import escape, table
from harness.report.text import FAILED, NONE, score, spread


def learning_curves(board: Board) -> list[str]:
    """A table of each curve, models × numbers of training rows, and below it who overtakes whom; none where there are no curves."""
    if not board.curves:
        return []
    parts = ["## Learning curves", introduction(board)]
    for curve in board.curves:
        parts += [f"### Learning curve of {escape(curve.task)} ({escape(curve.metric or NONE)})", _table(curve)]
        if lines := said(curve):
            parts.append("\n".join(f"- {escape(line)}" for line in lines))
    return parts


def introduction(board: Board) -> str:
    """What the numbers are."""
    text = (
        "Scores by the number of training rows; validation and test rows are the same at every size. The rows of a seed are nested: "
        "the smaller subset is a part of the larger one, and all models learn from the same."
    )
    points = [point for curve in board.curves for line in curve.lines for point in line.points if point]
    if any(point.low is not None for point in points):
        text += " In brackets 95 % intervals of the mean over test rows and seeds."
    elif any(point.sd is not None for point in points):
        text += " ±: sample standard deviation over the seeds."
    if any(curve.crossed for curve in board.curves):
        text += (
            " Who is ahead at a size is said where a paired test tells the two apart (level 0.05 over all pairs and sizes of the "
            "task). Where they cross is an estimate from straight lines between their means, on the logarithmic scale of rows."
        )
    return text


def said(curve: Curve) -> list[str]:
    """Who overtakes whom, and the notes."""
    found = sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return [*found, *(f"Note: {note}" for note in curve.notes)]


def headings(curve: Curve) -> list[str]:
    """The sizes, with a word on what they are at the first one."""
    first, *others = [size.label for size in curve.sizes]
    return [f"{first} rows", *others]


def point_text(point: Point | None) -> str:
    """`80.43 (76.10 … 84.76)`, without interval `80.43 ± 0.82`."""
    if point is None:
        return NONE
    failed = f"{FAILED[0]}{point.failed}" if point.failed else ""
    if point.mean is None:
        return f"failed {failed}".rstrip()
    beside = spread(point.sd) if point.low is None else f" ({score(point.low)} … {score(point.high)})"
    return f"{score(point.mean)}{beside}{failed}"


def _table(curve: Curve) -> str:
    rows = [[_title(line), *map(point_text, line.points)] for line in curve.lines]
    rows.append(["*trivial answer*", *(score(size.trivial) for size in curve.sizes)])
    return table(["model", *headings(curve)], rows)


def _title(line: Line) -> str:
    return f"*{escape(line.title)}*" if line.is_baseline else escape(line.title)
