"""Who overtakes whom on a learning curve: found by `harness.stats.overtaking`, told in words here."""

from __future__ import annotations

from collections.abc import Sequence

from harness.grouping.costs import NONE
from harness.report.board import Board
from harness.report.board_text import FAILED, score, spread
from harness.report.curves import Curve, CurveLine, CurvePoint
from harness.report.markdown_tables import escape, table
from harness.stats.overtaking import Overtaking, Overtakings

MOST_PAIRS = 12  # pairs that are told of, those that are shown first


def overtaking_sentences(crossed: Overtakings, sizes: Sequence[str]) -> list[str]:
    """What is to be said of each pair, and how many pairs there is nothing to say of.

    Args:
        crossed: of a curve.
        sizes: labels of the curve's sizes, such as `100` and `all 1,800`.
    """
    lines = [_overtaking_sentence(one, sizes) for one in crossed.overtakings[:MOST_PAIRS]]
    if len(crossed.overtakings) > MOST_PAIRS:
        lines.append(f"{len(crossed.overtakings) - MOST_PAIRS} more of such pairs are in bench leaderboard --format json.")
    if crossed.unproven:
        other = "other " if lines else ""
        pairs = (
            f"1 {other}pair changes its" if crossed.unproven == 1 else f"{crossed.unproven} {other}pairs change their"
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
        said = f"{one.early} is ahead {before}, {one.late} {after}"
    elif early:
        said = f"{one.early} is ahead {before}, but is not shown to be overtaken by {one.late}"
    else:
        said = f"{one.late} is ahead {after}, but {one.early} is not shown to be ahead before"
    told = f"{said}; at {_listed(same)} they cannot be told apart." if same else f"{said}."
    return f"{told} {_estimate(one.crossings)}".strip()


def _before(places: Sequence[int], labels: Sequence[str]) -> str:
    """`up to 300 rows`, or the sizes one by one where there are others between."""
    if len(places) > 1 and list(places) == list(range(len(places))):
        return f"up to {labels[places[-1]]} rows"
    return f"at {_listed([labels[place] for place in places])} rows"


def _after(places: Sequence[int], labels: Sequence[str]) -> str:
    """`from 1,000 rows on`, or the sizes one by one."""
    if len(places) > 1 and list(places) == list(range(places[0], len(labels))):
        return f"from {labels[places[0]]} rows on"
    return f"at {_listed([labels[place] for place in places])} rows"


def _estimate(crossings: Sequence[float]) -> str:
    told = _listed([f"{_rounded(rows):,}" for rows in crossings])
    return f"Estimate: the means cross at about {told} rows." if told else ""


def _rounded(rows: float) -> int:
    """Two digits: an estimate knows no more."""
    return int(float(f"{rows:.2g}"))


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def learning_curves(board: Board) -> list[str]:
    """A table of each curve, models × numbers of training rows, and below it who overtakes whom; none where there are no curves."""
    if not board.curves:
        return []
    parts = ["## Learning curves", curves_introduction(board)]
    for curve in board.curves:
        parts += [f"### Learning curve of {escape(curve.task)} ({escape(curve.metric or NONE)})", _curve_table(curve)]
        if lines := curve_lines(curve):
            parts.append("\n".join(f"- {escape(line)}" for line in lines))
    return parts


def curves_introduction(board: Board) -> str:
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


def curve_lines(curve: Curve) -> list[str]:
    """Who overtakes whom, and the notes."""
    found = overtaking_sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return [*found, *(f"Note: {note}" for note in curve.notes)]


def size_headings(curve: Curve) -> list[str]:
    """The sizes, with a word on what they are at the first one."""
    first, *others = [size.label for size in curve.sizes]
    return [f"{first} rows", *others]


def point_text(point: CurvePoint | None) -> str:
    """`80.43 (76.10 … 84.76)`, without interval `80.43 ± 0.82`."""
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
