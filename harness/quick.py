"""The quick case `family:path`: a task from data files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.data.splits import SPLITS
from harness.family import TaskFamily
from harness.guess.guess import guess
from harness.guess.word import Guess
from harness.task import Task

# What is taken for what in formats that name no columns.
SAID = {
    "pairs": ["no header, source from column 0, target from column 1"],
    "labelled": ["label from the start of each line"],
}


def quick_task(family: TaskFamily, path: str) -> Task:
    """A task made of what a path means; see `harness.guess`. Its description says what was taken for what.

    Raises:
        BenchError: no such file, an unknown ending, no column with a usual name, or splits that names do not tell.
    """
    found = guess(path, [family], f"task {family.name}:{path}")[0]
    return replace(found.task, description=_description(found, family))


def _description(found: Guess, family: TaskFamily) -> str:
    source = found.task.source
    itself = all(ours == theirs for ours, theirs in found.named.items()) and not found.task.columns
    taken = SAID.get(
        source.format, [] if itself else [f"{ours} from {_said(theirs)}" for ours, theirs in found.named.items()]
    )
    hidden = ("table", *family.columns)
    taken = taken + [f"{name} {value!r}" for name, value in source.options.items() if name not in hidden]
    taken += [f"{option}: {value}" for option, value in found.task.options.items()]
    return "; ".join(filter(None, [source.describe(), ", ".join(taken), _how(source.files)]))


def _said(columns: str | list[str]) -> str:
    return repr(columns) if isinstance(columns, str) else " and ".join(map(repr, columns))


def _how(files: Mapping[str, object]) -> str:
    """How the splits come about."""
    if list(files) == ["all"]:
        return "split 60/20/20"
    missing = [split for split in SPLITS if split not in files]
    return f"{', '.join(files)} by names" + (f", {' and '.join(missing)} cut from train" if missing else "")
