"""Numbers, marks and legends as text, for all formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.grouping.contenders import DIGITS
from harness.grouping.costs import NONE as NONE
from harness.grouping.costs import count as count
from harness.grouping.costs import duration as duration
from harness.grouping.costs import memory as memory
from harness.grouping.costs import sizes as sizes
from harness.grouping.titles import SHORT
from harness.report.board import Board
from harness.report.board_rows import BEST_BASELINE
from harness.report.entries import Entry

FLAGS = {
    "trivial": ("†", "not better than the trivial answer"),
    "baseline": ("†", "not better than the task's best baseline"),
    "unproven": ("†", "not told apart from the task's best baseline (level 0.05)"),
    "failed-training": ("!", "a training failed (for one seed at least), and its score says nothing about the model"),
    "constant": ("‡", "the same prediction for every test example (for one seed at least)"),
    "truncated": ("§", "more than 5 % of the test rows were cut to fit"),
    "remote-code": ("◊", "ran Python code from the model's own repository (--trust-remote-code)"),
    "searched": (
        "ˢ",
        "recipe chosen among several on validation (--search); its training time has the whole search in it",
    ),
    "few-seeds": ("¶", "fewer seeds than others of the column, so not in the running for best"),
}
GROUPS = "a, b, …: scores of a column that share a letter cannot be told apart (level 0.05 over all pairs of the board)"
RANKS = (
    "#1–9: the rank in the column is one of 1 to 9 (95 % sure for all of the board together); none is shown to be better than what "
    "may be #1, and two without a rank in common differ; all pairs: the groups in --format csv"
)
FAILED = ("✗", "so many seeds failed")
OTHERS = "; the mean is over the others"


def score(value: float | None) -> str:
    """A score, a mean or a standard deviation in points."""
    return NONE if value is None else f"{value:.{DIGITS}f}"


def signed(value: float | None) -> str:
    """A difference in points."""
    return NONE if value is None else f"{value:+.{DIGITS}f}"


def mean(entry: Entry | None) -> str:
    """The mean of an entry; `failed` where no seed has a score, a dash where nothing was run."""
    return "failed" if entry and entry.mean is None else score(entry.mean if entry else None)


def spread(sd: float | None) -> str:
    """The standard deviation behind a mean."""
    return "" if sd is None else f" ± {score(sd)}"


def marks(entry: Entry) -> str:
    """The flags and failures of an entry as marks, in the order of the legend."""
    letters = dict.fromkeys(letter for flag, (letter, _) in FLAGS.items() if flag in entry.flags)
    gap = " " if entry.mean is None else ""  # behind the word `failed`
    return "".join(letters) + (f"{gap}{FAILED[0]}{len(entry.failed)}" if entry.failed else "")


def group(entry: Entry | None) -> str:
    """The group letters of an entry, or the ranks that it may have."""
    return entry.standing.mark if entry and entry.standing else ""


def interval(entry: Entry | None) -> str:
    """The 95 % interval of an entry's mean."""
    return f"{score(entry.standing.low)} … {score(entry.standing.high)}" if entry and entry.standing else NONE


def legend(board: Board, groups: bool = True) -> list[str]:
    """The meaning of the marks of the board; with `groups` also of the letters or ranks behind the scores."""
    entries = [entry for row in board.rows for entry in row.entries.values()]
    used = {flag for entry in entries for flag in entry.flags}
    lines = (
        [RANKS if group(marked[0]).startswith("#") else GROUPS]
        if groups and (marked := [e for e in entries if group(e)])
        else []
    )
    meanings: dict[str, list[str]] = {}
    for flag, (letter, meaning) in FLAGS.items():
        if flag in used:
            meanings.setdefault(letter, []).append(meaning)
    lines += [f"{letter} {', or '.join(texts)}" for letter, texts in meanings.items()]
    return lines + failed_seeds(entries)


def failed_seeds(entries: Iterable[Entry]) -> list[str]:
    """The meaning of ✗N, where it is used."""
    some = [entry for entry in entries if entry.failed]
    others = OTHERS if any(entry.mean is not None for entry in some) else ""
    return [f"{FAILED[0]}N {FAILED[1]}{others}"] if some else []


def troubles(board: Board) -> list[str]:
    """A line on each training that failed or fell short, with what to try; failed ones first.

    Rows of a task with the same kind of trouble share a line, with the text of the first one.
    """
    rows_by_sign: dict[tuple[bool, str, str, str], list[str]] = {}
    for column in board.columns:
        for row in board.rows:
            entry = row.entries.get(column.title)
            for one in entry.trouble if entry else ():
                seeds = "" if len(one.seeds) == len(entry.scores) else f" (seed {', '.join(map(str, one.seeds))})"
                same = rows_by_sign.setdefault((not one.trouble.failed, column.title, one.trouble.kind, one.trouble.cure), [])
                same.append(row.title + seeds if same else f"{row.title} on {column.title}{seeds}: {one.trouble.text}")
    return [
        first + (f"; likewise {', '.join(others)}" if others else "") + (f"; try {cure}" if cure else "")
        for (_, _, _, cure), (first, *others) in sorted(rows_by_sign.items(), key=lambda item: item[0][0])
    ]


def baselines_named(board: Board) -> list[str]:
    """Which baseline each cell of the row `best baseline` shows, where there is such a row."""
    if not any(row.title == BEST_BASELINE for row in board.table_rows):
        return []
    names: dict[str, list[str]] = {}
    for column in board.columns:
        if column.hurdle:
            names.setdefault(column.hurdle.model, []).append(column.title)
    return [f"{BEST_BASELINE}: " + "; ".join(f"{model} on {', '.join(tasks)}" for model, tasks in names.items())]


def metric_texts(values: Sequence[float | None]) -> list[str]:
    """Values of a metric in the scale of its library: shares with three digits, points with two."""
    digits = 3 if all(abs(value) <= 1 for value in values if value is not None) else 2
    return [NONE if value is None else f"{value:.{digits}f}" for value in values]


def recipe(fields: Mapping[str, Iterable[tuple[Any, Sequence[str]]]]) -> str:
    """A recipe: `batch_size 32, learning_rate 3e-05 (encoder) / 5e-05 (decoder)`; fields without a value are left out."""
    parts = []
    for name, values in fields.items():
        texts = [f"{value}" + (f" ({', '.join(owners)})" if owners else "") for value, owners in values]
        if any(value is not None for value, _ in values):
            parts.append(f"{name} {' / '.join(texts)}")
    return ", ".join(parts)


def environment(facts: Mapping[str, Any]) -> str:
    """An environment on one line: device, threads, precision, system, library versions."""
    device = facts.get("device_type") or "?"
    parts = [f"{facts['device']} ({device})" if facts.get("device") else device]
    parts += [f"{facts['threads']} thread{'s' if facts['threads'] != 1 else ''}"] if facts.get("threads") else []
    parts += [str(facts[name]) for name in ("precision", "system") if facts.get(name)]
    parts += [f"Python {facts['python']}"] if facts.get("python") else []
    return ", ".join(parts + [f"{name} {version}" for name, version in (facts.get("libraries") or {}).items()])


def short(fingerprint: str | None) -> str:
    """The first digits of a fingerprint."""
    return (fingerprint or NONE)[:SHORT]
