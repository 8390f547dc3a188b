"""Find the data files that a reference means: a file, a folder, a zip archive or a pattern."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from harness.column_profiles import name_words
from harness.data.compressed import ENDINGS as COMPRESSED
from harness.data.compressed import split_member
from harness.data.file_layer import is_file, reject_address
from harness.data.folder import class_folders, entries, files_in, formats, matching, members_of, series, split_of
from harness.data.splits import ALIASES, SPLITS
from harness.errors import BenchError
from harness.guess.sniff import sniff
from harness.proposal import similar_columns

MAX_NAMES = 1000  # of a folder, among which the nearest is looked for
SPLIT_WORDS = {"split", "set", "subset", "partition", "usage"}  # in the names of columns that hold a row's split
TRUTH_VALUES = {"true", "false", "1", "0", "1.0", "0.0", "yes", "no"}
LONG_NAMES = {"training": "train", "testing": "test"}  # of splits, in columns
SPLIT_NAMES = {*SPLITS, *ALIASES, *LONG_NAMES}
GENERIC = (*SPLITS, *ALIASES, "data", "all", "dataset")  # file names that say nothing about the task


def is_data(reference: str) -> bool:
    """Whether a reference means files that exist."""
    path = Path(reference).expanduser()
    return path.exists() or any(map(is_file, reference.split("+"))) or bool(matching(path))


def find_files(reference: str, where: str) -> tuple[Path, list[Path]]:
    """Return the file or folder that names the task, and its data files.

    Raises:
        BenchError: no such file, or a folder without data.
    """
    reject_address(reference)
    path = Path(reference).expanduser()
    if is_file(path) and not (path.suffix.lower() == ".zip" and not formats(path)):
        return path, [path]
    if is_file(path) or path.is_dir():
        members = members_of(path) if path.is_file() else files_in(path)
        files = [file for file in members if formats(file)]
        if not files:
            names = ", ".join(file.name for file in members[:5]) or "nothing in it, nor in its folders"
            raise BenchError(
                f"{where}: no data files of a known ending in it; there is {names}; name the files or their folder"
            )
        return path, files
    files = matching(path)
    if not files:
        raise no_such_file(path, where)
    return files[0].parent if len(files) > 1 else files[0], files


def no_such_file(file: Path, where: str) -> BenchError:
    """Make the error for a file that does not exist, with the nearest name in its folder."""
    if not file.parent.is_dir():
        return BenchError(f"{where}: no such file; there is no folder {file.parent}")
    names = [entry.name for entry in islice(file.parent.iterdir(), MAX_NAMES)]
    near = get_close_matches(file.name, names, n=1, cutoff=0.6)
    return BenchError(f"{where}: no such file" + (f"; did you mean {file.with_name(near[0])}?" if near else ""))


def check_class_folders(folder: Path, where: str) -> None:
    """Raise a `BenchError` if folders are named by labels, which would be lost; it has a command that makes tables of them."""
    classes = class_folders(folder)
    files = files_in(folder) if classes else []
    if not classes or (any(map(formats, files)) and [kind.format for kind in sniff(files[0])] == ["conll"]):
        return
    names = ", ".join(path.name for path in classes[:5]) + (f" and {len(classes) - 5} more" if len(classes) > 5 else "")
    parent = classes[0].parent
    siblings = entries(parent.parent) if parent != folder else []
    splits = [path for path in siblings if path.is_dir() and split_of(Path(path.name))]
    if parent in splits:
        tables = [(f"{split.name}.csv", f"{split}/*/*") for split in splits]
    else:
        tables = [("data.csv", f"{parent}/*/*")]
    code = (
        'import csv,glob,pathlib as p; [csv.writer(open(o,"w",newline="",encoding="utf-8")).writerows([("text","label"),'
        '*((p.Path(f).read_text(encoding="utf-8"),p.Path(f).parent.name) for f in sorted(glob.glob(g)))]) for o,g in '
        f"{json.dumps(tables, ensure_ascii=False)}]"
    )
    raise BenchError(
        f"{where}: the folders {names} look like classes, with a text in each file, which is not read; make a table of them, into "
        f"a folder of its own: python -c {shlex.quote(code)}"
    )


def check_split_column(rows: Sequence[Mapping[str, Any]], file: Path, where: str) -> None:
    """Raise a `BenchError` if a column holds each row's split: the rows would be split anew."""
    for column in (name for name in rows[0] if isinstance(name, str)):
        words = name_words(column)
        is_flag = words[:1] == ("is",) and len(words) == 2 and words[1] in SPLIT_NAMES  # is_test
        if not is_flag and not set(words) & SPLIT_WORDS:
            continue
        counts = Counter("" if row.get(column) is None else str(row[column]).strip().lower() for row in rows)
        if is_flag:
            marks_splits = set(counts) <= TRUTH_VALUES
        else:
            marks_splits = set(counts) <= SPLIT_NAMES and bool({"train", "training"} & set(counts))
        if len(counts) > 1 and marks_splits:
            values = ", ".join(f"{value} {count:,}" for value, count in counts.most_common())
            raise BenchError(
                f"{where}: the column {column!r} says of which split a row is ({values}), which is not read; write a file for each, such as "
                f"train{file.suffix} and test{file.suffix}, and give their folder; or, to split the rows anew, write a task file: bench task new {file}"
            )


def of_one_format(paths: Sequence[Path], valid: Sequence[str], where: str, skipped: list[str] | None) -> list[Path]:
    """Return the files of the format that has most splits; `skipped` is as for `harness.guess.guess.guess`.

    Raises:
        BenchError: files of several valid formats, and `skipped` is None.
    """
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        if kinds := tuple(kind for kind in formats(path) if kind in valid):
            groups.setdefault(kinds, []).append(path)
    if len(groups) < 2:
        return next(iter(groups.values()), list(paths))
    if skipped is None:
        names = ", ".join(f"{files[0].name} ({kinds[0]})" for kinds, files in groups.items())
        raise BenchError(
            f"{where}: files of several formats, {names}; name a file, or a pattern such as '*.csv'; or write all splits in one format"
        )

    def rank(files: list[Path]) -> tuple[bool, int]:
        splits = [split for path in files if (split := split_of(path))]
        return "train" in splits, len(splits)

    best = max(groups.values(), key=rank)
    skipped += [f"{path.name}: of another format" for files in groups.values() if files is not best for path in files]
    return best


def training_file(paths: Sequence[Path]) -> Path:
    """Return the first file that may hold training rows."""
    return next((path for path in paths if split_of(path) == "train"), paths[0])


def sift(paths: Sequence[Path], columns_of: Callable[[Path], Collection[Any] | None]) -> tuple[list[Path], list[str]]:
    """Choose the files with the columns of the first training file: one file of each split, or its shards.

    A file of a split that cannot be read is kept, so that reading it reports why.

    Args:
        columns_of: returns the columns of a file, or None if it cannot be read.

    Returns:
        The chosen files, and a line for each of the others.
    """
    named = any(map(split_of, paths))
    first = training_file(paths)
    expected = columns_of(first)
    if expected is None:
        return list(paths), []
    skipped: list[str] = []
    by_split: dict[str | None, list[Path]] = {}
    for path in paths:
        split, columns = split_of(path), expected if path == first else columns_of(path)
        files = by_split.setdefault(split, [])
        if named and split is None:
            skipped.append(f"{path.name}: its name tells no split")
        elif columns is None and split is None:
            skipped.append(f"{path.name}: cannot be read as {first.name} is")
        elif columns is not None and not set(expected) <= set(columns) and not (split and _same_names(expected, columns)):
            skipped.append(f"{path.name}: other columns than {first.name}")
        elif named and files and series(files[0]) != series(path):
            skipped.append(f"{path.name}: {files[0].name} is taken for {split}")
        else:
            files.append(path)
    return [path for files in by_split.values() for path in files], skipped


def _same_names(expected: Collection[Any], columns: Collection[Any]) -> bool:
    """Whether two files have as many columns, whose names differ in case and the like only, or all of them.

    All differ if a file lacks its header, which reading it reports.
    """
    if len(expected) != len(columns):
        return False
    return not set(expected) & set(columns) or all(name in columns or similar_columns(columns, name) for name in expected)


def other_splits(path: Path) -> str:
    """Name the other splits beside a file that is one of several; empty for other files."""
    others = [file.name for file in files_in(path.parent) if file.name != path.name and split_of(file) and formats(file)]
    return f"{', '.join(others)} beside it; give the folder to use them as splits" if split_of(path) and others else ""


def task_name(path: Path) -> str:
    """Name a task after its file, or after the folder if the file's name only says the split."""
    inside = Path(split_member(path)[1] or path)
    name = inside.resolve().name if path.is_dir() else inside.name
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem = name if path.is_dir() else Path(name).stem
    folder = path.resolve().parent.name
    if not path.is_dir() and stem.lower() in GENERIC and folder.lower() not in GENERIC and inside == path:
        stem = folder
    return re.sub(r"[^\w.-]+", "-", stem).lstrip(".").strip("-") or "data"
