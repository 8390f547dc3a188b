"""Which model to choose under limits of size, time and memory: the best one, and those that it cannot be told apart from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from harness.errors import BenchError, unknown
from harness.grouping.contenders import EQUAL
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.trouble import SEARCH, Trouble

WORTH = 0.8  # a cheaper model is named if its training takes at most this share of the best one's


@dataclass(frozen=True)
class Limits:
    """Upper limits of cost; None: no limit.

    Attributes:
        parameters: parameters of the model with its head.
        train_seconds: training of one cell with the search for its recipe, in seconds.
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
        parameters, memory: largest number over the tasks (memory in bytes).
        train_seconds: trainings of all tasks together.
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
        return any(one.failed for _, one in self.trouble)


@dataclass(frozen=True)
class ModelChoice:
    """Which row to use: a model to fine-tune, or a baseline that no model beats.

    Attributes:
        best: the useful candidate that fits with the highest average.
        cheaper: of the candidates tied with it, the one with the shortest training, if that is much shorter; else None.
        candidates: all candidates, those that fit first, best first.
        tasks: titles of the columns that counted.
        missing: models without a score on all of them.
        open: where the best is a baseline, the models that fit and whose trainings failed or fell short.
        failures: where the best is a baseline, the models with failed cells.
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
        """Whether `best` can be relied on; False where it is a baseline and some models were not trained well."""
        return not (self.open or self.failures)


def recommend(board: Board, limits: Limits, tasks: Collection[str] = ()) -> ModelChoice:
    """Choose a row of the board.

    Args:
        board: with standings; without them nothing is tied.
        limits: limits that the model must keep to.
        tasks: names or titles of columns; empty: all.

    Raises:
        BenchError: an unknown task, no row with a score on every task, or none that fits and beats the trivial answers. The message
            says which trainings failed.
    """
    titles = [column.title for column in board.columns]
    for name in tasks:
        if not any(name in (column.title, column.task) for column in board.columns):
            raise unknown("task", name, titles)
    columns = [column for column in board.columns if not tasks or column.title in tasks or column.task in tasks]
    wanted = [column.title for column in columns]
    whole = [row for row in board.rows if all(_mean(row, title) is not None for title in wanted)]
    if not whole:
        raise BenchError(
            f"no model has a score on each of {', '.join(wanted) or 'no task'}; name fewer with --task, or run the cells that are missing"
        )
    candidates = [_candidate(row, columns, limits) for row in whole]
    fitting = [one for one in candidates if one.fits and one.useful]
    troubled = [one for one in candidates if one.fits and one.trouble]
    if not fitting:
        raise BenchError(
            f"no model keeps to the limits and beats the trivial answer on {', '.join(wanted)}; "
            + (_to_repeat(troubled, wanted) if troubled else _nearest(candidates))
        )
    # Of equal candidates the baseline wins, which is listed last.
    best = max(reversed(fitting), key=lambda one: one.average)
    marked = [
        replace(one, tied=one.fits and one.useful and _tied(one.row, best.row, wanted)) for one in candidates
    ]
    best = next(one for one in marked if one.row is best.row)
    timed = [one for one in marked if one.tied and one.train_seconds is not None and best.train_seconds is not None]
    shorter = [one for one in timed if one.train_seconds <= WORTH * best.train_seconds]
    cheaper = min(shorter, key=lambda one: one.train_seconds, default=None)
    order = sorted(marked, key=lambda one: (not one.fits, -one.average))
    missing = tuple(row.title for row in board.rows if row not in whole and not row.is_baseline)
    recommendation = ModelChoice(best, cheaper, tuple(order), tuple(wanted), missing)
    if not best.row.is_baseline:
        return recommendation
    failures = tuple(
        row.title
        for row in board.rows
        if not row.is_baseline and any(title in row.entries and _mean(row, title) is None for title in wanted)
    )
    return replace(recommendation, open=tuple(one for one in order if one.fits and one.trouble), failures=failures)


def _mean(row: Row, title: str) -> float | None:
    entry = row.entries.get(title)
    return entry.mean if entry else None


def _candidate(row: Row, columns: Sequence[BoardColumn], limits: Limits) -> Candidate:
    entries = [row.entries[column.title] for column in columns]
    seconds = [entry.train_seconds for entry in entries]
    fits = all(_fits(entry, limits, row.is_baseline) for entry in entries)
    flagged = {
        flag: tuple(column for column, entry in zip(columns, entries, strict=True) if flag in entry.flags)
        for flag in ("trivial", "baseline", "unproven")
    }
    useful = not flagged["trivial"]
    if row.is_baseline:  # baselines have no flag for this
        pairs = [(entry.mean, column.trivial) for column, entry in zip(columns, entries, strict=True)]
        useful = all(trivial is None or mean > trivial + EQUAL for mean, trivial in pairs)
    total = None if None in seconds else sum(seconds)
    parameters = max((entry.parameters for entry in entries if entry.parameters), default=None)
    memory = max((entry.peak_memory_bytes for entry in entries if entry.peak_memory_bytes), default=None)
    trouble = [(column, one) for column, entry in zip(columns, entries, strict=True) for one in _signs(entry)]
    return Candidate(
        row, fmean(entry.mean for entry in entries), parameters, total, memory, fits, useful, flagged["baseline"],
        flagged["unproven"], trouble=tuple(sorted(trouble, key=lambda pair: not pair[1].failed)),
    )  # fmt: skip


def _signs(entry: Entry) -> list[Trouble]:
    """The signs of trouble; with the seeds that show them, unless all do."""
    signs = []
    for one in entry.trouble:
        seeds = f" (seed {', '.join(map(str, one.seeds))})" if len(one.seeds) < len(entry.scores) else ""
        signs.append(replace(one.trouble, text=one.trouble.text + seeds))
    return signs


def _fits(entry: Entry, limits: Limits, rule: bool) -> bool:
    """Whether an entry keeps to the limits. An unknown cost does not; a `rule` may have no parameters."""
    pairs = (
        (entry.parameters or (0 if rule else None), limits.parameters),
        (entry.train_seconds, limits.train_seconds),
        (entry.peak_memory_bytes, limits.memory),
    )
    return all(limit is None or (value is not None and value <= limit) for value, limit in pairs)


def _tied(row: Row, best: Row, titles: Sequence[str]) -> bool:
    return row is best or all(_share(row.entries, best.entries, title) for title in titles)


def _share(ours: Mapping[str, Entry], theirs: Mapping[str, Entry], title: str) -> bool:
    standings = [entries[title].standing for entries in (ours, theirs)]
    return None not in standings and bool(standings[0].groups & standings[1].groups)


def _to_repeat(troubled: Sequence[Candidate], titles: Sequence[str]) -> str:
    """Which trainings failed or fell short, and what to try."""
    signs = "; ".join(
        f"{one.row.title}{f' on {column.title}' if len(titles) > 1 else ''}: {sign.text}"
        for one in troubled
        for column, sign in one.trouble[:1]
    )
    what = "their trainings failed" if all(one.failed for one in troubled) else "trainings failed or fell short"
    return f"{what} ({signs}); try {troubled[0].trouble[0][1].cure or SEARCH}"


def _nearest(candidates: Sequence[Candidate]) -> str:
    smallest = min((one.parameters for one in candidates if one.parameters), default=None)
    shortest = min((one.train_seconds for one in candidates if one.train_seconds), default=None)
    known = [f"the smallest has {smallest:,} parameters"] if smallest else []
    known += [f"the shortest trainings took {shortest:.0f} s together"] if shortest else []
    return f"{' and '.join(known) or 'nothing is known of their costs'}; loosen a limit"
