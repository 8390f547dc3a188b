"""Numbers, marks and legends as text, for all formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.grouping.contenders import DIGITS
from harness.grouping.costs import NONE
from harness.grouping.recipe_variants import search_sentence
from harness.grouping.titles import SHORT
from harness.report.board_rows import BEST_BASELINE
from harness.report.entries import Entry

if TYPE_CHECKING:
    from harness.report.board import Board
    from harness.report.board_columns import BoardColumn

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
    """Format a score, a mean or a standard deviation in points."""
    return NONE if value is None else f"{value:.{DIGITS}f}"


def signed(value: float | None) -> str:
    """Format a difference in points."""
    return NONE if value is None else f"{value:+.{DIGITS}f}"


def mean(entry: Entry | None) -> str:
    """Return the mean of an entry; `failed` if no seed has a score, a dash if nothing was run."""
    return "failed" if entry and entry.mean is None else score(entry.mean if entry else None)


def spread(sd: float | None) -> str:
    """Return the standard deviation to add to a mean: ` ± 0.50`."""
    return "" if sd is None else f" ± {score(sd)}"


def marks(entry: Entry) -> str:
    """Return the flags and failures of an entry as marks, in the order of the legend."""
    letters = dict.fromkeys(letter for flag, (letter, _) in FLAGS.items() if flag in entry.flags)
    gap = " " if entry.mean is None else ""  # after the word `failed`
    return "".join(letters) + (f"{gap}{FAILED[0]}{len(entry.failed)}" if entry.failed else "")


def group(entry: Entry | None) -> str:
    """Return the group letters of an entry, or the ranks that it may have."""
    return entry.standing.mark if entry and entry.standing else ""


def interval(entry: Entry | None) -> str:
    """Return the 95 % interval of the mean of an entry."""
    return f"{score(entry.standing.low)} … {score(entry.standing.high)}" if entry and entry.standing else NONE


def legend(board: Board, groups: bool = True) -> list[str]:
    """Explain the marks used on the board; with `groups` also the letters or ranks after the scores."""
    entries = [entry for row in board.rows for entry in row.entries.values()]
    lines = []
    if groups and (first := next(filter(None, map(group, entries)), None)):
        lines.append(RANKS if first.startswith("#") else GROUPS)
    used = {flag for entry in entries for flag in entry.flags}
    meanings: dict[str, list[str]] = {}
    for flag, (letter, meaning) in FLAGS.items():
        if flag in used:
            meanings.setdefault(letter, []).append(meaning)
    lines += [f"{letter} {', or '.join(texts)}" for letter, texts in meanings.items()]
    return lines + failed_seeds(entries)


def failed_seeds(entries: Iterable[Entry]) -> list[str]:
    """Explain ✗N, if it is used."""
    failed = [entry for entry in entries if entry.failed]
    others = OTHERS if any(entry.mean is not None for entry in failed) else ""
    return [f"{FAILED[0]}N {FAILED[1]}{others}"] if failed else []


def troubles(board: Board) -> list[str]:
    """Return a line on each training that failed or fell short, with what to try; failed ones first.

    Rows of a task with the same kind of trouble share a line, with the text of the first row.
    """
    rows_by_sign: dict[tuple[bool, str, str, str], list[str]] = {}
    for column in board.columns:
        for row in board.rows:
            entry = row.entries.get(column.title)
            for sign in entry.trouble if entry else ():
                trouble = sign.trouble
                seeds = "" if len(sign.seeds) == len(entry.scores) else f" (seed {', '.join(map(str, sign.seeds))})"
                rows = rows_by_sign.setdefault((not trouble.failed, column.title, trouble.kind, trouble.cure), [])
                rows.append(row.title + seeds if rows else f"{row.title} on {column.title}{seeds}: {trouble.text}")
    return [
        first + (f"; likewise {', '.join(others)}" if others else "") + (f"; try {cure}" if cure else "")
        for (_, _, _, cure), (first, *others) in sorted(rows_by_sign.items(), key=lambda item: item[0][0])
    ]


def baselines_named(board: Board) -> list[str]:
    """Say which baseline each cell of the row `best baseline` shows, if there is such a row."""
    if not any(row.title == BEST_BASELINE for row in board.table_rows):
        return []
    names: dict[str, list[str]] = {}
    for column in board.columns:
        if column.hurdle:
            names.setdefault(column.hurdle.model, []).append(column.title)
    return [f"{BEST_BASELINE}: " + "; ".join(f"{model} on {', '.join(tasks)}" for model, tasks in names.items())]


def metric_texts(values: Sequence[float | None]) -> list[str]:
    """Format the values of a metric in the scale of its library: shares with three digits, points with two."""
    digits = 3 if all(abs(value) <= 1 for value in values if value is not None) else 2
    return [NONE if value is None else f"{value:.{digits}f}" for value in values]


def column_facts(column: BoardColumn) -> dict[str, str]:
    """Return the metric, data, rows and recipe of a task as text; facts that do not apply are empty."""
    revision = f", revision {column.revision}" if column.revision else ""
    available = column.train_rows_available
    return {
        "metric": f"{column.metric or NONE} (as a score of 0–100)",
        "data": f"{column.source or NONE}{revision}; version {column.version}, fingerprint {short_fingerprint(column.fingerprint)}",
        "rows": split_counts(column.rows),
        "splits": column.split_rule or "",
        "subset of": split_counts(column.rows_without_limit),
        "trained on": f"{column.rows['train']:,} of {available:,} training rows, others for each seed" if available else "",
        "test rows cut to fit": ", ".join(f"{model} {share:.1%}" for model, share in column.truncated.items()),
        "warnings about the data": "; ".join(column.warnings),
        "seeds": ", ".join(map(str, column.seeds)),
        "recipe": recipe(column.recipe),
        "search": search_sentence(column.searches),
        "metric settings": "; ".join(f"{name} {value}" for name, value in column.settings.items()),
    }


def split_counts(counts: Mapping[str, int] | None) -> str:
    """Format the number of rows of each split."""
    return ", ".join(f"{split} {rows:,}" for split, rows in (counts or {}).items())


def recipe(fields: Mapping[str, Iterable[tuple[Any, Sequence[str]]]]) -> str:
    """Format the fields of a recipe that have a value: `batch_size 32, learning_rate 3e-05 (bert) / 5e-05 (gpt2)`."""
    parts = []
    for name, values in fields.items():
        texts = [f"{value}" + (f" ({', '.join(owners)})" if owners else "") for value, owners in values]
        if any(value is not None for value, _ in values):
            parts.append(f"{name} {' / '.join(texts)}")
    return ", ".join(parts)


def environment(facts: Mapping[str, Any]) -> str:
    """Format an environment on one line: device, threads, precision, system, library versions."""
    device = facts.get("device_type") or "?"
    parts = [f"{facts['device']} ({device})" if facts.get("device") else device]
    parts += [f"{facts['threads']} thread{'s' if facts['threads'] != 1 else ''}"] if facts.get("threads") else []
    parts += [str(facts[name]) for name in ("precision", "system") if facts.get(name)]
    parts += [f"Python {facts['python']}"] if facts.get("python") else []
    return ", ".join(parts + [f"{name} {version}" for name, version in (facts.get("libraries") or {}).items()])


def short_fingerprint(fingerprint: str | None) -> str:
    """Return the first digits of a fingerprint."""
    return (fingerprint or NONE)[:SHORT]
