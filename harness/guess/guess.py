"""Guess a task from data files, for `family:path` as for `bench task new`.

Formats and columns are recognised by usual names, and by what the rows hold if the names say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.data.folder import by_split, entries, unused
from harness.data.place import placed
from harness.data.readers import GIVES, OF_TABLES, READERS
from harness.data.source import FileSource
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.guess.annotation_tools import check_folder, check_rows
from harness.guess.chosen_columns import Chosen, columns_of, original_name, rename_columns, resolve_columns
from harness.guess.outcome import Guess, Unread, no_format, same_names
from harness.guess.parallel_files import guess_parallel
from harness.guess.sniff import Sniffed, check_encodings, sniff
from harness.guess.which_files import (
    check_class_folders,
    check_split_column,
    find_files,
    of_one_format,
    other_splits,
    sift,
    task_name,
    training_file,
)
from harness.proposal import Proposal, find_columns, similar_columns
from harness.task import Task

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _Table:
    """Files read in one format; `where` is what errors call them."""

    name: str
    kind: Sniffed
    files: Mapping[str, list[str]]
    rows: Rows
    report: Mapping[str, Any]
    chosen: Chosen
    where: str

    @property
    def first_files(self) -> list[str]:
        """The files of the first split."""
        return next(iter(self.files.values()))


def guess(
    path: str,
    families: Sequence[TaskFamily],
    where: str,
    skipped: list[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[Guess]:
    """Return the task that each fitting family makes of files, the family that knows most columns by usual names first.

    Args:
        path: a file, folder, zip archive, pattern, or parallel files joined by `+`.
        families: to choose from. A single one needs to fit by the names of columns only.
        where: what errors call the files.
        skipped: gets a line for each file that is left out, and why. If it is None, file names that are not clear are an error.
        columns: those that the user has chosen, from `read_columns`.

    Raises:
        Unread: the files can be read, but no family fits.
        BenchError: files that are missing, cannot be read or have no clear splits, or columns that do not exist.
    """
    columns = columns or {}
    _check_chosen(columns, families, where)
    if guesses := guess_parallel(path, families, where, skipped):
        if columns:
            raise BenchError(f"{where}: --column is for tables; of files side by side the order says which column each is")
        return guesses
    valid = [format for format in READERS if any(_fits(family, format) for family in families)]
    root, paths, unused_names = _find(path, families, valid, where, skipped)
    first = training_file(paths)
    kinds = sniff(first)
    usable = [kind for kind in kinds if kind.format in valid]
    if not usable:
        raise no_format(first, [kind.format for kind in kinds], valid, families, where)
    error: BenchError | None = None
    unread: Unread | None = None
    doubtful: list[Guess] = []  # of families that fit by the names of columns only
    for kind in usable:
        check_encodings([first, *(path for path in paths if path != first)], kind.options.get("encoding"))
        try:
            files, rows, report, other_files = _read(kind, paths, where, sifting=skipped is not None)
        except BenchError as reading_error:
            error = reading_error
            continue
        check_rows(first, rows)
        chosen = resolve_columns(columns, rows[0], where)
        if skipped is None and list(files) == ["all"]:
            check_split_column(rows, first, where)
        table = _Table(task_name(root), kind, files, rows, report, chosen, where)
        guesses, partial = [], {}
        for family in families:
            if not set(chosen) <= set(columns_of(family)):
                continue
            try:
                result = _guess_of(family, table)
            except BenchError as family_error:
                error = family_error
                continue
            if isinstance(result, Guess):
                guesses.append(replace(result, unused=unused_names))
            else:
                partial[family.name] = result
        # Stable: among equals the first registered.
        guesses.sort(key=lambda guess: (-_usual_columns(guess, families), -len(guess.named)))
        if skipped is not None and guesses and not doubtful:
            skipped += other_files
        if likely := [guess for guess in guesses if guess.likely or len(families) == 1]:
            return likely
        doubtful = doubtful or guesses
        unread = unread or Unread(table.name, kind, files, rows, families, partial, where)
    if doubtful:
        return doubtful
    # An error of one of several families says nothing about the table.
    if unread is not None and (error is None or (len(families) > 1 and not columns)):
        raise unread
    raise error or BenchError(f"{where}: no format fits")


def _check_chosen(columns: Mapping[str, str], families: Sequence[TaskFamily], where: str) -> None:
    valid = dict.fromkeys(name for family in families for name in columns_of(family))
    for column in columns:
        if column not in valid:
            whose = f"family {families[0].name}" if len(families) == 1 else "any family"
            raise unknown(f"column of {whose}", column, valid, where=where)


def _find(
    path: str, families: Sequence[TaskFamily], valid: Sequence[str], where: str, skipped: list[str] | None
) -> tuple[Path, list[Path], list[str]]:
    """Return the file or folder that names the task, its files of one format, and the names of what is not read."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        if any("label" in family.columns for family in families):
            check_class_folders(folder, where)
        check_folder(folder, [entry.name for entry in entries(folder)])
    root, paths = find_files(path, where)
    paths = of_one_format(paths, valid, where, skipped)
    is_archive = root not in paths and root.suffix.lower() == ".zip"
    unused_names = unused(root, paths) if root.is_dir() or is_archive else []
    if skipped is None:
        by_split(paths, where)  # raises an error if names do not tell the splits
    else:
        known = {line.partition(": ")[0] for line in skipped}
        for name in unused_names:
            if name not in known:
                skipped.append(f"{name}: {'a folder beside the data' if name.endswith('/') else 'no data by its name'}")
        if len(paths) == 1 and (others := other_splits(paths[0])):
            skipped.append(others)
    return root, paths, unused_names


def _read(
    kind: Sniffed, paths: list[Path], where: str, sifting: bool
) -> tuple[dict[str, list[str]], Rows, dict[str, Any], list[str]]:
    """Read the first split: the files of all splits, its rows, the reader's report, and a line for each skipped file."""
    skipped: list[str] = []
    if sifting:
        paths, skipped = sift(paths, lambda path: _columns(kind, path))
    files = {split: list(map(str, of_split)) for split, of_split in by_split(paths, where).items()}
    report: dict[str, Any] = {}
    rows = kind.read(next(iter(files.values())), report)
    if kind.format in ("json", "jsonl"):
        rows = _with_all_columns(rows)
    return files, rows, report, skipped


def _with_all_columns(rows: Rows) -> Rows:
    """Give the first row all columns that any row has: JSON objects may lack some."""
    first = rows[0]
    missing = dict.fromkeys(name for row in rows if not row.keys() <= first.keys() for name in row if name not in first)
    return [placed({**first, **dict.fromkeys(missing)}, first), *rows[1:]] if missing else rows


def _columns(kind: Sniffed, path: Path) -> set[str] | None:
    try:
        return set(kind.read([str(path)], {})[0])
    except BenchError:
        return None


def _usual_columns(guess: Guess, families: Sequence[TaskFamily]) -> int:
    """Count the columns that have their own or a usual name."""
    family = next(family for family in families if family.name == guess.task.family)
    usual = find_columns(guess.rows[0], family.usual_names, family.columns)
    return sum(guess.named.get(column) == source for column, source in usual.items())


def _fits(family: TaskFamily, format: str) -> bool:
    return set(family.columns) <= set(GIVES.get(format, family.columns))


def _guess_of(family: TaskFamily, table: _Table) -> Guess | Proposal:
    """Return the family's guess, or a proposal without all columns if it does not fit."""
    if not _fits(family, table.kind.format):
        return Proposal({})
    chosen, rows, kind = table.chosen, table.rows, table.kind
    renamed = rename_columns(rows, chosen)
    if kind.format in GIVES:
        # What the reader has recognised itself, such as languages, holds for all splits.
        recognised = {column: table.report[column] for column in family.columns if isinstance(table.report.get(column), str)}
        kind = replace(kind, options={**kind.options, **recognised})
    elif special := _special_format(family, table, renamed):
        kind = special
        rows = renamed = kind.read(table.first_files, {})
    given = {column: kind.options[column] for column in family.columns if isinstance(kind.options.get(column), str)}
    proposal = family.recognise(renamed, given)
    if proposal is None:  # what names say, unless they name all columns and the family refuses the rows
        by_name = find_columns(renamed[0], family.usual_names, family.columns)
        proposal = Proposal(by_name if set(by_name) < set(family.columns) else {})
    if kind.format not in GIVES:
        columns = {column: original_name(source, chosen) for column, source in proposal.columns.items()} | dict(chosen)
    elif kind.format not in OF_TABLES and chosen:
        columns = {**{column: column for column in family.columns}, **chosen}
    else:
        columns = {}
    used = kind.options if kind.format in OF_TABLES else columns
    if lost := [column for column, source in chosen.items() if source not in used.values()]:
        raise BenchError(
            f"{table.where}: --column {lost[0]}={chosen[lost[0]]}: the format {kind.format} takes no such column from this file"
        )
    if not set(family.columns) <= {*proposal.columns, *columns}:
        return replace(proposal, columns=columns)
    source = FileSource(kind.format, table.files, kind.options)
    task = Task(table.name, family.name, source, columns=columns, options=proposal.options)
    named = given or columns or proposal.columns
    return Guess(
        task=task,
        rows=rows,
        named=named,
        likely=proposal.likely,
        remarks=table.kind.remarks,
        others=_other_columns(proposal, named, rows[0], chosen),
        undecided=[column for column in proposal.undecided if column not in chosen],
    )


def _special_format(family: TaskFamily, table: _Table, renamed: Rows) -> Sniffed | None:
    """Return the format `spans` or `tokens` with its options, if the table has the columns for it."""
    for format, (needs, options_of, _) in OF_TABLES.items():
        columns = find_columns(renamed[0], family.usual_names, needs) if _fits(family, format) else {}
        if set(needs) <= set(columns) and (options := options_of(renamed, columns)):
            options = {option: original_name(value, table.chosen) for option, value in options.items()}
            for option, source in options.items():
                if option not in table.chosen and (same := _twins(table.rows[0], source)):
                    raise same_names(option, source, same, table.rows, table.where)
            return Sniffed(format, {"table": table.kind.format, **options, **table.kind.options})
    return None


def _other_columns(
    proposal: Proposal, named: Mapping[str, Any], row: Mapping[str, Any], chosen: Chosen
) -> dict[str, list[str]]:
    """Return the columns that may be meant as well, those with names that look the same first."""
    others = {
        column: [original_name(source, chosen) for source in sources]
        for column, sources in proposal.others.items()
        if column not in chosen
    }
    for column, source in named.items():
        if column not in chosen and (same := _twins(row, source)):
            others[column] = [*same, *(name for name in others.get(column, ()) if name not in same)]
    return others


def _twins(row: Mapping[str, Any], source: Any) -> list[str]:
    return similar_columns(row, source) if isinstance(source, str) and source in row else []
