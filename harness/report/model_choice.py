"""Choose a model under limits of size, time and memory, and the models tied with it: `bench recommend`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from harness.errors import BenchError, unknown
from harness.grouping.contenders import EQUAL
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.trouble import SEARCH, Trouble

CHEAPER_SHARE = 0.8  # a cheaper model is named if its training takes at most this share of the best one's


@dataclass(frozen=True)
class Limits:
    """Upper limits of cost; None: no limit.

    Attributes:
        parameters: parameters of the model with its head.
        train_seconds: seconds of training of one cell, with the search for its recipe.
        memory: peak memory in bytes.
    """

    parameters: float | None = None
    train_seconds: float | None = None
    memory: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A row of the board with a score on every requested task.

    Attributes:
        row: the row.
        average: mean over the tasks.
        parameters: largest number of parameters over the tasks.
        train_seconds: training time of all tasks together.
        memory: largest peak memory over the tasks, in bytes.
        fits: whether it keeps to the limits.
        useful: whether it beats the trivial answer on every task.
        below: tasks on which a baseline is at least as good.
        unproven: tasks on which it is better than all baselines, but cannot be told apart from the best one.
        tied: whether it shares a letter with the best row in every column, so that no task tells the two apart.
        trouble: signs that its trainings failed or fell short, each with its task; failed ones first.
    """

    row: Row
    average: float
    parameters: int | None
    train_seconds: float | None
    memory: int | None
    fits: bool
    useful: bool
    below: tuple[BoardColumn, ...] = ()
    unproven: tuple[BoardColumn, ...] = ()
    tied: bool = False
    trouble: tuple[tuple[BoardColumn, Trouble], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether one of its trainings failed."""
        return any(sign.failed for _, sign in self.trouble)


@dataclass(frozen=True)
class ModelChoice:
    """Which row to use: a model to fine-tune, or a baseline that no model beats.

    Attributes:
        best: the useful candidate that fits with the highest average.
        cheaper: of the candidates tied with it, the one with the shortest training, if that is much shorter; else None.
        candidates: all candidates, those that fit first, best first.
        tasks: titles of the requested columns.
        missing: models without a score on all of them.
        open: if the best is a baseline, the models that fit and whose trainings failed or fell short.
        failures: if the best is a baseline, the models with failed cells.
    """

    best: Candidate
    cheaper: Candidate | None
    candidates: tuple[Candidate, ...]
    tasks: tuple[str, ...]
    missing: tuple[str, ...]
    open: tuple[Candidate, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether `best` is reliable; False if it is a baseline and some models were not trained well."""
        return not (self.open or self.failures)


def recommend(board: Board, limits: Limits, tasks: Collection[str] = ()) -> ModelChoice:
    """Choose a row of the board.

    Args:
        board: a board with standings; without them no rows are tied.
        limits: limits that the model must keep to.
        tasks: names or titles of columns; empty: all.

    Raises:
        BenchError: a task is unknown, no row has a score on every task, or no row fits and beats the trivial answers.
            The message says which trainings failed.
    """
    for name in tasks:
        if not any(name in (column.title, column.task) for column in board.columns):
            raise unknown("task", name, [column.title for column in board.columns])
    columns = [column for column in board.columns if not tasks or column.title in tasks or column.task in tasks]
    titles = [column.title for column in columns]
    complete = [row for row in board.rows if all(_mean(row, title) is not None for title in titles)]
    if not complete:
        raise BenchError(
            f"no model has a score on each of {', '.join(titles) or 'no task'}; name fewer with --task, or run the cells that are missing"
        )
    candidates = [_candidate(row, columns, limits) for row in complete]
    suitable = [candidate for candidate in candidates if candidate.fits and candidate.useful]
    if not suitable:
        raise BenchError(
            f"no model keeps to the limits and beats the trivial answer on {', '.join(titles)}; {_why_none(candidates, titles)}"
        )
    # Of equal candidates the baseline wins, which is listed last.
    best_row = max(reversed(suitable), key=lambda candidate: candidate.average).row
    candidates = [
        replace(one, tied=one.fits and one.useful and _tied(one.row, best_row, titles)) for one in candidates
    ]
    best = next(candidate for candidate in candidates if candidate.row is best_row)
    cheaper = _cheaper(candidates, best)
    candidates.sort(key=lambda candidate: (not candidate.fits, -candidate.average))
    baseline_is_best = best_row.is_baseline
    models = [row for row in board.rows if not row.is_baseline]
    return ModelChoice(
        best=best,
        cheaper=cheaper,
        candidates=tuple(candidates),
        tasks=tuple(titles),
        missing=tuple(row.title for row in models if row not in complete),
        open=tuple(one for one in candidates if baseline_is_best and one.fits and one.trouble),
        failures=tuple(
            row.title
            for row in models
            if baseline_is_best and any(title in row.entries and _mean(row, title) is None for title in titles)
        ),
    )


def _mean(row: Row, title: str) -> float | None:
    entry = row.entries.get(title)
    return entry.mean if entry else None


def _candidate(row: Row, columns: Sequence[BoardColumn], limits: Limits) -> Candidate:
    entries = [(column, row.entries[column.title]) for column in columns]
    if row.is_baseline:  # baselines have no flag `trivial`
        useful = all(column.trivial is None or entry.mean > column.trivial + EQUAL for column, entry in entries)
    else:
        useful = not any("trivial" in entry.flags for _, entry in entries)
    seconds = [entry.train_seconds for _, entry in entries]
    trouble = [(column, sign) for column, entry in entries for sign in _signs(entry)]
    return Candidate(
        row=row,
        average=fmean(entry.mean for _, entry in entries),
        parameters=_largest(entry.parameters for _, entry in entries),
        train_seconds=None if None in seconds else sum(seconds),
        memory=_largest(entry.peak_memory_bytes for _, entry in entries),
        fits=all(_fits(entry, limits, row.is_baseline) for _, entry in entries),
        useful=useful,
        below=tuple(column for column, entry in entries if "baseline" in entry.flags),
        unproven=tuple(column for column, entry in entries if "unproven" in entry.flags),
        trouble=tuple(sorted(trouble, key=lambda pair: not pair[1].failed)),
    )


def _largest(values: Iterable[int | None]) -> int | None:
    return max(filter(None, values), default=None)


def _signs(entry: Entry) -> list[Trouble]:
    """Return the signs of trouble; with the seeds that show them, unless all do."""
    signs = []
    for one in entry.trouble:
        seeds = f" (seed {', '.join(map(str, one.seeds))})" if len(one.seeds) < len(entry.scores) else ""
        signs.append(replace(one.trouble, text=one.trouble.text + seeds))
    return signs


def _fits(entry: Entry, limits: Limits, is_baseline: bool) -> bool:
    """Whether an entry keeps to the limits. An unknown cost does not; a baseline may have no parameters."""
    pairs = (
        (entry.parameters or (0 if is_baseline else None), limits.parameters),
        (entry.train_seconds, limits.train_seconds),
        (entry.peak_memory_bytes, limits.memory),
    )
    return all(limit is None or (value is not None and value <= limit) for value, limit in pairs)


def _tied(row: Row, best: Row, titles: Sequence[str]) -> bool:
    """Whether two rows share a letter in every column."""
    if row is best:
        return True
    for title in titles:
        standing, other = row.entries[title].standing, best.entries[title].standing
        if standing is None or other is None or not standing.groups & other.groups:
            return False
    return True


def _cheaper(candidates: Sequence[Candidate], best: Candidate) -> Candidate | None:
    if best.train_seconds is None:
        return None
    most = CHEAPER_SHARE * best.train_seconds
    cheaper = [one for one in candidates if one.tied and one.train_seconds is not None and one.train_seconds <= most]
    return min(cheaper, key=lambda candidate: candidate.train_seconds, default=None)


def _why_none(candidates: Sequence[Candidate], titles: Sequence[str]) -> str:
    """Return which trainings failed or fell short and what to try, or else the lowest costs."""
    troubled = [candidate for candidate in candidates if candidate.fits and candidate.trouble]
    if troubled:
        signs = []
        for candidate in troubled:
            column, sign = candidate.trouble[0]
            signs.append(f"{candidate.row.title}{f' on {column.title}' if len(titles) > 1 else ''}: {sign.text}")
        all_failed = all(candidate.failed for candidate in troubled)
        what = "their trainings failed" if all_failed else "trainings failed or fell short"
        return f"{what} ({'; '.join(signs)}); try {troubled[0].trouble[0][1].cure or SEARCH}"
    smallest = min((candidate.parameters for candidate in candidates if candidate.parameters), default=None)
    shortest = min((candidate.train_seconds for candidate in candidates if candidate.train_seconds), default=None)
    known = [f"the smallest has {smallest:,} parameters"] if smallest else []
    known += [f"the shortest trainings took {shortest:.0f} s together"] if shortest else []
    return f"{' and '.join(known) or 'nothing is known of their costs'}; loosen a limit"
