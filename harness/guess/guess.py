"""From data files to a task: the one way of guessing, for the quick case `family:path` as for `bench task new`.

Formats and columns are told by names that are usual, and by what rows hold where names say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.folder import by_split
from harness.data.readers import GIVES, OF_TABLES, READERS
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.files import beside, find, name_of, of_one_format, sift, training
from harness.guess.misfit import no_columns, no_format
from harness.guess.sides import side_by_side
from harness.guess.sniff import Sniffed, sniff
from harness.guess.word import Guess
from harness.proposal import find_columns
from harness.task import Task

Rows = list[dict[str, Any]]
Files = Mapping[str, list[str]]


def guess(path: str, families: Sequence[TaskFamily], where: str, left: list[str] | None = None) -> list[Guess]:
    """What each family that fits makes of files, the one that knows the most columns first.

    Args:
        path: a file, folder, zip archive, pattern, or files side by side.
        families: those to choose from. A single one needs to fit by the names of columns only.
        where: what errors call it.
        left: is filled with a line for each file that is left out, and why; None: where the names of files are not clear, an
            error asks.

    Raises:
        BenchError: files that are missing, cannot be read or have no clear splits, or that no family fits.
    """
    if sides := side_by_side(path, families, where, left):
        return sides
    valid = [kind for kind in READERS if any(_fits(family, kind) for family in families)]
    place, paths = find(path, where)
    paths = of_one_format(paths, valid, where, left)
    if left is None:
        by_split(paths, where)
    elif len(paths) == 1 and (more := beside(paths[0])):
        left.append(more)
    first = training(paths)
    kinds = sniff(first)
    usable = [kind for kind in kinds if kind.format in valid]
    if not usable:
        raise no_format(first, [kind.format for kind in kinds], valid, families, where)
    wrong: BenchError | None = None
    doubtful: list[Guess] = []  # by the names of columns only
    for kind in usable:
        try:
            kept, out = (paths, []) if left is None else sift(paths, lambda one, kind=kind: _columns(kind, one))
            files = {split: list(map(str, ones)) for split, ones in by_split(kept, where).items()}
            rows = kind.read(next(iter(files.values())), report := {})
        except BenchError as error:
            wrong = error
            continue
        found = []
        for family in families:
            try:
                found += _ways(name_of(place), family, kind, files, rows, report)
            except BenchError as error:
                wrong = error
        found.sort(key=lambda one: -len(one.named))  # stable: among equals the first registered
        likely = [one for one in found if one.likely or len(families) == 1]
        if left is not None and found and not doubtful:
            left += out
        if likely:
            return likely
        doubtful = doubtful or found
    if doubtful:
        return doubtful
    raise wrong or no_columns(rows[0], usable[0].format, first, families, where)


def _fits(family: TaskFamily, format: str) -> bool:
    return set(family.columns) <= set(GIVES.get(format, family.columns))


def _columns(kind: Sniffed, path: Path) -> set[str] | None:
    try:
        return set(kind.read([str(path)], {})[0])
    except BenchError:
        return None


def _ways(
    name: str, family: TaskFamily, kind: Sniffed, files: Files, rows: Rows, report: Mapping[str, Any]
) -> Iterator[Guess]:
    """The way in which a family can read files of a format, if there is one."""
    format, options = kind.format, dict(kind.options)
    if not _fits(family, format):
        return
    if format in GIVES:  # what a reader has told itself, such as languages, is kept for all splits
        options |= {column: report[column] for column in family.columns if isinstance(report.get(column), str)}
    for other, (needs, options_of) in OF_TABLES.items() if format not in GIVES else ():
        columns = find_columns(rows[0], family.usual_names, needs) if _fits(family, other) else {}
        if set(needs) <= set(columns) and (told := options_of(rows, columns)):
            format, options = other, {"table": kind.format, **told, **options}
            rows = Sniffed(format, options).read(next(iter(files.values())), {})
            break
    given = {column: options[column] for column in family.columns if isinstance(options.get(column), str)}
    proposal = family.recognise(rows, given)
    if proposal is not None:
        columns = {} if format in GIVES else proposal.columns
        source = FileSource(format, files, options)
        task = Task(name, family.name, source, columns=columns, options=proposal.options)
        yield Guess(task, rows, given or proposal.columns, proposal.likely, kind.remarks)
