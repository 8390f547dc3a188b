"""Two rows of the board, task by task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from harness.errors import BenchError, unknown
from harness.report.groups import Place, identified, main_places, place, succeeded
from harness.report.names import called, row_named
from harness.searched import is_trial
from harness.stats.effects import Effect, odds_ratio, superiority
from harness.stats.holm import holm
from harness.stats.load import Scored, same_rows
from harness.stats.luck import Luck
from harness.stats.paired import Difference, difference
from harness.stats.scores import key
from harness.stats.scores import scores as scores_of
from harness.store import Record, Store

ALPHA = 0.05


@dataclass(frozen=True)
class Compared:
    """Two models on one task.

    Attributes:
        task: the column's title.
        metric: its primary metric.
        ours, theirs: means over the seeds that both have.
        difference: ours minus theirs.
        p: of the difference, adjusted for the number of tasks (Holm).
        superiority: the chance that a training of ours scores higher than one of theirs.
        odds_ratio: of the rows that only one has right, how many times as many are ours; None unless rows are right or wrong.
    """

    task: str
    metric: str
    ours: float
    theirs: float
    difference: Difference
    p: float
    superiority: Effect
    odds_ratio: Effect | None

    @property
    def verdict(self) -> int:
        """1: ours is better; -1: theirs is; 0: they cannot be told apart."""
        if self.p >= ALPHA:
            return 0
        return 1 if self.difference.value > 0 else -1


def compare(
    store: Store, ours: str, theirs: str, tasks: Iterable[str] = (), tell: Callable[[str], None] | None = None
) -> list[Compared]:
    """Compare two rows of the board on every task that both have.

    Args:
        store: the results folder.
        ours, theirs: rows, as `harness.report.names.row_named` reads them: a model's name, path or digest, with its method behind a
            colon unless that is `full`, or it is a baseline.
        tell: is told which tasks only one of the two has a score on.
        tasks: titles or names of tasks, and titles of sizes of learning curves, such as `sst2 (100 train rows)`; none: all tasks.

    Raises:
        BenchError: an unknown model or task, nothing in common, or predictions that are missing or of other rows.
    """
    wanted = list(tasks)
    places, _ = place(record for record in store.records() if identified(record) and not is_trial(record))
    ours, theirs = (row_named(name, places, f"results in {store.name!r}") for name in (ours, theirs))
    if ours == theirs:
        titles = sorted({called(where) for where in places})
        raise BenchError(f"{ours} and {theirs} are the same row; name two, of: {', '.join(titles)}")
    known = {where.task for where in (places if wanted else main_places(places))}
    for name in wanted:
        if name not in known:
            raise unknown("task", name, sorted(known), where=f"results in {store.name!r}")
    found = [
        one
        for task in sorted(known)
        if (not wanted or task in wanted) and (one := _on_task(store, places, task, ours, theirs)) is not None
    ]
    lacking = "; ".join(_lacking(places, sorted(known.intersection(wanted) if wanted else known), ours, theirs))
    if not found:
        raise BenchError(
            f"{ours} and {theirs} have no task and seed in common in {store.name!r}{lacking and f' ({lacking})'}; run both on one"
        )
    if lacking and tell:
        tell(f"not compared: {lacking}")
    adjusted = holm([one.difference.p for one in found])
    return [replace(one, p=p) for one, p in zip(found, adjusted, strict=True)]


def _lacking(places: Mapping[Place, list[Record]], tasks: Iterable[str], ours: str, theirs: str) -> Iterator[str]:
    """Why a task that one of the two has been run on has no comparison: the other one has no score there."""
    for name in (ours, theirs):
        done = {where.task: found for where, found in places.items() if called(where) == name}
        other = {where.task for where in places if called(where) in (ours, theirs)}
        for task in tasks:
            if task in other and not any(map(succeeded, done.get(task, ()))):
                yield f"{name} {'failed' if task in done else 'was not run'} on {task}"


def _on_task(store: Store, places: Mapping[Place, list[Record]], task: str, ours: str, theirs: str) -> Compared | None:
    column = {
        where: {record["seed"]: record for record in found if succeeded(record)}
        for where, found in places.items()
        if where.task == task
    }
    sides = [next((where for where in column if called(where) == name), None) for name in (ours, theirs)]
    groups = [column.get(where, {}) for where in sides]
    seeds = sorted(groups[0].keys() & groups[1].keys())
    if not seeds:
        return None
    prior = Luck(scores_of(column)).prior(*map(key, sides))  # of all rows, as on the board
    pairs = [tuple(Scored(store, group[seed]) for group in groups) for seed in seeds]
    for our, their in pairs:
        same_rows(our, their, f"{task}: {ours} and {theirs}")
    metrics, rows = [[scored.metric for scored in side] for side in zip(*pairs, strict=True)], len(pairs[0][0].ids)
    scores = [[group[seed]["score"] for seed in seeds] for group in groups]
    found = difference(*metrics, rows, pairs[0][0].resamples, prior)
    return Compared(
        task=task,
        metric=groups[0][seeds[0]]["primary_metric"],
        ours=fmean(scores[0]),
        theirs=fmean(scores[1]),
        difference=found,
        p=found.p,
        superiority=superiority(*scores),
        odds_ratio=odds_ratio(*metrics, rows),
    )
