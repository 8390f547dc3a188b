"""Make the verdict of a board: which model to fine-tune on each task and overall, its lead and its cost.

A verdict claims no more than the tests of the board show. A model is better if the two rows share no letter. If they
share one, it is "ahead, but not proven" with one seed or with an interval above zero; otherwise the two tie. If no
model beats the baselines, the verdict says which trainings failed or fell short, and what to try.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.grouping.contenders import EQUAL
from harness.grouping.costs import Costed
from harness.methods import METHODS
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.verdict_lines import (
    AHEAD,
    BASELINE,
    FAILED,
    FIRST,
    TIE,
    TRIVIAL,
    OtherRow,
    OverallVerdict,
    TaskVerdict,
    TroubledRow,
    Verdict,
)

MAX_MESSAGE = 100  # characters of an error message


def verdict(board: Board) -> Verdict:
    """Return the verdict of a board. Without standings nothing is proven."""
    tasks = tuple(_task_verdict(board, column) for column in board.columns)
    return Verdict(tasks, _overall(board, tasks) if len(tasks) > 1 else None)


def _task_verdict(board: Board, column: BoardColumn) -> TaskVerdict:
    rows = {row.title: row for row in board.rows if column.title in row.entries}
    entries = {title: row.entries[column.title] for title, row in rows.items()}
    fallen = tuple(_troubled_rows(board, column, rows))
    model = next(iter(column.running), None)
    baseline = _baseline(column, entries, model)
    if model is None:
        return TaskVerdict(column.title, column.metric, FAILED, baseline=baseline, fallen=fallen)
    entry = entries[model]
    others = [_other_row(entry, title, entries[title]) for title in column.running[1:]]
    tied = tuple(other for other in others if len(entry.scores) > 1 and _ties(other))
    candidates = [model, *(other.row for other in tied)]
    unproven = tuple(title for title in candidates if not _proven(entries[title], baseline))
    take: str | None = model
    if baseline and baseline.ahead <= EQUAL:
        outcome, take = BASELINE, None
    elif tied:
        outcome = TIE
        proven = [title for title in candidates if title not in unproven]
        take = min(proven or candidates, key=lambda title: _price(entries[title]))
    else:
        outcome = AHEAD if unproven or any(not other.apart for other in others) else FIRST
    return TaskVerdict(
        task=column.title,
        metric=column.metric,
        outcome=outcome,
        model=model,
        score=entry.mean,
        seeds=len(entry.scores),
        take=take,
        next=others[0] if others else None,
        baseline=baseline,
        tied=tied if outcome == TIE else (),
        unproven=unproven,
        above=tuple(_higher_rows(column, rows, entry)),
        fallen=fallen,
        **_costs(entries[take] if take else None),
    )


def _other_row(entry: Entry, title: str, other: Entry) -> OtherRow:
    standings = entry.standing, other.standing
    apart = all(one and one.groups for one in standings) and not standings[0].groups & standings[1].groups
    lead = other.standing.behind if other.standing else None
    if lead is None:
        return OtherRow(title, other.mean, entry.mean - other.mean, None, None, apart)
    return OtherRow(title, other.mean, lead.value, lead.low, lead.high, apart)


def _baseline(column: BoardColumn, entries: Mapping[str, Entry], model: str | None) -> OtherRow | None:
    """Return the best baseline, or else the trivial answer, which has no predictions and so no test."""
    name, score = (column.hurdle.model, column.hurdle.mean) if column.hurdle else (TRIVIAL, column.trivial)
    if score is None:
        return None
    if model is None:
        return OtherRow(name, score, None, None, None, False)
    if name == TRIVIAL:
        return OtherRow(name, score, entries[model].mean - score, None, None, entries[model].mean > score)
    return _other_row(entries[model], name, entries[name])


def _ties(other: OtherRow) -> bool:
    return not other.apart and other.low is not None and other.low <= 0.0


def _proven(entry: Entry, baseline: OtherRow | None) -> bool:
    """Whether an entry is proven to beat the best baseline; False without standings."""
    if baseline is None or baseline.row == TRIVIAL:
        return "trivial" not in entry.flags
    return entry.standing is not None and not {"baseline", "unproven"} & set(entry.flags)


def _costs(costed: Costed | None) -> dict[str, Any]:
    return {name: getattr(costed, name, None) for name in ("train_seconds", "peak_memory_bytes", "parameters")}


def _price(entry: Entry) -> tuple[float, ...]:
    return tuple(math.inf if cost is None else cost for cost in _costs(entry).values())


def _higher_rows(column: BoardColumn, rows: Mapping[str, Row], entry: Entry) -> Iterator[tuple[str, float, str]]:
    """Return the rows with a higher mean that are not in the running, and why."""
    for title, row in rows.items():
        other = row.entries[column.title]
        if title in column.running or row.is_baseline or other.mean is None or other.untrained:
            continue
        if other.mean <= entry.mean:
            continue
        is_random = row.method in METHODS and not METHODS[row.method].pretrained
        yield title, other.mean, "from random weights" if is_random else "fewer seeds"


def _troubled_rows(board: Board, column: BoardColumn, rows: Mapping[str, Row]) -> Iterator[TroubledRow]:
    for title, row in rows.items():
        entry = row.entries[column.title]
        if row.is_baseline:
            continue
        if entry.mean is None:
            failures = [failure for failure in board.failures if failure.task == column.task]
            failures = [failure for failure in failures if failure.model == row.model] or failures
            message = f"{failures[0].type}: {failures[0].message}" if failures else ""
            message = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
            yield TroubledRow(title, message, "", True, failures[0].id if failures else "")
        elif entry.trouble:
            # One sign for each row, preferably that of a failed training.
            sign = min((sign.trouble for sign in entry.trouble), key=lambda trouble: not trouble.failed)
            yield TroubledRow(title, sign.text, sign.cure, entry.untrained)


def _overall(board: Board, tasks: Sequence[TaskVerdict]) -> OverallVerdict:
    seeds = [len(entry.scores) for row in board.rows if not row.is_baseline for entry in row.entries.values()]
    baselines = [column.hurdle.mean for column in board.columns if column.hurdle]
    facts = {
        "tasks": len(tasks),
        "baselines": sum(baselines) / len(baselines) if len(baselines) == len(tasks) else None,
        "failed": len(board.failures) + sum(entry.untrained for row in board.rows for entry in row.entries.values()),
        "one_seed": max(seeds, default=0) == 1,
    }
    candidates = [
        row
        for row in board.rows
        if row.average is not None and all(row.title in column.running for column in board.columns)
    ]
    if not candidates:
        return OverallVerdict(**facts)
    best, *others = candidates
    letters = {row.title: set(row.letters) for row in board.overall.rows} if board.overall else {}
    tied = [row.title for row in others if letters.get(best.title, set()) & letters.get(row.title, set())]
    return OverallVerdict(
        **facts,
        model=best.title,
        average=best.average,
        first_on=sum(task.model == best.title for task in tasks),
        next=(others[0].title, others[0].average) if others else None,
        tied=tuple(tied),
        **_costs(best),
    )
