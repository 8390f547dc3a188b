"""Learning curves as text for all formats, and the section "Learning curves" of leaderboard.md."""

from __future__ import annotations

from collections.abc import Sequence

from harness.grouping.costs import NONE
from harness.report.board import Board
from harness.report.board_text import FAILED, score, spread
from harness.report.curves import Curve, CurveLine, CurvePoint
from harness.report.markdown_tables import escape, table
from harness.stats.overtaking import Overtaking, Overtakings

MOST_PAIRS = 12  # pairs with a sentence


def overtaking_sentences(overtakings: Overtakings, sizes: Sequence[str]) -> list[str]:
    """A sentence for each overtaking, and one on the number of unproven pairs.

    Args:
        overtakings: those of a curve.
        sizes: labels of its sizes, such as `100` and `all 1,800`.
    """
    lines = [_overtaking_sentence(one, sizes) for one in overtakings.overtakings[:MOST_PAIRS]]
    if len(overtakings.overtakings) > MOST_PAIRS:
        lines.append(f"{len(overtakings.overtakings) - MOST_PAIRS} more of such pairs are in bench leaderboard --format json.")
    if overtakings.unproven:
        other = "other " if lines else ""
        pairs = (
            f"1 {other}pair changes its" if overtakings.unproven == 1 else f"{overtakings.unproven} {other}pairs change their"
        )
        lines.append(f"{pairs} order by the means alone: no size tells the two apart.")
    return lines


def _overtaking_sentence(one: Overtaking, sizes: Sequence[str]) -> str:
    tested = [(label, verdict) for label, verdict in zip(sizes, one.verdicts, strict=True) if verdict is not None]
    labels = [label for label, _ in tested]
    early, late = ([place for place, (_, v) in enumerate(tested) if v == way] for way in (-1, 1))
    same = [label for label, verdict in tested if verdict == 0]
    before, after = _before(early, labels), _after(late, labels)
    if early and late:
        leads = f"{one.early} is ahead {before}, {one.late} {after}"
    elif early:
        leads = f"{one.early} is ahead {before}, but is not shown to be overtaken by {one.late}"
    else:
        leads = f"{one.late} is ahead {after}, but {one.early} is not shown to be ahead before"
    sentence = f"{leads}; at {_listed(same)} they cannot be told apart." if same else f"{leads}."
    return f"{sentence} {_estimate(one.crossings)}".strip()


def _before(places: Sequence[int], labels: Sequence[str]) -> str:
    """`up to 300 rows`, or a list of the sizes where they are not the first ones."""
    if len(places) > 1 and list(places) == list(range(len(places))):
        return f"up to {labels[places[-1]]} rows"
    return f"at {_listed([labels[place] for place in places])} rows"


def _after(places: Sequence[int], labels: Sequence[str]) -> str:
    """`from 1,000 rows on`, or a list of the sizes."""
    if len(places) > 1 and list(places) == list(range(places[0], len(labels))):
        return f"from {labels[places[0]]} rows on"
    return f"at {_listed([labels[place] for place in places])} rows"


def _estimate(crossings: Sequence[float]) -> str:
    crossing_text = _listed([f"{_rounded(rows):,}" for rows in crossings])
    return f"Estimate: the means cross at about {crossing_text} rows." if crossing_text else ""


def _rounded(rows: float) -> int:
    """Two digits, because it is an estimate."""
    return int(float(f"{rows:.2g}"))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def learning_curves(board: Board) -> list[str]:
    """A table of models × training rows for each curve, and who overtakes whom; empty where there are no curves."""
    if not board.curves:
        return []
    parts = ["## Learning curves", curves_introduction(board)]
    for curve in board.curves:
        parts += [f"### Learning curve of {escape(curve.task)} ({escape(curve.metric or NONE)})", _curve_table(curve)]
        if lines := curve_lines(curve):
            parts.append("\n".join(f"- {escape(line)}" for line in lines))
    return parts


def curves_introduction(board: Board) -> str:
    """A paragraph on what the numbers are."""
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


def curve_lines(curve: Curve) -> list[str]:
    """Sentences on who overtakes whom, and notes."""
    sentences = overtaking_sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return [*sentences, *(f"Note: {note}" for note in curve.notes)]


def size_headings(curve: Curve) -> list[str]:
    """Headings of the sizes: `100 rows`, `300` …"""
    first, *others = [size.label for size in curve.sizes]
    return [f"{first} rows", *others]


def point_text(point: CurvePoint | None) -> str:
    """A point: `80.43 (76.10 … 84.76)`, or `80.43 ± 0.82` without an interval."""
    if point is None:
        return NONE
    failed = f"{FAILED[0]}{point.failed}" if point.failed else ""
    if point.mean is None:
        return f"failed {failed}".rstrip()
    beside = spread(point.sd) if point.low is None else f" ({score(point.low)} … {score(point.high)})"
    return f"{score(point.mean)}{beside}{failed}"


def _curve_table(curve: Curve) -> str:
    rows = [[_line_heading(line), *map(point_text, line.points)] for line in curve.lines]
    rows.append(["*trivial answer*", *(score(size.trivial) for size in curve.sizes)])
    return table(["model", *size_headings(curve)], rows)


def _line_heading(line: CurveLine) -> str:
    return f"*{escape(line.title)}*" if line.is_baseline else escape(line.title)
