"""`bench task new`: write a task file, from data that exist or as a template."""

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
from harness.guess.chosen_columns import read_columns
from harness.guess.guess import guess
from harness.guess.outcome import Guess, Unread
from harness.guess.which_files import is_data
from harness.planning.arguments import pairs
from harness.proposal import Proposal
from harness.safe_text import short
from harness.scaffold.write import task_text, template
from harness.task import Task
from harness.task_data import COLUMN_PLACEHOLDER, TaskData

MAX_MESSAGE = 300  # characters of an error
NO_LABELS = r"\b{}\b.* has no (label|tag|target|answer)s"  # the error of a split without labels


class TaskFile(NamedTuple):
    """The text of a task file, where to write it, and what the user has to fill in or decide; empty: nothing."""

    text: str
    path: Path
    todo: str = ""


def write_task_file(
    data: str, family: str | None, output: Path | None, columns: Mapping[str, Any] | Iterable[str], force: bool
) -> tuple[Path, str]:
    """Write a task file; return its path, and what is left to do in it.

    Args:
        data: a file, folder or pattern; or a name, for a template.
        columns: those that the user has chosen, as `--column` options or as the family's column → the data's.

    Raises:
        BenchError: no such data, several readings of them, or a file that exists already or cannot be written.
    """
    chosen = read_columns(pairs(columns, "+", "--column"))
    if is_data(data):
        file = from_data(data, family, output, chosen)
    else:
        reject_address(data)
        if "/" in data or formats(Path(data)):
            raise BenchError(
                f"{data}: no such file or folder; give data that are there, or a plain name for a template"
            )
        if chosen:
            raise BenchError(f"--column is for data that are there; {data} is a name, for a template")
        families = registry.families()
        template_family = registry.family(family) if family else next(iter(families.values()))
        file = TaskFile(template(data, template_family, families), output or Path(f"{data}.yaml"))
    path = file.path
    if path.suffix not in (".yaml", ".yml"):
        raise BenchError(f"--output {path}: a task file ends in .yaml")
    if path.exists() and not force:
        raise BenchError(f"{path} is there already; name another --output, or say --force to overwrite it")
    if not path.absolute().parent.is_dir():
        raise BenchError(f"--output {path}: no such folder; make it first")
    write_text(path, file.text)
    return path, file.todo


def from_data(
    path: str, family: str | None, output: Path | None, columns: Mapping[str, str] | None = None
) -> TaskFile:
    """Make a task file for data, by default `NAME.yaml` in the current folder.

    If no family finds its columns in a table, the file lists the table's columns for the user to fill in.

    Args:
        columns: those that the user has chosen: the family's → the data's.

    Raises:
        BenchError: the data cannot be read.
    """
    skipped: list[str] = []
    families = [registry.family(family)] if family else list(registry.families().values())
    try:
        best, *others = guess(path, families, path, skipped, columns)
    except Unread as table:
        return _unfinished(table, families, skipped, output)
    output = output or Path(f"{best.task.name}.yaml")
    chosen = registry.family(best.task.family)
    best, report, data = _without_unlabelled_splits(best, chosen, skipped)
    classes = data is not None and chosen.stratum(data.splits["train"][0]) is not None
    text = task_text(best, chosen, [other.task.family for other in others], skipped, report, classes, output)
    todo = [f"{len(best.others[column]) + 1} columns may be the {column}: choose one there" for column in best.undecided]
    if errors := report.of(ERROR):
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        todo.append(f"mend what is wrong with the data: {short(errors[0].message, MAX_MESSAGE)}{more}")
    return TaskFile(text, output, "; ".join(todo))


def _without_unlabelled_splits(
    guess: Guess, family: TaskFamily, skipped: list[str]
) -> tuple[Guess, Report, TaskData | None]:
    """Check the task, and leave out splits without labels; `skipped` gets a line for each of their files."""
    while True:
        report, data = examine(guess.task, family)
        files = dict(guess.task.source.files)
        errors = [finding.message for finding in report.of(ERROR)]
        for split in ("test", "validation"):
            if split in files and any(re.search(NO_LABELS.format(split), message) for message in errors):
                break
        else:
            return guess, report, data
        skipped += [f"{Path(str(name)).name}: has no labels" for name in files.pop(split)]
        if list(files) == ["train"]:
            files = {"all": files["train"]}
        guess = replace(guess, task=replace(guess.task, source=replace(guess.task.source, files=files)))


def _unfinished(
    table: Unread, families: Sequence[TaskFamily], skipped: Sequence[str], output: Path | None
) -> TaskFile:
    """Make the file for a table that no family can read, for the family that misses the fewest columns."""

    def missing(family: TaskFamily) -> list[str]:
        proposal = table.partial.get(family.name)
        return [column for column in family.columns if proposal is None or column not in proposal.columns]

    chosen = min(families, key=lambda family: len(missing(family)))
    proposal = table.partial.get(chosen.name) or Proposal({})
    columns = {**proposal.columns, **dict.fromkeys(missing(chosen), COLUMN_PLACEHOLDER)}
    source = FileSource(table.kind.format, table.files, table.kind.options)
    task = Task(table.name, chosen.name, source, columns=columns)
    guess = Guess(task, list(table.rows), columns, remarks=table.kind.remarks, others=proposal.others)
    output = output or Path(f"{table.name}.yaml")
    others = [family.name for family in families if family is not chosen]
    text = task_text(guess, chosen, others, skipped, Report(task.title, chosen.name, ""), False, output)
    todo = f"no column looks like the {' or the '.join(missing(chosen))}: fill in {COLUMN_PLACEHOLDER} there"
    return TaskFile(text, output, todo)
