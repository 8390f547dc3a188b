"""How models stand over all tasks: what `harness.stats.overall` finds out, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A mean over the tasks and its 95 % interval, over tasks, seeds and test rows; None where nobody could look."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Ranked:
    """One row of the board that has a score on every task.

    Attributes:
        title, model, method: as in `harness.report.rows.Row`.
        rank: mean over the tasks of the rank by mean score; 1 is best, ties share the mean of their ranks (Demšar 2006).
        score: mean over the tasks of (score − trivial answer's) / (best score of these rows − trivial answer's): 0 is as good
            as the trivial answer, 1 the best of every task. None where no task has such a scale.
        wins: the chance that a training of this row scores higher than one of another row on one of the tasks, ties half
            (Agarwal et al. 2021, "probability of improvement"): over all pairs of seeds, rows and tasks.
        letters: rows that share one cannot be told apart over the tasks; empty where nobody could look.
        few_seeds: another row has more seeds on some task.
    """

    title: str
    model: str
    method: str
    rank: Figure
    score: Figure | None
    wins: Figure
    letters: str
    few_seeds: bool


@dataclass(frozen=True)
class LeftOut:
    """A row that is not ranked, and the tasks that it has no score on."""

    title: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Friedman:
    """The test that all rows are equal over the tasks (Friedman 1937), on ranks of mean scores.

    Attributes:
        statistic, degrees, p: chi-square's, corrected for ties.
        critical_difference: of two average ranks, at the level 0.05, by Nemenyi's test (Demšar 2006).
    """

    statistic: float
    degrees: int
    p: float
    critical_difference: float


@dataclass(frozen=True)
class Overall:
    """Rows over all tasks.

    Attributes:
        tasks: the columns' titles.
        scaled: those of them that `Ranked.score` is a mean over.
        rows: by average rank, then by title.
        left_out: rows with gaps, by title.
        friedman: None where it could say nothing, and `notes` say why.
        notes: sentences.
    """

    tasks: tuple[str, ...]
    scaled: tuple[str, ...]
    rows: tuple[Ranked, ...]
    left_out: tuple[LeftOut, ...]
    friedman: Friedman | None
    notes: tuple[str, ...]
