"""The verdict of a board as data and as sentences. `harness.report.verdict` makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.grouping.contenders import EQUAL
from harness.grouping.costs import count, duration, memory, sizes

FIRST, AHEAD, TIE, BASELINE, FAILED = "first", "ahead", "tie", "baseline", "failed"
TRIVIAL = "trivial answer"
MAX_NAMES = 4  # names in a list before "and 3 more"
MAX_KINDS = 3  # kinds of failure in a sentence


@dataclass(frozen=True)
class OtherRow:
    """Another row, compared with the model of the task.

    Attributes:
        row: its title.
        score: its mean (0-100).
        ahead: points by which the model of the task is ahead; None if there is no such model.
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
        text: what happened; empty if unknown.
        cure: what to try next; empty if there is nothing to try.
        failed: whether there is no score, or a score that says nothing about the model.
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
        metric: its primary metric; None if nothing has a score.
        outcome: `first` (significantly better than the next model and the best baseline), `ahead` (not significantly
            better than one of them), `tie` (of several models), `baseline` (no model has a higher mean than the best
            baseline, or than the trivial answer if no baseline was run) or `failed` (no training succeeded).
        model: the row with the highest mean of `BoardColumn.running`; None if there is none.
        score: its mean (0-100).
        seeds: number of seeds of that mean.
        take: the row to fine-tune: the model, or the cheapest of the rows that tie; None for `baseline` and `failed`.
        next: the next best row of `BoardColumn.running`.
        baseline: the best baseline, or else the trivial answer, whose row is `trivial answer`.
        tied: the rows that tie with the model, best first.
        unproven: those of the model and the tied rows that are not shown to beat the best baseline.
        above: rows with a higher mean that are not in `BoardColumn.running`, and why.
        fallen: rows whose trainings failed or fell short.
        train_seconds, peak_memory_bytes, parameters: costs of `take`.
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
        """The verdict as a sentence."""
        parts = _SENTENCES[self.outcome](self)
        parts += [f"{row} has {_points(score)}, but {why}" for row, score, why in self.above]
        failed = [row.row for row in self.fallen if row.failed]
        if failed and self.outcome not in (BASELINE, FAILED):
            parts.append(f"the trainings of {_listed(failed)} failed")
        return f"{self.task}: {'; '.join(parts)}"


@dataclass(frozen=True)
class OverallVerdict:
    """The verdict over all tasks.

    Attributes:
        tasks: number of tasks.
        model: the row with the highest average of those in `BoardColumn.running` of every task; None if there is none.
        average: its mean over the tasks.
        first_on: number of tasks on which it has the highest mean.
        next: title and average of the next row.
        baselines: average of the best baselines of the tasks; None unless each task has one.
        tied: rows that cannot be told apart from it over all tasks.
        failed: number of failed cells, and of entries whose trainings all failed.
        one_seed: whether nothing was trained with more than one seed.
        train_seconds: mean over its cells.
        peak_memory_bytes: largest of its cells.
        parameters: smallest and largest of its cells.
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
        """The verdict as a sentence."""
        return f"all {self.tasks} tasks: {'; '.join(_overall_parts(self))}"


@dataclass(frozen=True)
class Verdict:
    """The verdict on each task in the order of the board, and the verdict over all tasks (None for fewer than two)."""

    tasks: tuple[TaskVerdict, ...]
    overall: OverallVerdict | None

    def lines(self, most: int | None = None) -> list[str]:
        """Return a line for each task and one over all tasks; with more than `most` tasks only the latter."""
        if self.overall and most is not None and len(self.tasks) > most:
            return [self.overall.line]
        return [verdict.line for verdict in (*self.tasks, self.overall) if verdict]


def _first(verdict: TaskVerdict) -> list[str]:
    hedge = "" if verdict.outcome == FIRST else ", ahead but not proven"
    seed = " (one seed)" if verdict.seeds == 1 else ""
    facts = [f"{_points(verdict.score)} {verdict.metric}{seed}", *_over_baseline(verdict)]
    if verdict.next:
        facts.append(f"{verdict.next.difference} over {verdict.next.row}")
    return [f"fine-tune {verdict.take}{hedge}: {', '.join(facts)}", *_cost(verdict)]


def _tie(verdict: TaskVerdict) -> list[str]:
    names = [verdict.model, *(other.row for other in verdict.tied)]
    scores = [verdict.score, *(other.score for other in verdict.tied)]
    shown = _listed([_points(score) for score in scores])
    if len(scores) > MAX_NAMES:
        shown = f"{_points(scores[0])} to {_points(scores[-1])}"
    difference = f", {verdict.tied[0].difference}" if len(verdict.tied) == 1 else ""
    proven = [name for name in names if name not in verdict.unproven]
    why, rest = "the cheaper" if len(names) == 2 else "the cheapest", []
    if verdict.baseline and verdict.baseline.row != TRIVIAL:
        than = f"{verdict.baseline.row} ({_points(verdict.baseline.score)}), the best baseline"
        if not verdict.unproven:
            rest = [f"{'both' if len(names) == 2 else 'all'} beat {than}"]
        elif not proven:
            rest = [f"none is shown to beat {than}"]
        else:
            why = f"the only one shown to beat {than}" if len(proven) == 1 else f"{why} of those shown to beat {than}"
    take = f"fine-tune {verdict.take}, {why}: {', '.join(_cost(verdict))}".removesuffix(": ")
    return [f"{_listed(names)} tie: {shown} {verdict.metric}{difference}", take, *rest]


def _baseline(verdict: TaskVerdict) -> list[str]:
    baseline, yet = verdict.baseline, " yet" if verdict.fallen else ""
    name = f"the {TRIVIAL}{yet}" if baseline.row == TRIVIAL else f"{baseline.row}{yet}, the best baseline"
    sentence = f"no model beats {name} ({_points(baseline.score)} {verdict.metric})"
    return [sentence, f"{verdict.model} has {_points(verdict.score)}, {baseline.difference}", *_troubles(verdict.fallen)]


def _failed(verdict: TaskVerdict) -> list[str]:
    baseline, sentence = verdict.baseline, []
    if baseline and baseline.row != TRIVIAL:
        sentence = [f"{baseline.row}, the best baseline, has {_points(baseline.score)} {verdict.metric}"]
    if not verdict.fallen:
        return ["no model was trained", *sentence]
    what = "every training failed" if all(row.cell for row in verdict.fallen) else "no model was trained well"
    return [what, *_troubles(verdict.fallen), *sentence]


def _troubles(fallen: Sequence[TroubledRow]) -> list[str]:
    """Return what happened and what to try; rows with the same trouble together, at most `MAX_KINDS` kinds."""
    by_trouble: dict[tuple[str, str], list[TroubledRow]] = {}
    for row in fallen:
        by_trouble.setdefault((row.text, row.cure), []).append(row)
    parts = []
    for (text, cure), rows in list(by_trouble.items())[:MAX_KINDS]:
        show = f" (bench show {rows[0].cell})" if rows[0].cell else ""
        advice = f"; try {cure}" if cure else ""
        parts.append(": ".join(filter(None, (_listed([row.row for row in rows]), text))) + show + advice)
    more = sum(len(rows) for rows in list(by_trouble.values())[MAX_KINDS:])
    return [*parts, f"{more} more"] if more else parts


def _over_baseline(verdict: TaskVerdict) -> list[str]:
    baseline = verdict.baseline
    if baseline is None:
        return []
    name = f"the {TRIVIAL}" if baseline.row == TRIVIAL else f"{baseline.row}, the best baseline"
    return [f"{baseline.difference} over {name}"]


def _overall_parts(verdict: OverallVerdict) -> list[str]:
    failed = [f"{verdict.failed} training{'s' if verdict.failed > 1 else ''} failed"] if verdict.failed else []
    seed = ["one seed: intervals are over the test rows alone, --seeds 3 tells more"] if verdict.one_seed else []
    if verdict.model is None:
        return ["no model has a sound score on every task", *failed, *seed]
    average, baselines = verdict.average, verdict.baselines
    if baselines is not None and average <= baselines + EQUAL:
        sentence = f"the best baselines have {_points(baselines)} on average, {verdict.model} {_points(average)}"
        return [sentence, *failed, *seed]
    mean = _points(average)
    mean += f", {average - baselines:+.1f} over the best baselines" if baselines is not None else ""
    mean += f", {average - verdict.next[1]:+.1f} over {verdict.next[0]}" if verdict.next else ""
    parts = [f"{verdict.model} has the highest average, {mean}, and is best on {verdict.first_on} of them"]
    if verdict.tied:
        parts.append(f"over the tasks it is not told apart from {_listed(verdict.tied)}")
    return [*parts, *_cost(verdict), *failed, *seed]


def _cost(verdict: TaskVerdict | OverallVerdict) -> list[str]:
    known = [f"trains in {duration(verdict.train_seconds)}"] if verdict.train_seconds is not None else []
    known += [memory(verdict.peak_memory_bytes)] if verdict.peak_memory_bytes else []
    if parameters := verdict.parameters:
        known.append(f"{sizes(parameters) if isinstance(parameters, tuple) else count(parameters)} parameters")
    return [", ".join(known)] if known else []


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _listed(names: Sequence[str]) -> str:
    """Return `a, b and c`, or the first `MAX_NAMES` names and `3 more`."""
    names = [*names[:MAX_NAMES], f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES + 1 else list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_SENTENCES = {FIRST: _first, AHEAD: _first, TIE: _tie, BASELINE: _baseline, FAILED: _failed}
