"""Learning curves in LaTeX: a table of each."""

from __future__ import annotations

from harness.report.board import Board
from harness.report.crossed import sentences
from harness.report.curves import Curve, Line, Point
from harness.report.latex_table import NONE, escape, table
from harness.report.text import score


def curves_to_latex(board: Board) -> str:
    """What follows the other tables; empty where there are no curves."""
    return "".join(f"\n{_curve(curve)}\n" for curve in board.curves)


def _curve(curve: Curve) -> str:
    caption = f"{escape(curve.task)} ({escape(curve.metric or '')}) by the number of training rows"
    heads = ["model", *(escape(size.label) for size in curve.sizes)]
    rows = [[_title(line), *map(_point, line.points)] for line in curve.lines]
    trivial = [r"\emph{trivial answer}", *(score(size.trivial) for size in curve.sizes)]
    notes = []
    if any(point and point.low is not None for line in curve.lines for point in line.points):
        notes.append(r"In brackets 95\,\% intervals, over test rows and seeds.")
    found = sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return table(caption, [heads], rows, [trivial], notes + [escape(line) for line in (*found, *curve.notes)])


def _title(line: Line) -> str:
    return rf"\emph{{{escape(line.title)}}}" if line.is_baseline else escape(line.title)


def _point(point: Point | None) -> str:
    if point is None or point.mean is None:
        return NONE if point is None else "failed"
    sure = "" if point.low is None else f" ({score(point.low)}--{score(point.high)})"
    return score(point.mean) + sure + (rf"\textsuperscript{{$\times${point.failed}}}" if point.failed else "")
