"""The outcome of a guess: a task, or an error that names what is there, what is valid, and what to write instead."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.column_profiles import describe_columns, profile_columns
from harness.data.folder import ENDINGS
from harness.data.folder import endings as endings_of
from harness.data.readers import READERS
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.sniff import Sniffed
from harness.proposal import Proposal
from harness.task import Task

SPREADSHEETS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
TAR_ARCHIVES = (".tgz", ".tbz2", ".txz")
MAX_COLUMNS = 8  # columns in a question


@dataclass(frozen=True)
class Guess:
    """A task that a family makes of some data.

    Attributes:
        task: with its source, columns (none if the reader gives the family's own) and options.
        rows: of the training split (or of all), as the source gives them.
        named: the family's columns → the data's, languages included.
        likely: whether the data speak for the family; see `harness.proposal.Proposal`.
        remarks: option of the format → why it was set.
        unused: names of files and folders beside the data that are not read.
        others, undecided: columns that may be meant as well; see `harness.proposal.Proposal`.
    """

    task: Task
    rows: list[dict[str, Any]]
    named: Mapping[str, Any]
    likely: bool = True
    remarks: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undecided: Sequence[str] = ()
    unused: Sequence[str] = ()


class Unread(BenchError):
    """A table that can be read, but in which no family finds all its columns.

    Attributes:
        name: of the task that it would be.
        kind: its format.
        files: split → files.
        rows: of the training split (or of all).
        partial: family → the columns that it finds.
    """

    def __init__(
        self,
        name: str,
        kind: Sniffed,
        files: Mapping[str, list[str]],
        rows: Sequence[Mapping[str, Any]],
        families: Sequence[TaskFamily],
        partial: Mapping[str, Proposal],
        where: str,
    ):
        self.name, self.kind, self.files, self.rows, self.partial = name, kind, files, rows, partial
        there = f"there are: {describe_columns(profile_columns(rows).values())}"
        if len(families) > 1:
            super().__init__(f"{where}: no column fits any family; {there}")
            return
        (family,) = families
        proposal = partial.get(family.name, Proposal({}))
        missing = [column for column in family.columns if column not in proposal.columns]
        what = " or ".join(f"the {column} ({family.columns[column]})" for column in missing)
        option = " ".join(f"--column {column}=NAME" for column in missing)
        inside = [f"{name}.{field}" for name, value in rows[0].items() if isinstance(value, Mapping) for field in value]
        option += f" (inside of an object: {', '.join(inside[:MAX_COLUMNS])})" if inside else ""
        first_file = shlex.quote(next(iter(files.values()))[0])
        super().__init__(
            f"{where}: no column looks like {what}; {there}; say which one it is: {option}"
            f"; or fill in a task file: bench task new {first_file} --family {family.name}"
        )


def no_format(
    file: Path, kinds: Sequence[str], valid: Sequence[str], families: Sequence[TaskFamily], where: str
) -> BenchError:
    """Make the error for a file in none of the valid formats; `kinds` are those that it may have."""
    if file.suffix.lower() in SPREADSHEETS:
        return BenchError(f"{where}: {file.suffix} is not read; save it as CSV or .xlsx")
    if endings_of(file)[:1] == [".tar"] or file.suffix.lower() in TAR_ARCHIVES:
        return BenchError(f"{where}: a tar archive, which is not read; unpack it and give its folder, or make a zip archive")
    columns = "; nor ".join(" or ".join(family.columns) for family in families)
    why = f"stands for {', '.join(kinds)}, where there is no {columns}" if kinds else "is unknown"
    endings = ", ".join(ending for ending, formats in ENDINGS.items() if set(formats) & set(valid))
    return BenchError(
        f"{where}: the ending {file.suffix!r} {why}; valid: {endings}; for another one write a task file "
        f"(bench task new) with data: {{format: FORMAT, files: {file.name}}}, FORMAT being one of {', '.join(READERS)}"
    )


def same_names(column: str, source: str, others: Sequence[str], rows: Sequence[Mapping[str, Any]], where: str) -> BenchError:
    """Make the error that asks which of several columns is meant whose names look the same."""
    looks = profile_columns(rows)
    shown = ", ".join(f"{name!r} ({looks[name]})" for name in (source, *others))
    return BenchError(
        f"{where}: {1 + len(others)} columns may be the {column}, by names that look the same: {shown}; say which one it is: "
        f"{column_option(column, source, rows[0])}"
    )


def undecided_column(guess: Guess, where: str) -> BenchError:
    """Make the error that asks which of several columns is meant."""
    column = guess.undecided[0]
    source = guess.named[column]
    names = [source, *guess.others.get(column, ())]
    more = f" and {len(names) - MAX_COLUMNS} more" if len(names) > MAX_COLUMNS else ""
    return BenchError(
        f"{where}: {len(names)} columns may be the {column}: {', '.join(names[:MAX_COLUMNS])}{more} "
        f"({source}: {profile_columns(guess.rows)[source]}); say which one it is: {column_option(column, source, guess.rows[0])}"
    )


def column_option(column: str, source: str, row: Mapping[str, Any]) -> str:
    """Write the option that chooses a column: by name, or by index if the name has characters that cannot be typed."""
    typeable = source if repr(source)[1:-1] == source else str(list(map(str, row)).index(source))
    return f"--column {shlex.quote(f'{column}={typeable}')}"
