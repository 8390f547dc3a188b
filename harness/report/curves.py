"""Learning curves: the scores of each model on a task by the number of training rows, and sentences about them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from harness.grouping.contenders import average
from harness.grouping.costs import NONE
from harness.grouping.groups import BoardPlace, succeeded
from harness.grouping.row_names import row_title
from harness.grouping.titles import canonical
from harness.methods import BASELINE
from harness.recipe import MECHANICS
from harness.report.board_text import FAILED, score, spread
from harness.stats.overtaking import Overtaking, Overtakings, size_key
from harness.stats.standings import Standing
from harness.store import Record

MAX_SENTENCES = 12  # pairs of models described in a sentence


@dataclass(frozen=True)
class CurveSize:
    """One of the sizes of a curve.

    Attributes:
        train_rows: requested number of training rows; None: all.
        rows: actual number of training rows; None if no record has it.
        trivial: score of the trivial answer, which is made from these rows.
    """

    train_rows: int | None
    rows: int | None
    trivial: float | None

    @property
    def label(self) -> str:
        """`1,000`, or `all 67,349`."""
        if self.train_rows:
            return f"{self.train_rows:,}"
        return f"all {self.rows:,}" if self.rows else "all"


@dataclass(frozen=True)
class CurvePoint:
    """The scores of a row at one size.

    Attributes:
        mean: mean over seeds; None if no seed has a score.
        sd: sample standard deviation; None for fewer than two seeds.
        low, high: 95 % interval of the mean over test rows and seeds, cut at 0 and 100; None without statistics.
        seeds, failed: number of seeds with and without a score.
    """

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    seeds: int
    failed: int


@dataclass(frozen=True)
class CurveLine:
    """One row of the board on one task, with a point for each size of the curve; None for a size that was not run."""

    title: str
    model: str
    method: str
    architecture: str | None
    points: tuple[CurvePoint | None, ...]

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was fine-tuned."""
        return self.method == BASELINE


@dataclass(frozen=True)
class Curve:
    """The learning curve of one task.

    Attributes:
        task: title without a size.
        metric: the primary metric; None if every cell failed.
        sizes: from the fewest training rows to all.
        lines: by the mean at the largest size, best first; baselines last.
        crossed: which models overtake which; None without statistics.
        notes: sentences on differences between points other than their size.
    """

    task: str
    metric: str | None
    sizes: tuple[CurveSize, ...]
    lines: tuple[CurveLine, ...]
    crossed: Overtakings | None
    notes: tuple[str, ...]


def make_curves(
    places: Mapping[BoardPlace, Sequence[Record]],
    standings: Mapping[BoardPlace, Standing] | None = None,
    overtakings: Mapping[str, Overtakings] | None = None,
) -> tuple[Curve, ...]:
    """Return a curve for each task that was trained on two numbers of rows or more, by title."""
    tasks: dict[str, dict[int | None, list[BoardPlace]]] = {}
    for place in places:
        tasks.setdefault(place.curve, {}).setdefault(place.train_rows, []).append(place)
    return tuple(
        _curve(title, sizes, places, standings or {}, (overtakings or {}).get(title))
        for title, sizes in sorted(tasks.items())
        if len(sizes) > 1
    )


def _curve(
    title: str,
    by_size: Mapping[int | None, Sequence[BoardPlace]],
    places: Mapping[BoardPlace, Sequence[Record]],
    standings: Mapping[BoardPlace, Standing],
    overtakings: Overtakings | None,
) -> Curve:
    sizes = sorted(by_size, key=size_key)
    rows: dict[tuple[str, str], dict[int | None, BoardPlace]] = {}
    for place in sorted((place for size in sizes for place in by_size[size]), key=lambda place: (place.model, place.method)):
        rows.setdefault((place.model, place.method), {})[place.train_rows] = place
    lines = []
    for (model, method), row in rows.items():
        points = [_point(places[row[size]], standings.get(row[size])) if size in row else None for size in sizes]
        facts = places[next(iter(row.values()))][0]["model"]
        lines.append(CurveLine(row_title(model, method), model, method, facts.get("architecture"), tuple(points)))
    scored = {size: [r for place in by_size[size] for r in places[place] if succeeded(r)] for size in sizes}
    return Curve(
        task=title,
        metric=next((record["primary_metric"] for records in scored.values() for record in records), None),
        sizes=tuple(_size(size, scored[size]) for size in sizes),
        lines=tuple(sorted(lines, key=_sort_key)),
        crossed=overtakings,
        notes=(*_recipe_notes(rows, places), *_seed_notes(lines)),
    )


def _size(train_rows: int | None, records: Sequence[Record]) -> CurveSize:
    rows = next((n for record in records if (n := (record["task"].get("rows") or {}).get("train"))), train_rows)
    return CurveSize(train_rows, rows, average(record.get("trivial_score") for record in records))


def _point(records: Sequence[Record], standing: Standing | None) -> CurvePoint:
    scores = [float(record["score"]) for record in records if succeeded(record)]
    mean = average(scores)
    known = standing if mean is not None else None
    return CurvePoint(
        mean=mean,
        sd=stdev(scores) if len(scores) > 1 else None,
        # With few training rows, seeds differ so much that the interval may exceed the scale.
        low=max(known.low, min(0.0, mean)) if known else None,
        high=min(known.high, max(100.0, mean)) if known else None,
        seeds=len(scores),
        failed=len(records) - len(scores),
    )


def _sort_key(line: CurveLine) -> tuple[Any, ...]:
    last = next((point.mean for point in reversed(line.points) if point and point.mean is not None), -math.inf)
    return line.is_baseline, -last, line.title


def _recipe_notes(
    rows: Mapping[tuple[str, str], Mapping[int | None, BoardPlace]], places: Mapping[BoardPlace, Sequence[Record]]
) -> list[str]:
    notes = []
    for (model, method), row in rows.items():
        recipes = {size: places[place][0].get("recipe") or {} for size, place in row.items()}
        names = {name for recipe in recipes.values() for name in recipe if name not in MECHANICS}
        differ = sorted(name for name in names if len({canonical(one.get(name)) for one in recipes.values()}) > 1)
        if differ:
            values = "; ".join(
                f"{', '.join(f'{name} {recipes[size].get(name)}' for name in differ)} at "
                + (f"{size:,} rows" if size else "all rows")
                for size in sorted(recipes, key=size_key)
            )
            notes.append(f"{row_title(model, method)} has other recipes at other sizes: {values}.")
    return notes


def _seed_notes(lines: Sequence[CurveLine]) -> list[str]:
    if not any(point and point.seeds == 1 for line in lines if not line.is_baseline for point in line.points):
        return []
    return [
        "Where there is one seed, a point is one draw of training rows and one training; its interval and what is told apart "
        "are about the test rows alone."
    ]


def curves_introduction(curves: Sequence[Curve]) -> str:
    """Return a paragraph that explains the numbers."""
    text = (
        "Scores by the number of training rows; validation and test rows are the same at every size. The rows of a seed are nested: "
        "the smaller subset is a part of the larger one, and all models learn from the same."
    )
    points = [point for curve in curves for line in curve.lines for point in line.points if point]
    if any(point.low is not None for point in points):
        text += " In brackets 95 % intervals of the mean over test rows and seeds."
    elif any(point.sd is not None for point in points):
        text += " ±: sample standard deviation over the seeds."
    if any(curve.crossed for curve in curves):
        text += (
            " Who is ahead at a size is said where a paired test tells the two apart (level 0.05 over all pairs and sizes of the "
            "task). Where they cross is an estimate from straight lines between their means, on the logarithmic scale of rows."
        )
    return text


def size_headings(curve: Curve) -> list[str]:
    """Return the headings of the sizes: `100 rows`, `300` …"""
    first, *others = [size.label for size in curve.sizes]
    return [f"{first} rows", *others]


def point_text(point: CurvePoint | None) -> str:
    """Return a point as text: `80.43 (76.10 … 84.76)`, or `80.43 ± 0.82` without an interval."""
    if point is None:
        return NONE
    failed = f"{FAILED[0]}{point.failed}" if point.failed else ""
    if point.mean is None:
        return f"failed {failed}".rstrip()
    beside = spread(point.sd) if point.low is None else f" ({score(point.low)} … {score(point.high)})"
    return f"{score(point.mean)}{beside}{failed}"


def curve_sentences(curve: Curve) -> list[str]:
    """Return sentences on which models overtake which, and the notes."""
    sentences = overtaking_sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return [*sentences, *(f"Note: {note}" for note in curve.notes)]


def overtaking_sentences(overtakings: Overtakings, sizes: Sequence[str]) -> list[str]:
    """Return a sentence for each overtaking, and one on the number of unproven pairs.

    Args:
        overtakings: those of a curve.
        sizes: labels of its sizes, such as `100` and `all 1,800`.
    """
    pairs = overtakings.overtakings
    lines = [_overtaking_sentence(pair, sizes) for pair in pairs[:MAX_SENTENCES]]
    if len(pairs) > MAX_SENTENCES:
        lines.append(f"{len(pairs) - MAX_SENTENCES} more of such pairs are in bench leaderboard --format json.")
    if number := overtakings.unproven:
        other = "other " if lines else ""
        which = f"1 {other}pair changes its" if number == 1 else f"{number} {other}pairs change their"
        lines.append(f"{which} order by the means alone: no size tells the two apart.")
    return lines


def _overtaking_sentence(pair: Overtaking, sizes: Sequence[str]) -> str:
    tested = [(label, verdict) for label, verdict in zip(sizes, pair.verdicts, strict=True) if verdict is not None]
    labels = [label for label, _ in tested]
    early, late = ([n for n, (_, verdict) in enumerate(tested) if verdict == sign] for sign in (-1, 1))
    same = [label for label, verdict in tested if verdict == 0]
    before, after = _before(early, labels), _after(late, labels)
    if early and late:
        leads = f"{pair.early} is ahead {before}, {pair.late} {after}"
    elif early:
        leads = f"{pair.early} is ahead {before}, but is not shown to be overtaken by {pair.late}"
    else:
        leads = f"{pair.late} is ahead {after}, but {pair.early} is not shown to be ahead before"
    sentence = f"{leads}; at {_listed(same)} they cannot be told apart." if same else f"{leads}."
    # Two significant digits, because the crossings are estimates.
    crossings = [f"{int(float(f'{rows:.2g}')):,}" for rows in pair.crossings]
    return f"{sentence} Estimate: the means cross at about {_listed(crossings)} rows." if crossings else sentence


def _before(sizes: Sequence[int], labels: Sequence[str]) -> str:
    """Return `up to 300 rows`, or a list of the sizes if they are not the first ones."""
    if len(sizes) > 1 and list(sizes) == list(range(len(sizes))):
        return f"up to {labels[sizes[-1]]} rows"
    return f"at {_listed([labels[size] for size in sizes])} rows"


def _after(sizes: Sequence[int], labels: Sequence[str]) -> str:
    """Return `from 1,000 rows on`, or a list of the sizes if they are not the last ones."""
    if len(sizes) > 1 and list(sizes) == list(range(sizes[0], len(labels))):
        return f"from {labels[sizes[0]]} rows on"
    return f"at {_listed([labels[size] for size in sizes])} rows"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
