"""Learning curves: the scores of each model on a task by the number of its training rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from harness.grouping.contenders import average
from harness.grouping.groups import BoardPlace, succeeded
from harness.grouping.row_names import row_title
from harness.grouping.titles import canonical
from harness.methods import BASELINE
from harness.recipe import MECHANICS
from harness.stats.overtaking import Overtakings, size_key
from harness.stats.standings import Standing
from harness.store import Record


@dataclass(frozen=True)
class CurveSize:
    """One of the sizes of a curve.

    Attributes:
        train_rows: requested number of training rows; None: all.
        rows: number of rows in training; None where no record has it.
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
        mean: mean over seeds; None where no seed has a score.
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
    """One row of the board on one task, with a point for each size of the curve; None where nothing was run."""

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
        metric: the primary metric; None where every cell failed.
        sizes: from the fewest training rows to all.
        lines: by the mean at the largest size, best first; baselines last.
        crossed: who overtakes whom; None without statistics.
        notes: sentences on differences between points other than their size.
    """

    task: str
    metric: str | None
    sizes: tuple[CurveSize, ...]
    lines: tuple[CurveLine, ...]
    crossed: Overtakings | None
    notes: tuple[str, ...]


def curves(
    places: Mapping[BoardPlace, Sequence[Record]],
    standings: Mapping[BoardPlace, Standing] | None = None,
    overtakings: Mapping[str, Overtakings] | None = None,
) -> tuple[Curve, ...]:
    """A curve for each task that was trained on two numbers of rows or more, by title."""
    tasks: dict[str, dict[int | None, list[BoardPlace]]] = {}
    for where in places:
        tasks.setdefault(where.curve, {}).setdefault(where.train_rows, []).append(where)
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
    for where in sorted((where for size in sizes for where in by_size[size]), key=lambda one: (one.model, one.method)):
        rows.setdefault((where.model, where.method), {})[where.train_rows] = where
    lines = []
    for (model, method), own in rows.items():
        points = [_point(places[own[size]], standings.get(own[size])) if size in own else None for size in sizes]
        facts = places[next(iter(own.values()))][0]["model"]
        lines.append(CurveLine(row_title(model, method), model, method, facts.get("architecture"), tuple(points)))
    good = {size: [r for where in by_size[size] for r in places[where] if succeeded(r)] for size in sizes}
    metric = next((record["primary_metric"] for own in good.values() for record in own), None)
    return Curve(
        task=title,
        metric=metric,
        sizes=tuple(_size(size, good[size]) for size in sizes),
        lines=tuple(sorted(lines, key=_rank)),
        crossed=overtakings,
        notes=tuple(_notes(rows, places, lines)),
    )


def _size(train_rows: int | None, records: Sequence[Record]) -> CurveSize:
    rows = next((n for record in records if (n := (record["task"].get("rows") or {}).get("train"))), train_rows)
    return CurveSize(train_rows, rows, average(record.get("trivial_score") for record in records))


def _point(records: Sequence[Record], standing: Standing | None) -> CurvePoint:
    scores = [float(record["score"]) for record in records if succeeded(record)]
    mean = average(scores)
    sure = standing if mean is not None else None
    return CurvePoint(
        mean=mean,
        sd=stdev(scores) if len(scores) > 1 else None,
        # The interval of two seeds that differ much may leave the scale, which happens with few training rows.
        low=max(sure.low, min(0.0, mean)) if sure else None,
        high=min(sure.high, max(100.0, mean)) if sure else None,
        seeds=len(scores),
        failed=len(records) - len(scores),
    )


def _rank(line: CurveLine) -> tuple[Any, ...]:
    last = next((point.mean for point in reversed(line.points) if point and point.mean is not None), -math.inf)
    return line.is_baseline, -last, line.title


def _notes(
    rows: Mapping[tuple[str, str], Mapping[int | None, BoardPlace]],
    places: Mapping[BoardPlace, Sequence[Record]],
    lines: Sequence[CurveLine],
) -> list[str]:
    notes = []
    for (model, method), own in rows.items():
        recipes = [places[where][0].get("recipe") or {} for where in own.values()]
        names = {name for recipe in recipes for name in recipe if name not in MECHANICS}
        if differ := sorted(n for n in names if len({canonical(recipe.get(n)) for recipe in recipes}) > 1):
            values = "; ".join(
                f"{', '.join(f'{name} {recipe.get(name)}' for name in differ)} at {_asked(size)}"
                for (size, recipe) in sorted(zip(own, recipes, strict=True), key=lambda one: size_key(one[0]))
            )
            notes.append(f"{row_title(model, method)} has other recipes at other sizes: {values}.")
    if any(point and point.seeds == 1 for line in lines if not line.is_baseline for point in line.points):
        notes.append(
            "Where there is one seed, a point is one draw of training rows and one training; its interval and what is told apart "
            "are about the test rows alone."
        )
    return notes


def _asked(size: int | None) -> str:
    return f"{size:,} rows" if size else "all rows"
