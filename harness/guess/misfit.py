"""Errors where no family fits: what is there, what would do, and what to write instead."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.column_profiles import describe_columns, profile_columns
from harness.data.folder import ENDINGS
from harness.data.folder import endings as endings_of
from harness.data.readers import READERS
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.sniff import Sniffed
from harness.guess.word import Guess
from harness.proposal import Proposal

SHEETS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
MOST = 8  # columns that a question names


def no_format(
    file: Path, kinds: Sequence[str], valid: Sequence[str], families: Sequence[TaskFamily], where: str
) -> BenchError:
    """A file of no format that would do.

    Args:
        kinds: the formats that it may have.
        valid: those that would do.
    """
    if file.suffix.lower() in SHEETS:
        return BenchError(f"{where}: {file.suffix} is not read; save it as CSV or .xlsx")
    if endings_of(file)[:1] == [".tar"] or file.suffix.lower() in (".tgz", ".tbz2", ".txz"):
        return BenchError(f"{where}: a tar archive, which is not read; unpack it and give its folder, or make a zip archive")
    columns = "; nor ".join(" or ".join(family.columns) for family in families)
    why = f"stands for {', '.join(kinds)}, where there is no {columns}" if kinds else "is unknown"
    endings = ", ".join(ending for ending, formats in ENDINGS.items() if set(formats) & set(valid))
    return BenchError(
        f"{where}: the ending {file.suffix!r} {why}; valid: {endings}; for another one write a task file "
        f"(bench task new) with data: {{format: FORMAT, files: {file.name}}}, FORMAT being one of {', '.join(READERS)}"
    )


class Unread(BenchError):
    """A table that can be read, in which no family finds all its columns.

    Attributes:
        name: of the task that it would be.
        kind: its format.
        files: split → files.
        rows: of the training split (or of all).
        partial: family → what it makes of the table all the same.
    """

    def __init__(
        self, name: str, kind: Sniffed, files: Mapping[str, list[str]], rows: Sequence[Mapping[str, Any]],
        families: Sequence[TaskFamily], partial: Mapping[str, Proposal], where: str,
    ):  # fmt: skip
        self.name, self.kind, self.files, self.rows, self.partial = name, kind, files, rows, partial
        (family, *others) = families
        found = partial.get(family.name, Proposal({})).columns
        lacking = [column for column in family.columns if column not in found]
        what = " or ".join(f"the {column} ({family.columns[column]})" for column in lacking)
        looks = describe_columns(profile_columns(rows).values())
        cure = " ".join(f"--column {column}=NAME" for column in lacking)
        inside = [f"{name}.{field}" for name, value in rows[0].items() if isinstance(value, Mapping) for field in value]
        cure += f" (inside of an object: {', '.join(inside[:MOST])})" if inside else ""
        super().__init__(
            f"{where}: no column fits {'any family' if others else family.name}; there are: {looks}"
            if others
            else f"{where}: no column looks like {what}; there are: {looks}; say which one it is: {cure}"
            f"; or fill in a task file: bench task new {files_of(files)} --family {family.name}"
        )


def files_of(files: Mapping[str, Sequence[str]]) -> str:
    """The first data file, as a command line writes it."""
    return shlex.quote(str(next(iter(files.values()))[0]))


def doubled(column: str, taken: str, others: Sequence[str], rows: Sequence[Mapping[str, Any]], where: str) -> BenchError:
    """The question which of several columns is meant whose names a person takes for the same."""
    looks = profile_columns(rows)
    shown = ", ".join(f"{name!r} ({looks[name]})" for name in (taken, *others))
    return BenchError(
        f"{where}: {1 + len(others)} columns may be the {column}, by names that look the same: {shown}; say which one it is: "
        f"--column {shlex.quote(f'{column}={typed(taken, rows[0])}')}"
    )


def typed(name: str, row: Mapping[str, Any]) -> str:
    """A column as a person can type it: its name, or its index where the name holds what cannot be seen."""
    return name if repr(name)[1:-1] == name else str(list(map(str, row)).index(name))


def undecided(guess: Guess, where: str) -> BenchError:
    """The question which of several columns is meant."""
    column = guess.undecided[0]
    taken = guess.named[column]
    names = [taken, *guess.others.get(column, ())]
    shown = ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
    looks = profile_columns(guess.rows)[taken]
    return BenchError(
        f"{where}: {len(names)} columns may be the {column}: {shown} ({taken}: {looks}); say which one it is: "
        f"--column {shlex.quote(f'{column}={typed(taken, guess.rows[0])}')}"
    )
