"""From data files to a task: the one way of guessing, for the quick case `family:path` as for `bench task new`.

Formats and columns are told by names that are usual, and by what rows hold where names say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data.folder import by_split, entries, unused
from harness.data.place import placed
from harness.data.readers import GIVES, OF_TABLES, READERS
from harness.data.source import FileSource
from harness.errors import BenchError, unknown
from harness.family import TaskFamily
from harness.guess.chosen import Chosen, columns_of, in_table, original, renamed
from harness.guess.foreign import check_folder, check_rows
from harness.guess.misfit import Unread, doubled, no_format
from harness.guess.sides import side_by_side
from harness.guess.sniff import Sniffed, check_encodings, sniff
from harness.guess.which_files import (
    check_classes,
    check_split_column,
    find,
    name_of,
    of_one_format,
    other_splits,
    sift,
    training,
)
from harness.guess.word import Guess
from harness.proposal import Proposal, find_columns, similar_columns
from harness.task import Task

Rows = list[dict[str, Any]]
Files = Mapping[str, list[str]]


def guess(
    path: str, families: Sequence[TaskFamily], where: str, left: list[str] | None = None, columns: Mapping[str, str] | None = None
) -> list[Guess]:
    """What each family that fits makes of files, the one that knows the most columns by usual names first.

    Args:
        path: a file, folder, zip archive, pattern, or files side by side.
        families: those to choose from. A single one needs to fit by the names of columns only.
        where: what errors call it.
        left: is filled with a line for each file that is left out, and why; None: where the names of files are not clear, an
            error asks.
        columns: those that the person has chosen, as `harness.guess.chosen.read_columns` gives them.

    Raises:
        Unread: files that can be read, but no family fits.
        BenchError: files that are missing, cannot be read or have no clear splits, or columns that are not there.
    """
    for name in columns or ():
        if not any(name in columns_of(family) for family in families):
            whose = f"family {families[0].name}" if len(families) == 1 else "any family"
            valid = dict.fromkeys(one for family in families for one in columns_of(family))
            raise unknown(f"column of {whose}", name, valid, where=where)
    if sides := side_by_side(path, families, where, left):
        if columns:
            raise BenchError(f"{where}: --column is for tables; of files side by side the order says which column each is")
        return sides
    valid = [kind for kind in READERS if any(_fits(family, kind) for family in families)]
    folder = Path(path).expanduser()
    if folder.is_dir() and any("label" in family.columns for family in families):
        check_classes(folder, where)
    if folder.is_dir():
        check_folder(folder, [one.name for one in entries(folder)])
    place, paths = find(path, where)
    paths = of_one_format(paths, valid, where, left)
    rest = unused(place, paths) if place.is_dir() or (place not in paths and place.suffix.lower() == ".zip") else []
    if left is not None:
        known = {one.partition(": ")[0] for one in left}
        left += [f"{name}: {'a folder beside the data' if name.endswith('/') else 'no data by its name'}" for name in rest if name not in known]
    if left is None:
        by_split(paths, where)
    elif len(paths) == 1 and (more := other_splits(paths[0])):
        left.append(more)
    first = training(paths)
    kinds = sniff(first)
    usable = [kind for kind in kinds if kind.format in valid]
    if not usable:
        raise no_format(first, [kind.format for kind in kinds], valid, families, where)
    wrong: BenchError | None = None
    unread: Unread | None = None
    doubtful: list[Guess] = []  # by the names of columns only
    for kind in usable:
        check_encodings([first, *(path for path in paths if path != first)], kind.options.get("encoding"))
        try:
            kept, out = (paths, []) if left is None else sift(paths, lambda one, kind=kind: _columns(kind, one))
            files = {split: list(map(str, ones)) for split, ones in by_split(kept, where).items()}
            rows = kind.read(next(iter(files.values())), report := {})
            rows = _all_columns(rows) if kind.format in ("json", "jsonl") else rows
        except BenchError as error:
            wrong = error
            continue
        check_rows(first, rows)
        chosen = in_table(columns or {}, rows[0], where)
        if left is None and list(files) == ["all"]:
            check_split_column(rows, first, where)
        found, partial = [], {}
        for family in families:
            if not set(chosen) <= set(columns_of(family)):
                continue
            try:
                one = _way(name_of(place), family, kind, files, rows, report, chosen, where)
            except BenchError as error:
                wrong = error
                continue
            if isinstance(one, Guess):
                found.append(replace(one, unused=rest))
            else:
                partial[family.name] = one
        # Stable: among equals the first registered.
        found.sort(key=lambda one: (-_usual(one, families), -len(one.named)))
        likely = [one for one in found if one.likely or len(families) == 1]
        if left is not None and found and not doubtful:
            left += out
        if likely:
            return likely
        doubtful = doubtful or found
        unread = unread or Unread(name_of(place), kind, files, rows, families, partial, where)
    if doubtful:
        return doubtful
    # Of several families the fault of one is none of the table.
    if unread is not None and (wrong is None or (len(families) > 1 and not columns)):
        raise unread
    raise wrong or BenchError(f"{where}: no format fits")


def _all_columns(rows: Rows) -> Rows:
    """The rows, of which the first has all columns that any has: objects of JSON may lack some."""
    first = rows[0]
    lacking = dict.fromkeys(name for row in rows if not row.keys() <= first.keys() for name in row if name not in first)
    return [placed({**first, **dict.fromkeys(lacking)}, first), *rows[1:]] if lacking else rows


def _usual(guess: Guess, families: Sequence[TaskFamily]) -> int:
    """How many columns have their own or a usual name."""
    family = next(family for family in families if family.name == guess.task.family)
    usual = find_columns(guess.rows[0], family.usual_names, family.columns)
    return sum(guess.named.get(name) == theirs for name, theirs in usual.items())


def _fits(family: TaskFamily, format: str) -> bool:
    return set(family.columns) <= set(GIVES.get(format, family.columns))


def _columns(kind: Sniffed, path: Path) -> set[str] | None:
    try:
        return set(kind.read([str(path)], {})[0])
    except BenchError:
        return None


def _way(
    name: str, family: TaskFamily, kind: Sniffed, files: Files, rows: Rows, report: Mapping[str, Any], chosen: Chosen, where: str
) -> Guess | Proposal:  # fmt: skip
    """How a family reads files of a format; a proposal that lacks columns where it cannot."""
    format, options = kind.format, dict(kind.options)
    if not _fits(family, format):
        return Proposal({})
    named = renamed(rows, chosen)
    if format in GIVES:  # what a reader has told itself, such as languages, is kept for all splits
        options |= {column: report[column] for column in family.columns if isinstance(report.get(column), str)}
    for other, (needs, options_of, _) in OF_TABLES.items() if format not in GIVES else ():
        columns = find_columns(named[0], family.usual_names, needs) if _fits(family, other) else {}
        if set(needs) <= set(columns) and (told := options_of(named, columns)):
            told = {option: original(value, chosen) for option, value in told.items()}
            for option, theirs in told.items():
                if option not in chosen and isinstance(theirs, str) and theirs in rows[0] and (same := similar_columns(rows[0], theirs)):
                    raise doubled(option, theirs, same, rows, where)
            format, options = other, {"table": kind.format, **told, **options}
            rows = Sniffed(format, options).read(next(iter(files.values())), {})
            named = rows
            break
    given = {column: options[column] for column in family.columns if isinstance(options.get(column), str)}
    proposal = family.recognise(named, given)
    if proposal is None:  # what its names say, unless that is all and was refused
        by_name = find_columns(named[0], family.usual_names, family.columns)
        proposal = Proposal(by_name if set(by_name) < set(family.columns) else {})
    columns = {ours: original(theirs, chosen) for ours, theirs in proposal.columns.items()}
    if format in GIVES and format in OF_TABLES:
        columns, used = {}, options
    elif format in GIVES:
        columns = {**{column: column for column in family.columns}, **chosen} if chosen else {}
        used = columns
    else:
        columns = used = {**columns, **chosen}
    if lost := [ours for ours, theirs in chosen.items() if theirs not in used.values()]:
        raise BenchError(f"{where}: --column {lost[0]}={chosen[lost[0]]}: the format {format} takes no such column from this file")
    if not set(family.columns) <= {*proposal.columns, *columns}:
        return replace(proposal, columns=columns)
    source = FileSource(format, files, options)
    task = Task(name, family.name, source, columns=columns, options=proposal.options)
    free = {ours: [original(one, chosen) for one in some] for ours, some in proposal.others.items() if ours not in chosen}
    undecided = [ours for ours in proposal.undecided if ours not in chosen]
    named_so = given or columns or proposal.columns
    for ours, theirs in named_so.items():
        if ours not in chosen and isinstance(theirs, str) and theirs in rows[0] and (same := similar_columns(rows[0], theirs)):
            free[ours] = [*same, *(name for name in free.get(ours, ()) if name not in same)]
    return Guess(task, rows, named_so, proposal.likely, kind.remarks, free, undecided)
