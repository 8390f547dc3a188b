"""The quick case `family:path`: a task from data files alone."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.compressed import ENDINGS as COMPRESSED
from harness.data.compressed import split_member
from harness.data.files import is_file
from harness.data.folder import by_split, endings, files_in
from harness.data.source import FileSource
from harness.data.splits import SPLITS
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess import GIVES, columns_of, format_of, spans_of, usual
from harness.task import Task

TABLES = ("csv", "tsv", "json", "jsonl", "parquet", "arrow")
Splits = Mapping[str, Any]


def quick_task(family: TaskFamily, path: str) -> Task:
    """A task made of a file, a folder or a pattern (splits told by the files' names), or of two files `train.en+train.de`.

    Formats are told by endings, columns by their usual names; a single file is split 60/20/20. The task's description says
    what was taken for what.

    Raises:
        BenchError: no such file, an unknown ending, no column with a usual name, or files of several formats.
    """
    reference = f"{family.name}:{path}"
    parallel = _parallel(family, path, reference)
    if parallel:
        name, splits, columns = parallel
        source = FileSource("lines", splits)
        return _task(family, name, source, columns, next(iter(source.read().values())), columns)
    place, splits = _files(family, path, reference)
    first = next(iter(splits.values()))[0]
    format = format_of(family, first, reference)
    columns: dict[str, str] = {}
    options: dict[str, Any] = {}
    report: dict[str, Any] = {}
    rows = FileSource(format, {"all": str(first)}).read(report)["all"]
    if format in TABLES:
        answering = set(family.columns) <= GIVES["spans"]
        needed = _without_answers(family) if answering else family
        columns = columns_of(needed, rows[0], reference, format, first.name)
        spans = spans_of(family, rows, columns) if answering else None
        if spans:
            format, options, columns = "spans", {"table": format, **spans}, {}
        elif answering:
            columns = columns_of(family, rows[0], reference, format, first.name)
    elif format == "tmx":
        options = {side: report["all"][side] for side in GIVES["tmx"]}
    source = FileSource(format, {split: [str(one) for one in files] for split, files in splits.items()}, options)
    named = columns | {name: options[name] for name in family.columns if isinstance(options.get(name), str)}
    return _task(family, _name(place), source, columns, rows, named)


def _task(
    family: TaskFamily,
    name: str,
    source: FileSource,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    named: Mapping[str, str],
) -> Task:
    """The task, its options guessed and its description made.

    Args:
        columns: our columns → the file's, where the reader does not know ours.
        rows: some of the source's, as it gives them.
        named: our columns → what the file calls them, for the description.
    """
    options = family.guess_options(rows[:100], named)
    taken = [f"{ours} from {theirs!r}" for ours, theirs in named.items()]
    taken += [
        f"{option} {value!r}"
        for option, value in source.options.items()
        if option not in named and option not in ("table", *family.columns)
    ]
    taken += [f"{option}: {value}" for option, value in options.items()]
    said = f"{source.describe()}; {', '.join(taken)}" if taken else source.describe()
    return Task(name, family.name, source, columns=columns, options=options, description=f"{said}; {_how(source)}")


def _how(source: FileSource) -> str:
    """How the splits come about."""
    if list(source.files) == ["all"]:
        return "split 60/20/20"
    missing = [split for split in SPLITS if split not in source.files]
    return f"{', '.join(source.files)} by names" + (f", {' and '.join(missing)} cut from train" if missing else "")


def _files(family: TaskFamily, path: str, reference: str) -> tuple[Path, Splits]:
    """What to call the task by, and split -> files."""
    file = Path(path).expanduser()
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
        raise BenchError(f"task {reference}: a folder without data files of a known ending; there is {names}")
    names = ", ".join(f"{files[0].name} ({name})" for name, files in by_format.items())
    raise BenchError(
        f"task {reference}: files of several formats, {names}; name a file, or a pattern such as '{reference}/*.csv'"
    )


def _parallel(family: TaskFamily, path: str, reference: str) -> tuple[str, Splits, dict[str, str]] | None:
    """A task's name, split -> {column: file} and our columns -> those; None where the path is no line-parallel text."""
    if not set(family.columns) <= GIVES["lines"]:
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
            _name(sides[0]),
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
    return _name(file.resolve()), files, columns


def _name(path: Path) -> str:
    """A task's name: that of its file without ending, or of its folder."""
    name = Path(split_member(path)[1] or path).name
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem = name if path.is_dir() else Path(name).stem
    return re.sub(r"[^\w.-]+", "-", stem).strip("-") or "data"


def _without_answers(family: TaskFamily) -> TaskFamily:
    """The family with the columns of a question only: where the answer is may be written in many ways."""
    from copy import copy

    part = copy(family)
    part.columns = {name: what for name, what in family.columns.items() if name != "answers"}
    return part
