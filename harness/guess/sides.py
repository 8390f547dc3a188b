"""Files side by side: line N of one belongs to line N of the others. `train.en+train.de`, or a folder of such files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.columns import bind
from harness.data.file_layer import is_file, read_text, reject_address
from harness.data.folder import by_split, endings, entries, formats
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.which_files import name_of, sift
from harness.guess.word import Guess
from harness.task import Task

LANGUAGE = re.compile(r"\.[a-z]{2,3}([-_][a-z]{2,4})?")  # what a file of one language ends in


def side_by_side(path: str, families: Sequence[TaskFamily], where: str, left: list[str] | None) -> list[Guess]:
    """Guesses as those of `harness.guess.guess.guess`; none where the path means something else."""
    if sides := joined(path, where):
        return _joined(sides, families, where)
    folder = Path(path).expanduser()
    by_code = by_language(folder)
    stems = {code: next(iter(files.values())) for code, files in by_code.items()}
    peek = {code: (read_text(file).split("\n", 1)[0]) for code, file in stems.items()}
    found = []
    for family in families if len(peek) > 1 else ():
        proposal = family.recognise([peek], {})
        columns = proposal.columns if proposal else {}
        if columns and set(map(str, columns.values())) <= set(by_code):
            found += _of_folder(folder, by_code, columns, family, where, left)
    return found


def _joined(sides: Sequence[Path], families: Sequence[TaskFamily], where: str) -> list[Guess]:
    fitting = [family for family in families if len(family.columns) == len(sides)]
    if not fitting:
        takes = " or ".join(f"{len(family.columns)}: {', '.join(family.columns)}" for family in families)
        raise BenchError(f"{where}: {len(sides)} files joined by +; it takes {takes}")
    codes = [(endings(side) or [""])[0].removeprefix(".") for side in sides]
    named = len(set(codes)) == len(codes) and all(codes)
    found = []
    for family in fitting:
        columns = dict(zip(family.columns, codes if named else family.columns, strict=True))
        files = {"all": {column: str(side) for column, side in zip(columns.values(), sides, strict=True)}}
        found += _read(name_of(sides[0]), files, columns, family)
    return [guess for guess in found if guess.likely] or found[:1]


def _of_folder(
    folder: Path, by_code: Mapping[str, Mapping[str, Path]], columns: Mapping[str, str], family: TaskFamily, where: str,
    left: list[str] | None,
) -> list[Guess]:  # fmt: skip
    first, *others = columns.values()
    shared = {file: stem for stem, file in by_code[first].items() if all(stem in by_code[code] for code in others)}
    if not shared:
        return []
    paths, out = (list(shared), []) if left is None else sift(list(shared), lambda path: "lines")
    if left is not None:
        left += out
    files = {
        split: {code: [str(by_code[code][shared[one]]) for one in ones] for code in columns.values()}
        for split, ones in by_split(paths, where).items()
    }
    return _read(name_of(folder), files, columns, family)


def _read(name: str, files: Mapping[str, Any], columns: Mapping[str, str], family: TaskFamily) -> list[Guess]:
    source = FileSource("lines", files)
    rows = next(iter(source.read().values()))
    proposal = family.recognise(bind(rows, columns), columns)
    if proposal is None:
        return []
    task = Task(name, family.name, source, columns=columns, options=proposal.options)
    return [Guess(task, rows, columns, proposal.likely)]


def joined(reference: str, where: str) -> list[Path]:
    """The files of `train.en+train.de`, the later ones in the first one's folder unless they name another; none of other paths.

    Raises:
        BenchError: one of them is missing.
    """
    if "+" not in reference or Path(reference).expanduser().exists():
        return []
    parts = [Path(part).expanduser() for part in reference.split("+")]
    sides = [parts[0], *(parts[0].parent / part if len(part.parts) == 1 else part for part in parts[1:])]
    for side in sides:
        if not is_file(side):
            reject_address(side)
            raise BenchError(f"{where}: {side}: no such file")
    return sides


def by_language(folder: Path) -> dict[str, dict[str, Path]]:
    """Language → stem → file, of a folder's files that end in one (`train.en`, `train.de`)."""
    found: dict[str, dict[str, Path]] = {}
    for path in entries(folder) if folder.is_dir() else ():
        last = (endings(path) or [""])[0]
        if LANGUAGE.fullmatch(last) and not formats(path) and path.is_file():
            found.setdefault(last[1:], {})[path.name[: path.name.lower().rindex(last)]] = path
    return found
