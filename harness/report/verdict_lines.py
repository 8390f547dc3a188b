"""The verdict of a board as data, and as sentences. `harness.report.verdict` makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.grouping.contenders import EQUAL
from harness.grouping.costs import count, duration, memory, sizes

FIRST, AHEAD, TIE, BASELINE, FAILED = "first", "ahead", "tie", "baseline", "failed"
TRIVIAL = "trivial answer"
NAMED = 4  # names in a list before "and 3 more"
KINDS = 3  # kinds of failure in a sentence


@dataclass(frozen=True)
class OtherRow:
    """Another row compared with the model of the task.

    Attributes:
        row: its title.
        score: its mean (0-100).
        ahead: points by which the model of the task is ahead; None where there is no such model.
        low, high: 95 % interval of `ahead`; None without statistics.
        apart: whether the tests of the board tell the two apart.
    """

    row: str
    score: float
    ahead: float | None
    low: float | None
    high: float | None
    apart: bool

    @property
    def difference(self) -> str:
        """The lead with its interval: `+1.0 (-1.2 to 3.2)`."""
        interval = "" if self.low is None or self.high is None else f" ({_points(self.low)} to {_points(self.high)})"
        return f"{self.ahead:+.1f}{interval}"


@dataclass(frozen=True)
class TroubledRow:
    """A row whose trainings failed or fell short.

    Attributes:
        row: its title.
        text: what happened; empty where unknown.
        cure: what to try next; empty where there is nothing to try.
        failed: whether there is no score, or one that says nothing about the model.
        cell: id of a cell without a score, for `bench show`; else empty.
    """

    row: str
    text: str
    cure: str
    failed: bool
    cell: str = ""


@dataclass(frozen=True)
class TaskVerdict:
    """The verdict on one task.

    Attributes:
        task: title of the column.
        metric: its primary metric; None where nothing has a score.
        outcome: `first` (told apart from the next model and from the best baseline), `ahead` (not told apart from one of these), `tie`
            (of several models), `baseline` (no model has a higher mean than the best baseline, or than the trivial answer where no
            baseline was run) or `failed` (no training went well).
        model: the row with the highest mean of those in the running (`BoardColumn.running`); None where there is none.
        score: its mean (0-100).
        seeds: of that mean.
        take: the row to fine-tune: the model, or the cheapest of those that tie; None with `baseline` and `failed`.
        next: the next best row in the running.
        baseline: the best baseline, or else the trivial answer, whose row is `trivial answer`.
        tied: the rows that tie with the model, best first.
        unproven: of the model and those that tie with it the ones that are not shown to beat the best baseline.
        above: rows with a higher mean that are not in the running, and why.
        fallen: rows whose trainings failed or show trouble.
        train_seconds, peak_memory_bytes, parameters: of `take`.
    """

    task: str
    metric: str | None
    outcome: str
    model: str | None = None
    score: float | None = None
    seeds: int = 0
    take: str | None = None
    next: OtherRow | None = None
    baseline: OtherRow | None = None
    tied: tuple[OtherRow, ...] = ()
    unproven: tuple[str, ...] = ()
    above: tuple[tuple[str, float, str], ...] = ()
    fallen: tuple[TroubledRow, ...] = ()
    train_seconds: float | None = None
    peak_memory_bytes: float | None = None
    parameters: int | None = None

    @property
    def line(self) -> str:
        """One sentence for a person."""
        parts = _SENTENCES[self.outcome](self)
        parts += [f"{row} has {_points(score)}, but {why}" for row, score, why in self.above]
        failed = [one.row for one in self.fallen if one.failed]
        if failed and self.outcome not in (BASELINE, FAILED):
            parts.append(f"the trainings of {_listed(failed)} failed")
        return f"{self.task}: {'; '.join(parts)}"


@dataclass(frozen=True)
class OverallVerdict:
    """The verdict over all tasks.

    Attributes:
        tasks: how many.
        model: the row with the highest average of those in the running on every task; None where there is none.
        average: its mean over the tasks.
        first_on: the number of tasks on which it has the highest mean of those in the running.
        next: title and average of the next one.
        baselines: the average of the tasks' best baselines; None unless each has one.
        tied: rows that are not told apart from it over the tasks.
        failed: cells that failed, and rows of tasks whose training failed.
        one_seed: whether nothing was trained with more than one seed.
        train_seconds, peak_memory_bytes, parameters: the mean of its cells, the largest, and the smallest and largest.
    """

    tasks: int
    model: str | None = None
    average: float | None = None
    first_on: int = 0
    next: tuple[str, float] | None = None
    baselines: float | None = None
    tied: tuple[str, ...] = ()
    failed: int = 0
    one_seed: bool = False
    train_seconds: float | None = None
    peak_memory_bytes: float | None = None
    parameters: Any = None

    @property
    def line(self) -> str:
        """One sentence for a person."""
        return f"all {self.tasks} tasks: {'; '.join(_over_all(self))}"


@dataclass(frozen=True)
class Verdict:
    """The verdict on each task in the order of the board, and over all of them (None for fewer than two tasks)."""

    tasks: tuple[TaskVerdict, ...]
    overall: OverallVerdict | None

    def lines(self, most: int | None = None) -> list[str]:
        """A line for each task and one over all; with more than `most` tasks only the latter."""
        over = [self.overall.line] if self.overall else []
        return over if over and most is not None and len(self.tasks) > most else [one.line for one in self.tasks] + over


def _first(one: TaskVerdict) -> list[str]:
    hedge = "" if one.outcome == FIRST else ", ahead but not proven"
    seed = " (one seed)" if one.seeds == 1 else ""
    facts = [f"{_points(one.score)} {one.metric}{seed}", *_over_baseline(one)]
    if one.next:
        facts.append(f"{one.next.difference} over {one.next.row}")
    return [f"fine-tune {one.take}{hedge}: {', '.join(facts)}", *_cost(one, one.parameters)]


def _tie(one: TaskVerdict) -> list[str]:
    names, scores = [one.model, *(own.row for own in one.tied)], [one.score, *(own.score for own in one.tied)]
    shown = _listed([_points(score) for score in scores])
    if len(scores) > NAMED:
        shown = f"{_points(scores[0])} to {_points(scores[-1])}"
    beside = f", {one.tied[0].difference}" if len(one.tied) == 1 else ""
    proven = [name for name in names if name not in one.unproven]
    why, rest = "the cheaper" if len(names) == 2 else "the cheapest", []
    if one.baseline and one.baseline.row != TRIVIAL:
        than = f"{one.baseline.row} ({_points(one.baseline.score)}), the best baseline"
        if not one.unproven:
            rest = [f"{'both' if len(names) == 2 else 'all'} beat {than}"]
        elif not proven:
            rest = [f"none is shown to beat {than}"]
        else:
            why = f"the only one shown to beat {than}" if len(proven) == 1 else f"{why} of those shown to beat {than}"
    take = f"fine-tune {one.take}, {why}: {', '.join(_cost(one, one.parameters))}".removesuffix(": ")
    return [f"{_listed(names)} tie: {shown} {one.metric}{beside}", take, *rest]


def _baseline(one: TaskVerdict) -> list[str]:
    than, yet = one.baseline, " yet" if one.fallen else ""
    name = f"the {TRIVIAL}{yet}" if than.row == TRIVIAL else f"{than.row}{yet}, the best baseline"
    sentence = f"no model beats {name} ({_points(than.score)} {one.metric})"
    return [sentence, f"{one.model} has {_points(one.score)}, {than.difference}", *_troubles(one.fallen)]


def _failed(one: TaskVerdict) -> list[str]:
    has = one.baseline and one.baseline.row != TRIVIAL
    base = [f"{one.baseline.row}, the best baseline, has {_points(one.baseline.score)} {one.metric}"] if has else []
    if not one.fallen:
        return ["no model was trained", *base]
    what = "every training failed" if all(own.cell for own in one.fallen) else "no model was trained well"
    return [what, *_troubles(one.fallen), *base]


def _troubles(fallen: Sequence[TroubledRow]) -> list[str]:
    """What happened and what to try; rows with the same trouble together, at most `KINDS` kinds."""
    same_trouble: dict[tuple[str, str], list[TroubledRow]] = {}
    for one in fallen:
        same_trouble.setdefault((one.text, one.cure), []).append(one)
    parts = []
    for (text, cure), same in list(same_trouble.items())[:KINDS]:
        show = f" (bench show {same[0].cell})" if same[0].cell else ""
        rest = f"; try {cure}" if cure else ""
        parts.append(": ".join(filter(None, (_listed([one.row for one in same]), text))) + show + rest)
    more = sum(len(same) for same in list(same_trouble.values())[KINDS:])
    return [*parts, f"{more} more"] if more else parts


def _over_baseline(one: TaskVerdict) -> list[str]:
    if one.baseline is None:
        return []
    name = f"the {TRIVIAL}" if one.baseline.row == TRIVIAL else f"{one.baseline.row}, the best baseline"
    return [f"{one.baseline.difference} over {name}"]


def _over_all(one: OverallVerdict) -> list[str]:
    failed = [f"{one.failed} training{'s' if one.failed > 1 else ''} failed"] if one.failed else []
    seed = ["one seed: intervals are over the test rows alone, --seeds 3 tells more"] if one.one_seed else []
    if one.model is None:
        return ["no model has a sound score on every task", *failed, *seed]
    beside = f", {one.average - one.next[1]:+.1f} over {one.next[0]}" if one.next else ""
    based = f", {one.average - one.baselines:+.1f} over the best baselines" if one.baselines is not None else ""
    if one.baselines is not None and one.average <= one.baselines + EQUAL:
        sentence = f"the best baselines have {_points(one.baselines)} on average, {one.model} {_points(one.average)}"
        return [sentence, *failed, *seed]
    mean = f"{_points(one.average)}{based}{beside}"
    parts = [f"{one.model} has the highest average, {mean}, and is best on {one.first_on} of them"]
    if one.tied:
        parts.append(f"over the tasks it is not told apart from {_listed(one.tied)}")
    return [*parts, *_cost(one, one.parameters), *failed, *seed]


def _cost(one: TaskVerdict | OverallVerdict, parameters: Any) -> list[str]:
    known = [f"trains in {duration(one.train_seconds)}"] if one.train_seconds is not None else []
    known += [memory(one.peak_memory_bytes)] if one.peak_memory_bytes else []
    if parameters:
        known.append(f"{sizes(parameters) if isinstance(parameters, tuple) else count(parameters)} parameters")
    return [", ".join(known)] if known else []


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`, or the first `NAMED` and `3 more`."""
    names = [*names[:NAMED], f"{len(names) - NAMED} more"] if len(names) > NAMED + 1 else list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_SENTENCES = {FIRST: _first, AHEAD: _first, TIE: _tie, BASELINE: _baseline, FAILED: _failed}
