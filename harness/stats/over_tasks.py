"""How models stand over all tasks of a board: ranks, normalised scores, wins, and groups that cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.methods import BASELINE
from harness.report.columns import row_title
from harness.report.entries import average
from harness.report.overall import LeftOut, Overall, Ranked
from harness.stats import kept
from harness.stats.letters import letters
from harness.store import Record

if TYPE_CHECKING:
    from harness.metrics.additive import Array

NAMED = 5  # tasks at most in a note
MOST = 100  # rows with intervals and groups: the number of pairs grows with the square
Row = tuple[str, str]  # model, method


@dataclass
class Task:
    """A column of the board.

    Attributes:
        title: the column's.
        rows: model and method → seed → record, of those that have a score.
        draws: gives the mean scores on drawn seeds and rows, by `model\\nmethod`.
        unknown: the predictions cannot be used, so there are no draws.
    """

    title: str
    rows: Mapping[Row, Mapping[int, Record]]
    draws: Callable[[], Mapping[str, Array]] | None = field(default=None, compare=False)
    unknown: bool = False

    @cached_property
    def key(self) -> str:
        """Another one whenever a record is, or the module of their family."""
        facts = {
            "\n".join(row): {
                seed: [record["id"], record.get("finished"), record["score"]] for seed, record in own.items()
            }
            for row, own in self.rows.items()
        }
        families = {record["task"]["family"] for own in self.rows.values() for record in own.values()}
        return kept.key(facts, {name: kept.source(name) for name in sorted(families)})

    @property
    def trivial(self) -> float | None:
        """As `harness.report.columns.Column` has it."""
        return average(record.get("trivial_score") for own in self.rows.values() for record in own.values())


def over_tasks(tasks: Sequence[Task]) -> Overall | None:
    """The rows with a score on each task, over all tasks; None for fewer than two tasks.

    Rows with gaps are left out: an average over other tasks is no average to compare with. Baselines are made for some tasks, so
    theirs are not told.
    """
    if len(tasks) < 2:
        return None
    rows = sorted({row for task in tasks for row in task.rows})
    missing = {row: tuple(task.title for task in tasks if row not in task.rows) for row in rows}
    whole = [row for row in rows if not missing[row]]
    left_out = tuple(LeftOut(row_title(*row), gaps) for row, gaps in missing.items() if gaps and row[1] != BASELINE)
    titles = tuple(task.title for task in tasks)
    if len(whole) < 2:
        note = "Nothing is ranked over all tasks: fewer than two rows have a score on each of them."
        return Overall(titles, (), (), left_out, None, (note,))
    unknown = [task.title for task in tasks if task.unknown]
    found = kept.overall(
        kept.key([(task.title, task.key, task.unknown) for task in tasks]), lambda: _make(tasks, whole)
    )
    notes = found.notes
    if unknown and len(whole) <= MOST:
        named = ", ".join(unknown) if len(unknown) <= NAMED else f"{len(unknown)} of the tasks"
        notes = (*notes, f"No intervals and groups over all tasks: there are none of {named}.")
    return replace(found, left_out=left_out, notes=notes)


def _make(tasks: Sequence[Task], rows: Sequence[Row]) -> Overall:
    from harness.stats.across import per_task
    from harness.stats.figures import points, sure
    from harness.stats.friedman import friedman

    scores = [[{seed: r["score"] for seed, r in task.rows[row].items()} for row in rows] for task in tasks]
    per = per_task(scores, [task.trivial for task in tasks])
    tested, why = friedman(per.ranks)
    notes = [why] if why else []
    if left := [task.title for t, task in enumerate(tasks) if t not in per.scaled]:
        notes.append(
            f"The normalised score is without {', '.join(left)}: the trivial answer's score is not known, or the best row is "
            "less than a point above it."
        )
    figures, groups = points(per), {}
    if len(rows) > MOST:
        notes.append(f"No intervals and groups over all tasks for more than {MOST} rows: there are {len(rows)}.")
    elif not any(task.unknown for task in tasks):
        drawn = [[draws["\n".join(row)] for row in rows] for draws in (task.draws() for task in tasks)]
        figures, different = sure(per, drawn)
        if different is None:
            notes.append("No groups over all tasks: fewer than two tasks have a normalised score.")
        else:
            order = sorted(range(len(rows)), key=lambda m: (figures[m][0].value, rows[m]))
            groups = letters(order, different)
    few = _few(scores)
    ranked = [
        Ranked(row_title(*row), *row, *figures[m], letters=groups.get(m, ""), few_seeds=few[m])
        for m, row in enumerate(rows)
    ]
    ranked.sort(key=lambda row: (row.rank.value, row.title))
    titles = tuple(task.title for task in tasks)
    return Overall(titles, tuple(titles[t] for t in per.scaled), tuple(ranked), (), tested, tuple(notes))


def _few(scores: Sequence[Sequence[Mapping[int, float]]]) -> list[bool]:
    """Which models have fewer seeds than another on some task."""
    most = [max(map(len, models)) for models in scores]
    return [any(len(task[m]) < top for task, top in zip(scores, most, strict=True)) for m in range(len(scores[0]))]
