"""Make a task of `family:path`, from data files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.column_profiles import profile_columns, quote
from harness.data.splits import SPLITS
from harness.family import TaskFamily
from harness.guess.chosen_columns import columns_of
from harness.guess.guess import guess
from harness.guess.outcome import Guess, column_option, undecided_column
from harness.proposal import column_value
from harness.task import Task

MAX_OTHERS = 3  # other columns that may be meant
MAX_UNUSED = 5  # names of files that are not read
FIXED_COLUMNS = {  # of formats without names of columns
    "pairs": ["no header, source from column 0, target from column 1"],
    "labelled": ["label from the start of each line"],
}


def quick_task(family: TaskFamily, path: str, columns: Mapping[str, str] | None = None) -> Task:
    """Guess the task that a path means; see `harness.guess`. Its description says how the data are read.

    Args:
        columns: those that the user has chosen: the family's → the data's.

    Raises:
        BenchError: no such file, an unknown ending, no column or several equally good ones for one of the family's, or file
            names that do not tell the splits.
    """
    where = f"task {family.name}:{path}"
    best = guess(path, [family], where, columns=columns)[0]
    if best.undecided:
        raise undecided_column(best, where)
    valid = columns_of(family)
    chosen = {column: source for column, source in (columns or {}).items() if column in valid}
    return replace(best.task, description=_description(best, family), reference=f"{family.name}:{path}", chosen=chosen)


def _description(guess: Guess, family: TaskFamily) -> str:
    source = guess.task.source
    parts = [
        source.describe(),
        ", ".join([*_columns(guess), *_options(guess, family)]),
        _splits(source.files),
        _unused(guess),
        *_other_columns(guess),
    ]
    return "; ".join(filter(None, parts))


def _columns(guess: Guess) -> list[str]:
    if guess.task.source.format in FIXED_COLUMNS:
        return FIXED_COLUMNS[guess.task.source.format]
    if not guess.task.columns and all(column == source for column, source in guess.named.items()):
        return []
    return [f"{column} from {' and '.join(map(repr, _as_list(source)))}" for column, source in guess.named.items()]


def _options(guess: Guess, family: TaskFamily) -> list[str]:
    options = []
    for name, value in guess.task.source.options.items():
        if name not in ("table", *family.columns):
            reason = f" ({guess.remarks[name]})" if name == "encoding" and name in guess.remarks else ""
            options.append(f"{name} {value!r}{reason}")
    return options + [f"{name}: {value}" for name, value in guess.task.options.items()]


def _splits(files: Mapping[str, object]) -> str:
    if list(files) == ["all"]:
        return "split 60/20/20"
    missing = [split for split in SPLITS if split not in files]
    return f"{', '.join(files)} by names" + (f", {' and '.join(missing)} cut from train" if missing else "")


def _unused(guess: Guess) -> str:
    more = f" and {len(guess.unused) - MAX_UNUSED} more" if len(guess.unused) > MAX_UNUSED else ""
    return f"not read: {', '.join(guess.unused[:MAX_UNUSED])}{more}" if guess.unused else ""


def _other_columns(guess: Guess) -> list[str]:
    """Describe other columns that may be meant: the first row as it is read, the columns, and how to choose one."""
    looks = profile_columns(guess.rows)
    lines = []
    for column, names in guess.others.items():
        shown = ", ".join(f"{name!r} ({looks[name]})" for name in names[:MAX_OTHERS])
        more = f" and {len(names) - MAX_OTHERS} more" if len(names) > MAX_OTHERS else ""
        lines.append(f"{column} could also be {shown}{more}: {column_option(column, names[0], guess.rows[0])}")
    if not lines:
        return []
    row = guess.rows[0]
    values = {column: " ".join(str(column_value(row, name)) for name in _as_list(source)) for column, source in guess.named.items()}
    return [f"row 1: {', '.join(f'{column} {quote(value)}' for column, value in values.items())}", *lines]


def _as_list(columns: Any) -> list[str]:
    return [columns] if isinstance(columns, str) else columns
