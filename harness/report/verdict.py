"""The verdict of a board: which model to fine-tune on each task, by how much it is better, at what cost, and one line over all tasks.

A verdict says no more than the tests of the board. A model is better where the two rows share no letter. Where they share one, it is
"ahead, but not proven" with one seed or with an interval above zero, and otherwise the two tie. Where no model beats the baselines,
the verdict says which trainings failed or fell short, and what to try.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

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

LONGEST = 100  # characters of an error message


def verdict(board: Board) -> Verdict:
    """The verdict of a board. Without standings nothing is proven."""
    tasks = tuple(_of_task(board, column) for column in board.columns)
    return Verdict(tasks, _overall(board, tasks) if len(tasks) > 1 else None)


def _of_task(board: Board, column: BoardColumn) -> TaskVerdict:
    rows = {row.title: row for row in board.rows if column.title in row.entries}
    entries = {title: row.entries[column.title] for title, row in rows.items()}
    fallen = tuple(_troubled_rows(board, column, rows))
    model = next(iter(column.running), None)
    base = _baseline(column, entries, model)
    if model is None:
        return TaskVerdict(column.title, column.metric, FAILED, baseline=base, fallen=fallen)
    entry = entries[model]
    others = [_other_row(entry, title, entries[title]) for title in column.running[1:]]
    tied = tuple(one for one in others if len(entry.scores) > 1 and _ties(one))
    together = [model, *(one.row for one in tied)]
    unproven = tuple(title for title in together if not _proven(entries[title], base))
    take: str | None = model
    if base and base.ahead <= EQUAL:
        outcome, take = BASELINE, None
    elif tied:
        outcome = TIE
        take = min([title for title in together if title not in unproven] or together, key=lambda t: _price(entries[t]))
    else:
        outcome = AHEAD if unproven or any(not one.apart for one in others) else FIRST
    costs = entries[take] if take else None
    return TaskVerdict(
        task=column.title,
        metric=column.metric,
        outcome=outcome,
        model=model,
        score=entry.mean,
        seeds=len(entry.scores),
        take=take,
        next=others[0] if others else None,
        baseline=base,
        tied=tied if outcome == TIE else (),
        unproven=unproven,
        above=tuple(_higher_rows(column, rows, entry)),
        fallen=fallen,
        train_seconds=costs.train_seconds if costs else None,
        peak_memory_bytes=costs.peak_memory_bytes if costs else None,
        parameters=costs.parameters if costs else None,
    )


def _other_row(entry: Entry, title: str, other: Entry) -> OtherRow:
    ours, theirs = entry.standing, other.standing
    lead = theirs.behind if theirs else None
    apart = bool(ours and theirs and ours.groups and theirs.groups and not ours.groups & theirs.groups)
    if lead is None:
        return OtherRow(title, other.mean, entry.mean - other.mean, None, None, apart)
    return OtherRow(title, other.mean, lead.value, lead.low, lead.high, apart)


def _baseline(column: BoardColumn, entries: Mapping[str, Entry], model: str | None) -> OtherRow | None:
    """The best baseline, or else the trivial answer, for which there is no test because it has no predictions."""
    name, score = (column.hurdle.model, column.hurdle.mean) if column.hurdle else (TRIVIAL, column.trivial)
    if score is None:
        return None
    if model is None:
        return OtherRow(name, score, None, None, None, False)
    if name == TRIVIAL:
        return OtherRow(name, score, entries[model].mean - score, None, None, entries[model].mean > score)
    return _other_row(entries[model], name, entries[name])


def _ties(one: OtherRow) -> bool:
    return not one.apart and one.low is not None and one.low <= 0.0


def _proven(entry: Entry, base: OtherRow | None) -> bool:
    """Whether an entry is proven to beat the best baseline; False without standings."""
    if base is None or base.row == TRIVIAL:
        return "trivial" not in entry.flags
    return entry.standing is not None and not {"baseline", "unproven"} & set(entry.flags)


def _price(entry: Costed) -> tuple[float, ...]:
    known = (entry.train_seconds, entry.peak_memory_bytes, entry.parameters)
    return tuple(math.inf if value is None else value for value in known)


def _higher_rows(column: BoardColumn, rows: Mapping[str, Row], entry: Entry) -> Iterable[tuple[str, float, str]]:
    for title, row in rows.items():
        own = row.entries[column.title]
        if title in column.running or row.is_baseline or own.mean is None or own.untrained or own.mean <= entry.mean:
            continue
        random = row.method in METHODS and not METHODS[row.method].pretrained
        yield title, own.mean, "from random weights" if random else "fewer seeds"


def _troubled_rows(board: Board, column: BoardColumn, rows: Mapping[str, Row]) -> Iterable[TroubledRow]:
    for title, row in rows.items():
        entry = row.entries[column.title]
        if row.is_baseline:
            continue
        if entry.mean is None:
            known = [one for one in board.failures if (one.task, one.model) == (column.task, row.model)]
            known = known or [one for one in board.failures if one.task == column.task]
            message = f"{known[0].type}: {known[0].message}" if known else ""
            message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
            yield TroubledRow(title, message, "", True, known[0].id if known else "")
            continue
        # One sign for each row, that of a failed training if there is any.
        for one in sorted((own.trouble for own in entry.trouble), key=lambda trouble: not trouble.failed)[:1]:
            yield TroubledRow(title, one.text, one.cure, entry.untrained)


def _overall(board: Board, tasks: Sequence[TaskVerdict]) -> OverallVerdict:
    rows = [row for row in board.rows if row.average is not None]
    whole = [row for row in rows if all(row.title in column.running for column in board.columns)]
    seeds = [len(own.scores) for row in board.rows if not row.is_baseline for own in row.entries.values()]
    hurdles = [column.hurdle.mean for column in board.columns if column.hurdle]
    known = {
        "tasks": len(tasks),
        "baselines": sum(hurdles) / len(hurdles) if len(hurdles) == len(tasks) else None,
        "failed": len(board.failures) + sum(own.untrained for row in board.rows for own in row.entries.values()),
        "one_seed": max(seeds, default=0) == 1,
    }
    if not whole:
        return OverallVerdict(**known)
    best, *others = whole
    letters = {one.title: set(one.letters) for one in board.overall.rows} if board.overall else {}
    tied = [row.title for row in others if letters.get(best.title, set()) & letters.get(row.title, set())]
    return OverallVerdict(
        **known,
        model=best.title,
        average=best.average,
        first_on=sum(one.model == best.title for one in tasks),
        next=(others[0].title, others[0].average) if others else None,
        tied=tuple(tied),
        train_seconds=best.train_seconds,
        peak_memory_bytes=best.peak_memory_bytes,
        parameters=best.parameters,
    )
