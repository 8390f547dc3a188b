"""The rows of a board over all its tasks: mean ranks, normalised scores and wins, and groups that cannot be told apart.

`harness.stats.task_means` has the computations. It is imported only for results that are not in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.grouping.contenders import average
from harness.grouping.row_names import row_title
from harness.methods import BASELINE
from harness.stats.multiple_tests import letters
from harness.stats.statistics_cache import cache_key, cached, family_source_hash
from harness.store import Record

if TYPE_CHECKING:  # importing numpy takes a tenth of a second, and a board from the cache does not need it
    from harness.metrics.additive import Array

NAMED = 5  # maximal number of tasks that a note names
MOST = 100  # maximal number of rows with intervals and groups, because the number of pairs grows with the square
Row = tuple[str, str]  # model, method


@dataclass(frozen=True)
class TaskMean:
    """A mean over the tasks with its 95 % interval over tasks, seeds and test rows; None if there is no interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Ranked:
    """One row of the board that has a score on every task.

    Attributes:
        title, model, method: those of the row.
        rank: mean over the tasks of the rank by mean score; 1 is best, ties share the mean of their ranks (Demšar
            2006).
        score: mean over the tasks of (score - trivial score) / (best score - trivial score): 0 is as good as the
            trivial answer, 1 is the best row of every task. None if no task has such a scale.
        wins: the probability that a training of this row scores higher than one of another row on the same task, ties
            count half ("probability of improvement", Agarwal et al. 2021), over all pairs of seeds, rows and tasks.
        letters: rows that share a letter cannot be told apart over the tasks; empty without tests.
        few_seeds: whether another row has more seeds on some task.
    """

    title: str
    model: str
    method: str
    rank: TaskMean
    score: TaskMean | None
    wins: TaskMean
    letters: str
    few_seeds: bool


@dataclass(frozen=True)
class LeftOut:
    """A row that is not ranked, and the tasks on which it has no score."""

    title: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Friedman:
    """Friedman's test (1937) of the hypothesis that all rows are equal over the tasks, on ranks of mean scores.

    Attributes:
        statistic, degrees, p: chi-square statistic corrected for ties, its degrees of freedom and p value.
        critical_difference: Nemenyi's critical difference of two mean ranks at the level 0.05 (Demšar 2006).
    """

    statistic: float
    degrees: int
    p: float
    critical_difference: float


@dataclass(frozen=True)
class Overall:
    """The rows of a board over all tasks.

    Attributes:
        tasks: titles of the tasks.
        scaled: titles of the tasks with normalised scores.
        rows: ranked rows, by mean rank and then by title.
        left_out: rows without a score on some task, by title.
        friedman: Friedman's test; None if it was left out.
        notes: sentences about what was left out and why.
    """

    tasks: tuple[str, ...]
    scaled: tuple[str, ...]
    rows: tuple[Ranked, ...]
    left_out: tuple[LeftOut, ...]
    friedman: Friedman | None
    notes: tuple[str, ...]


@dataclass
class TaskScores:
    """The scores of a column of the board.

    Attributes:
        title: title of the column.
        rows: (model, method) → seed → record with a score.
        draws: returns row key → [resamples] of the mean score.
        unknown: whether there are no draws, because the predictions cannot be used.
    """

    title: str
    rows: Mapping[Row, Mapping[int, Record]]
    draws: Callable[[], Mapping[str, Array]] | None = field(default=None, compare=False)
    unknown: bool = False

    @cached_property
    def key(self) -> str:
        """A cache key that depends on the records and on the source code of their task family."""
        facts = {
            "\n".join(row): {
                seed: [record["id"], record.get("finished"), record["score"]] for seed, record in own.items()
            }
            for row, own in self.rows.items()
        }
        families = {record["task"]["family"] for own in self.rows.values() for record in own.values()}
        return cache_key(facts, {name: family_source_hash(name) for name in sorted(families)})

    @property
    def trivial(self) -> float | None:
        """The trivial score of the task; None if unknown."""
        return average(record.get("trivial_score") for own in self.rows.values() for record in own.values())


def over_tasks(tasks: Sequence[TaskScores]) -> Overall | None:
    """Rank the rows over all tasks; None for fewer than two tasks.

    Only rows with a score on every task are ranked, because means over different tasks cannot be compared. The others
    are listed as left out, except baselines, which exist for some tasks only.
    """
    if len(tasks) < 2:
        return None
    rows = sorted({row for task in tasks for row in task.rows})
    missing = {row: tuple(task.title for task in tasks if row not in task.rows) for row in rows}
    complete = [row for row in rows if not missing[row]]
    left_out = tuple(LeftOut(row_title(*row), gaps) for row, gaps in missing.items() if gaps and row[1] != BASELINE)
    titles = tuple(task.title for task in tasks)
    if len(complete) < 2:
        note = "Nothing is ranked over all tasks: fewer than two rows have a score on each of them."
        return Overall(titles, (), (), left_out, None, (note,))
    unknown = [task.title for task in tasks if task.unknown]
    key = cache_key([(task.title, task.key, task.unknown) for task in tasks])
    overall = cached(key, Overall, lambda: _compute_overall(tasks, complete))
    notes = overall.notes
    if unknown and len(complete) <= MOST:
        named = ", ".join(unknown) if len(unknown) <= NAMED else f"{len(unknown)} of the tasks"
        notes = (*notes, f"No intervals and groups over all tasks: there are none of {named}.")
    return replace(overall, left_out=left_out, notes=notes)


def _compute_overall(tasks: Sequence[TaskScores], rows: Sequence[Row]) -> Overall:
    from harness.stats.task_means import friedman, means_with_intervals, means_without_intervals, per_task

    scores = [[{seed: record["score"] for seed, record in task.rows[row].items()} for row in rows] for task in tasks]
    per = per_task(scores, [task.trivial for task in tasks])
    test, reason = friedman(per.ranks)
    notes = [reason] if reason else []
    if unscaled := [task.title for t, task in enumerate(tasks) if t not in per.scaled]:
        notes.append(
            f"The normalised score is without {', '.join(unscaled)}: the trivial answer's score is not known, or the best row is "
            "less than a point above it."
        )
    means, groups = means_without_intervals(per), {}
    if len(rows) > MOST:
        notes.append(f"No intervals and groups over all tasks for more than {MOST} rows: there are {len(rows)}.")
    elif not any(task.unknown for task in tasks):
        drawn = [[draws["\n".join(row)] for row in rows] for draws in (task.draws() for task in tasks)]
        means, different = means_with_intervals(per, drawn)
        if different is None:
            notes.append("No groups over all tasks: fewer than two tasks have a normalised score.")
        else:
            order = sorted(range(len(rows)), key=lambda m: (means[m][0].value, rows[m]))
            groups = letters(order, different)
    most = [max(map(len, models)) for models in scores]
    ranked = []
    for m, row in enumerate(rows):
        few_seeds = any(len(models[m]) < seeds for models, seeds in zip(scores, most, strict=True))
        ranked.append(Ranked(row_title(*row), *row, *means[m], letters=groups.get(m, ""), few_seeds=few_seeds))
    ranked.sort(key=lambda row: (row.rank.value, row.title))
    titles = tuple(task.title for task in tasks)
    return Overall(titles, tuple(titles[t] for t in per.scaled), tuple(ranked), (), test, tuple(notes))
