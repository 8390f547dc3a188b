"""Which files a quick reference means: a file, a folder, a zip archive, a pattern, or two files joined by `+`."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.data.compressed import ENDINGS as COMPRESSED
from harness.data.compressed import split_member
from harness.data.files import is_file
from harness.data.folder import by_split, endings, files_in, formats, members_of
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess import GIVES, format_of, usual

Splits = Mapping[str, Any]


def files_of(family: TaskFamily, path: str, reference: str) -> tuple[Path, Splits]:
    """The file or folder that names the task, and split -> files.

    Raises:
        BenchError: no such file, files of several formats, or two for one split.
    """
    file = Path(path).expanduser()
    if file.is_file() and file.suffix.lower() == ".zip" and not formats(file):
        return file, by_split(_of_one_format(family, members_of(file), reference), f"task {reference}")
    if is_file(file):
        return file, {"all": [file]}
    if file.is_dir():
        return file.resolve(), by_split(_of_one_format(family, files_in(file), reference), f"task {reference}")
    found = [one for one in map(Path, sorted(glob.glob(str(file), recursive=True))) if one.is_file()]
    if not found:
        raise BenchError(f"task {reference}: no such file")
    return found[0].parent.resolve() if len(found) > 1 else found[0], by_split(found, f"task {reference}")


def _of_one_format(family: TaskFamily, there: list[Path], reference: str) -> list[Path]:
    by_format: dict[str, list[Path]] = {}
    for one in there:
        try:
            by_format.setdefault(format_of(family, one, reference), []).append(one)
        except BenchError:
            continue  # an ending of no data
    if len(by_format) == 1:
        return next(iter(by_format.values()))
    if not by_format:
        names = ", ".join(one.name for one in there[:5]) or "nothing"
        raise BenchError(f"task {reference}: no data files of a known ending in it; there is {names}")
    names = ", ".join(f"{files[0].name} ({name})" for name, files in by_format.items())
    raise BenchError(
        f"task {reference}: files of several formats, {names}; name a file, or a pattern such as '{reference}/*.csv'"
    )


def parallel_files(family: TaskFamily, path: str, reference: str) -> tuple[str, Splits, dict[str, str]] | None:
    """Line-parallel text: `train.en+train.de`, or a folder of files whose endings are languages.

    Returns:
        A task's name, split -> {column: file}, and our columns -> those; None where the path means something else.
    """
    if set(family.columns) != GIVES["lines"]:
        return None
    names = list(family.columns)
    file = Path(path).expanduser()
    if "+" in path and not file.exists():
        parts = [Path(part).expanduser() for part in path.split("+")]
        sides = [parts[0], *(parts[0].parent / part if len(part.parts) == 1 else part for part in parts[1:])]
        if len(sides) != len(names):
            raise BenchError(
                f"task {reference}: {len(sides)} files joined by +; it takes {len(names)}: {', '.join(names)}"
            )
        for side in sides:
            if not is_file(side):
                raise BenchError(f"task {reference}: {side}: no such file")
        codes = [(endings(side) or [""])[0].removeprefix(".") for side in sides]
        named = len(set(codes)) == len(codes) and all(codes)
        columns = dict(zip(names, codes if named else names, strict=True))
        return (
            name_of(sides[0]),
            {"all": {columns[name]: str(side) for name, side in zip(names, sides, strict=True)}},
            columns,
        )
    if not file.is_dir():
        return None
    there = {one.name: one for one in sorted(file.iterdir()) if one.is_file()}
    by_code: dict[str, dict[str, Path]] = {}
    for one in there.values():
        for code in endings(one)[:1]:
            by_code.setdefault(code.removeprefix("."), {})[one.name.partition(code)[0]] = one
    columns = {name: next((code for code in usual(family, name) if code in by_code), "") for name in names}
    if not all(columns.values()):
        return None
    shared = set.intersection(*(set(by_code[code]) for code in columns.values()))
    first = [by_code[columns[names[0]]][stem] for stem in sorted(shared)]
    if not first:
        return None
    splits = by_split(first, f"task {reference}")
    stems = {one: stem for stem, one in by_code[columns[names[0]]].items()}
    files = {
        split: {code: [str(by_code[code][stems[one]]) for one in ones] for code in columns.values()}
        for split, ones in splits.items()
    }
    return name_of(file.resolve()), files, columns


def name_of(path: Path) -> str:
    """A task's name: that of its file without ending, or of its folder."""
    name = Path(split_member(path)[1] or path).name
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem = name if path.is_dir() else Path(name).stem
    return re.sub(r"[^\w.-]+", "-", stem).strip("-") or "data"
