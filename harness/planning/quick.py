"""The quick case `family:path`: a task from data files alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.column_profiles import profile_columns, quote
from harness.data.splits import SPLITS
from harness.family import TaskFamily
from harness.guess.chosen import columns_of
from harness.guess.guess import guess
from harness.guess.misfit import typed, undecided
from harness.guess.word import Guess
from harness.proposal import column_value
from harness.task import Task

SHOWN = 3  # columns that may be meant as well
MOST = 5  # names of files that are not read
# What is taken for what in formats that name no columns.
SAID = {
    "pairs": ["no header, source from column 0, target from column 1"],
    "labelled": ["label from the start of each line"],
}


def quick_task(family: TaskFamily, path: str, columns: Mapping[str, str] | None = None) -> Task:
    """A task made of what a path means; see `harness.guess`. Its description says what was taken for what.

    Args:
        columns: those that the person has chosen: the family's → the data's.

    Raises:
        BenchError: no such file, an unknown ending, no column or several equally good ones for one of the family's, or splits
            that names do not tell.
    """
    where = f"task {family.name}:{path}"
    found = guess(path, [family], where, columns=columns)[0]
    if found.undecided:
        raise undecided(found, where)
    chosen = {ours: theirs for ours, theirs in (columns or {}).items() if ours in columns_of(family)}
    return replace(found.task, description=_description(found, family), reference=f"{family.name}:{path}", chosen=chosen)


def _description(found: Guess, family: TaskFamily) -> str:
    source = found.task.source
    itself = all(ours == theirs for ours, theirs in found.named.items()) and not found.task.columns
    taken = SAID.get(
        source.format, [] if itself else [f"{ours} from {_said(theirs)}" for ours, theirs in found.named.items()]
    )
    hidden = ("table", *family.columns)
    taken = taken + [
        f"{name} {value!r}" + (f" ({found.remarks[name]})" if name == "encoding" and name in found.remarks else "")
        for name, value in source.options.items()
        if name not in hidden
    ]
    taken += [f"{option}: {value}" for option, value in found.task.options.items()]
    return "; ".join(
        filter(None, [source.describe(), ", ".join(taken), _how(source.files), _left(found), *_alternatives(found)])
    )


def _left(found: Guess) -> str:
    """Files and folders beside the data that are not read."""
    more = f" and {len(found.unused) - MOST} more" if len(found.unused) > MOST else ""
    return f"not read: {', '.join(found.unused[:MOST])}{more}" if found.unused else ""


def _alternatives(found: Guess) -> list[str]:
    """Where other columns may be meant: the first row as it was taken, the others, and how to choose one."""
    looks = profile_columns(found.rows)
    told = []
    for ours, names in found.others.items():
        shown = ", ".join(f"{name!r} ({looks[name]})" for name in names[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        told.append(f"{ours} could also be {shown}{more}: --column {shlex.quote(f'{ours}={typed(names[0], found.rows[0])}')}")
    if not told:
        return []
    sample = ", ".join(f"{ours} {quote(_value(found.rows[0], theirs))}" for ours, theirs in found.named.items())
    return [f"row 1: {sample}", *told]


def _value(row: Mapping[str, Any], columns: str | list[str]) -> str:
    return " ".join(str(column_value(row, one)) for one in ([columns] if isinstance(columns, str) else columns))


def _said(columns: str | list[str]) -> str:
    return repr(columns) if isinstance(columns, str) else " and ".join(map(repr, columns))


def _how(files: Mapping[str, object]) -> str:
    """How the splits come about."""
    if list(files) == ["all"]:
        return "split 60/20/20"
    missing = [split for split in SPLITS if split not in files]
    return f"{', '.join(files)} by names" + (f", {' and '.join(missing)} cut from train" if missing else "")
