"""Guess a task from parallel files, of which line N belongs together: `train.en+train.de`, or a folder of such files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.columns import bind
from harness.data.file_layer import is_file, read_text, reject_address
from harness.data.folder import by_split, endings, entries, formats
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.outcome import Guess
from harness.guess.which_files import sift, task_name
from harness.task import Task

LANGUAGE_ENDING = re.compile(r"\.[a-z]{2,3}([-_][a-z]{2,4})?")


def guess_parallel(path: str, families: Sequence[TaskFamily], where: str, skipped: list[str] | None) -> list[Guess]:
    """Guess a task as `harness.guess.guess.guess` does; return nothing for other paths."""
    if sides := _joined_files(path, where):
        return _guess_joined(sides, families, where)
    folder = Path(path).expanduser()
    by_language = _by_language(folder)
    if len(by_language) < 2:
        return []
    first_row = {language: read_text(next(iter(files.values()))).split("\n", 1)[0] for language, files in by_language.items()}
    guesses = []
    for family in families:
        proposal = family.recognise([first_row], {})
        columns = proposal.columns if proposal else {}
        if not columns or not set(map(str, columns.values())) <= set(by_language):
            continue
        if files := _splits(by_language, list(columns.values()), where, skipped):
            guesses += _read(task_name(folder), files, columns, family)
    return guesses


def _joined_files(reference: str, where: str) -> list[Path]:
    """List the files of `train.en+train.de`, later ones in the first one's folder unless they name another; none of other paths.

    Raises:
        BenchError: one of them is missing.
    """
    if "+" not in reference or Path(reference).expanduser().exists():
        return []
    first, *others = (Path(part).expanduser() for part in reference.split("+"))
    files = [first, *(first.parent / other if len(other.parts) == 1 else other for other in others)]
    for file in files:
        if not is_file(file):
            reject_address(file)
            raise BenchError(f"{where}: {file}: no such file")
    return files


def _guess_joined(files: Sequence[Path], families: Sequence[TaskFamily], where: str) -> list[Guess]:
    fitting = [family for family in families if len(family.columns) == len(files)]
    if not fitting:
        valid = " or ".join(f"{len(family.columns)}: {', '.join(family.columns)}" for family in families)
        raise BenchError(f"{where}: {len(files)} files joined by +; it takes {valid}")
    languages = [(endings(file) or [""])[0].removeprefix(".") for file in files]
    named = len(set(languages)) == len(languages) and all(languages)
    guesses = []
    for family in fitting:
        columns = dict(zip(family.columns, languages if named else family.columns, strict=True))
        sources = {"all": dict(zip(columns.values(), map(str, files), strict=True))}
        guesses += _read(task_name(files[0]), sources, columns, family)
    return [guess for guess in guesses if guess.likely] or guesses[:1]


def _by_language(folder: Path) -> dict[str, dict[str, Path]]:
    """Group the files of a folder that end in a language (`train.en`, `train.de`): language → stem → file."""
    by_language: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in entries(folder) if folder.is_dir() else ():
        ending = (endings(path) or [""])[0]
        if LANGUAGE_ENDING.fullmatch(ending) and not formats(path) and path.is_file():
            by_language[ending[1:]][path.name[: path.name.lower().rindex(ending)]] = path
    return by_language


def _splits(
    by_language: Mapping[str, Mapping[str, Path]], languages: Sequence[str], where: str, skipped: list[str] | None
) -> dict[str, dict[str, list[str]]]:
    """Find the files that exist in all languages: split → language → files."""
    first, *others = languages
    stems = {file: stem for stem, file in by_language[first].items() if all(stem in by_language[other] for other in others)}
    if not stems:
        return {}
    paths = list(stems)
    if skipped is not None:
        paths, reasons = sift(paths, lambda path: "lines")
        skipped += reasons
    return {
        split: {language: [str(by_language[language][stems[file]]) for file in files] for language in languages}
        for split, files in by_split(paths, where).items()
    }


def _read(name: str, files: Mapping[str, Any], columns: Mapping[str, str], family: TaskFamily) -> list[Guess]:
    source = FileSource("lines", files)
    rows = next(iter(source.read().values()))
    proposal = family.recognise(bind(rows, columns), columns)
    if proposal is None:
        return []
    task = Task(name, family.name, source, columns=columns, options=proposal.options)
    return [Guess(task, rows, columns, proposal.likely)]
