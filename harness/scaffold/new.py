"""`bench task new`: from an argument to the text of a task file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from harness import registry
from harness.check.report import Report, examine
from harness.data.file_layer import reject_address
from harness.data.folder import formats
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.files import write_text
from harness.finding import ERROR
from harness.guess import which_files as files
from harness.guess.chosen import read_columns
from harness.guess.guess import guess
from harness.guess.misfit import Unread
from harness.guess.word import Guess
from harness.planning.arguments import pairs
from harness.proposal import Proposal
from harness.safe_text import short
from harness.scaffold.write import task_text, template
from harness.task import Task
from harness.task_data import COLUMN_PLACEHOLDER, TaskData

MESSAGE = 300  # characters of an error that are shown


def is_data(argument: str) -> bool:
    """Whether an argument means data that are there, and not the name of a task to be filled in.

    Raises:
        BenchError: it looks like a path, but nothing is there.
    """
    if files.is_data(argument):
        return True
    reject_address(argument)
    if "/" in argument or formats(Path(argument)):
        raise BenchError(
            f"{argument}: no such file or folder; give data that are there, or a plain name for a template"
        )
    return False


def write_task_file(
    data: str, family: str | None, output: Path | None, columns: Mapping[str, Any] | Iterable[str], force: bool
) -> tuple[Path, str]:
    """Write a task file, from data that are there or as a template; the file, and what is left to do in it.

    Args:
        data: a file, folder, pattern, or a name.
        columns: those that the person has chosen, as `--column` has them, or ours → theirs.

    Raises:
        BenchError: no such data, several readings of them, or a file that is there already or cannot be written.
    """
    chosen = read_columns(pairs(columns, "+", "--column"))
    if is_data(data):
        text, path, todo = from_data(data, family, output, chosen)
    elif chosen:
        raise BenchError(f"--column is for data that are there; {data} is a name, for a template")
    else:
        text, path, todo = from_name(data, family, output)
    if path.suffix not in (".yaml", ".yml"):
        raise BenchError(f"--output {path}: a task file ends in .yaml")
    if path.exists() and not force:
        raise BenchError(f"{path} is there already; name another --output, or say --force to overwrite it")
    if not path.absolute().parent.is_dir():
        raise BenchError(f"--output {path}: no such folder; make it first")
    write_text(path, text)
    return path, todo


class Written(NamedTuple):
    """A task file.

    Attributes:
        text: of the file.
        path: where it goes.
        open: what is left for the person to fill in or to decide; empty: nothing.
    """

    text: str
    path: Path
    open: str = ""


def from_data(
    path: str, family: str | None, output: Path | None, columns: Mapping[str, str] | None = None
) -> Written:
    """A task file for what a path means, `NAME.yaml` in the current folder by default.

    Of a table in which no family finds its columns it lists the columns, for the person to fill in which is which.

    Args:
        columns: those that the person has chosen: the family's → the data's.

    Raises:
        BenchError: data that cannot be read.
    """
    left: list[str] = []
    families = [registry.family(family)] if family else list(registry.families().values())
    try:
        best, *others = guess(path, families, path, left, columns)
    except Unread as table:
        return _unfinished(table, families, left, output)
    output = output or Path(f"{best.task.name}.yaml")
    chosen = registry.family(best.task.family)
    best, report, data = _labelled(best, chosen, left)
    classes = data is not None and chosen.stratum(data.splits["train"][0]) is not None
    text = task_text(best, chosen, [other.task.family for other in others], left, report, classes, output)
    doubts = [f"{len(best.others[column]) + 1} columns may be the {column}: choose one there" for column in best.undecided]
    if errors := report.of(ERROR):
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        doubts.append(f"mend what is wrong with the data: {short(errors[0].message, MESSAGE)}{more}")
    return Written(text, output, "; ".join(doubts))


def _labelled(best: Guess, family: TaskFamily, left: list[str]) -> tuple[Guess, Report, TaskData | None]:
    """The guess without the splits that have no labels, and what a check says of it; `left` gets a line for each of them."""
    while True:
        report, data = examine(best.task, family)
        files = dict(best.task.source.files)
        without = next(
            (
                split
                for split in ("test", "validation")
                for finding in report.of(ERROR)
                if split in files and re.search(rf"\b{split}\b.* has no (label|tag|target|answer)s", finding.message)
            ),
            None,
        )
        if without is None:
            return best, report, data
        left += [f"{Path(str(name)).name}: has no labels" for name in files.pop(without)]
        if list(files) == ["train"]:
            files = {"all": files["train"]}
        best = replace(best, task=replace(best.task, source=replace(best.task.source, files=files)))


def _unfinished(
    table: Unread, families: Sequence[TaskFamily], left: Sequence[str], output: Path | None
) -> Written:  # fmt: skip
    """The file for a table that was not understood: of the family that lacks the fewest columns."""
    def lacking(family: TaskFamily) -> list[str]:
        partial = table.partial.get(family.name)
        return [column for column in family.columns if partial is None or column not in partial.columns]

    chosen = min(families, key=lambda family: len(lacking(family)))
    partial = table.partial.get(chosen.name) or Proposal({})
    columns = {**partial.columns, **dict.fromkeys(lacking(chosen), COLUMN_PLACEHOLDER)}
    task = Task(table.name, chosen.name, FileSource(table.kind.format, table.files, table.kind.options), columns=columns)
    best = Guess(task, list(table.rows), columns, remarks=table.kind.remarks, others=partial.others)
    output = output or Path(f"{table.name}.yaml")
    others = [family.name for family in families if family is not chosen]
    text = task_text(best, chosen, others, left, Report(task.title, chosen.name, ""), False, output)
    return Written(text, output, f"no column looks like the {' or the '.join(lacking(chosen))}: fill in {COLUMN_PLACEHOLDER} there")


def from_name(name: str, family: str | None, output: Path | None) -> Written:
    """A template with every key."""
    families = registry.families()
    chosen = registry.family(family) if family else next(iter(families.values()))
    return Written(template(name, chosen, families), output or Path(f"{name}.yaml"))
