"""Which files a reference means: a file, a folder, a zip archive or a pattern."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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

NEAR = 1000  # names among which the nearest is looked for
SPLIT_COLUMN = {"split", "set", "subset", "partition", "usage"}  # words of the names of such columns
TRUTH = {"true", "false", "1", "0", "1.0", "0.0", "yes", "no"}
SAID = {"training": "train", "testing": "test"}  # what else they call splits
GENERIC = (*SPLITS, *ALIASES, "data", "all", "dataset")  # names of files that do not say of which task


def is_data(reference: str) -> bool:
    """Whether files are meant and there: not so for a mere name."""
    path = Path(reference).expanduser()
    return path.exists() or any(map(is_file, reference.split("+"))) or bool(matching(path))


def find(reference: str, where: str) -> tuple[Path, list[Path]]:
    """The file or folder that names the task, and the data files that are meant.

    Raises:
        BenchError: no such file, or a folder without data.
    """
    reject_address(reference)
    file = Path(reference).expanduser()
    if is_file(file) and not (file.suffix.lower() == ".zip" and not formats(file)):
        return file, [file]
    if is_file(file) or file.is_dir():
        there = members_of(file) if file.is_file() else files_in(file)
        found = [one for one in there if formats(one)]
        if not found:
            names = ", ".join(one.name for one in there[:5]) or "nothing in it, nor in its folders"
            raise BenchError(
                f"{where}: no data files of a known ending in it; there is {names}; name the files or their folder"
            )
        return file, found
    found = matching(file)
    if not found:
        raise no_such_file(file, where)
    return found[0].parent if len(found) > 1 else found[0], found


def no_such_file(file: Path, where: str) -> BenchError:
    """The error for a file that is not there, with the nearest name in its folder."""
    if not file.parent.is_dir():
        return BenchError(f"{where}: no such file; there is no folder {file.parent}")
    names = [one.name for one in islice(file.parent.iterdir(), NEAR)]
    near = get_close_matches(file.name, names, n=1, cutoff=0.6)
    return BenchError(f"{where}: no such file" + (f"; did you mean {file.with_name(near[0])}?" if near else ""))


def check_classes(folder: Path, where: str) -> None:
    """Make sure that no label stands in the names of folders alone: it would be lost.

    Raises:
        BenchError: folders side by side hold a text in each of their files, which are no columns of tokens.
    """
    classes = class_folders(folder)
    if not classes or (
        any(map(formats, files_in(folder))) and [kind.format for kind in sniff(files_in(folder)[0])] == ["conll"]
    ):
        return
    names = ", ".join(one.name for one in classes[:5]) + (f" and {len(classes) - 5} more" if len(classes) > 5 else "")
    parent = classes[0].parent
    parts = (
        [one for one in entries(parent.parent) if one.is_dir() and split_of(Path(one.name))] if parent != folder else []
    )
    made = [
        (f"{one.name}.csv" if one in parts else "data.csv", f"{one}/*/*")
        for one in (parts if parent in parts else [parent])
    ]
    code = (
        'import csv,glob,pathlib as p; [csv.writer(open(o,"w",newline="",encoding="utf-8")).writerows([("text","label"),'
        '*((p.Path(f).read_text(encoding="utf-8"),p.Path(f).parent.name) for f in sorted(glob.glob(g)))]) for o,g in '
        f"{json.dumps(made, ensure_ascii=False)}]"
    )
    raise BenchError(
        f"{where}: the folders {names} look like classes, with a text in each file, which is not read; make a table of them, into "
        f"a folder of its own: python -c {shlex.quote(code)}"
    )


def check_split_column(rows: Sequence[Mapping[str, Any]], file: Path, where: str) -> None:
    """Make sure that no column says which rows are for training and which for the test: they would be split anew.

    Raises:
        BenchError: one does.
    """
    for column in (name for name in rows[0] if isinstance(name, str)):
        words = name_words(column)
        marks = words[:1] == ("is",) and len(words) == 2 and words[1] in {*SPLITS, *ALIASES, *SAID}  # is_test
        if not marks and not set(words) & SPLIT_COLUMN:
            continue
        counts = Counter("" if row.get(column) is None else str(row[column]).strip().lower() for row in rows)
        named = "train" in {SAID.get(value, value) for value in counts} and set(counts) <= {*SPLITS, *ALIASES, *SAID}
        if len(counts) > 1 and (set(counts) <= TRUTH if marks else named):
            said = ", ".join(f"{value} {count:,}" for value, count in counts.most_common())
            raise BenchError(
                f"{where}: the column {column!r} says of which split a row is ({said}), which is not read; write a file for each, such as "
                f"train{file.suffix} and test{file.suffix}, and give their folder; or, to split the rows anew, write a task file: bench task new {file}"
            )


def of_one_format(paths: Sequence[Path], valid: Sequence[str], where: str, left: list[str] | None) -> list[Path]:
    """Those of a format that can be used; `left` as for `harness.guess.guess.guess`.

    Raises:
        BenchError: files of several such formats.
    """
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        if kinds := tuple(kind for kind in formats(path) if kind in valid):
            groups.setdefault(kinds, []).append(path)
    if len(groups) < 2:
        return next(iter(groups.values()), list(paths))
    if left is None:
        names = ", ".join(f"{files[0].name} ({kinds[0]})" for kinds, files in groups.items())
        raise BenchError(
            f"{where}: files of several formats, {names}; name a file, or a pattern such as '*.csv'; or write all splits in one format"
        )
    most = max(groups.values(), key=lambda files: (any(split_of(path) == "train" for path in files), sum(split_of(path) is not None for path in files)))
    left += [f"{path.name}: of another format" for files in groups.values() if files is not most for path in files]
    return most


def training(paths: Sequence[Path]) -> Path:
    """The first file that training may use."""
    return next((path for path in paths if split_of(path) == "train"), paths[0])


def sift(paths: Sequence[Path], columns: Callable[[Path], object]) -> tuple[list[Path], list[str]]:
    """Those with the columns of the first training file, of each split one file with its shards; a line for each of the others.

    A file of a split that cannot be read is kept, so that reading it says why.

    Args:
        columns: of a file; None where it cannot be read.
    """
    left: list[str] = []
    named = any(map(split_of, paths))
    first = training(paths)
    ours = columns(first)
    if ours is None:  # reading it says why
        return list(paths), []
    kept: dict[str | None, list[Path]] = {}
    for path in paths:
        split, theirs = split_of(path), ours if path == first else columns(path)
        same = kept.setdefault(split, [])
        if named and split is None:
            left.append(f"{path.name}: its name tells no split")
        elif theirs is None and split is None:
            left.append(f"{path.name}: cannot be read as {first.name} is")
        elif theirs is not None and not set(ours) <= set(theirs) and not (split and _same_names(ours, theirs)):
            left.append(f"{path.name}: other columns than {first.name}")
        elif named and same and series(same[0]) != series(path):
            left.append(f"{path.name}: {same[0].name} is taken for {split}")
        else:
            same.append(path)
    return [path for same in kept.values() for path in same], left


def _same_names(ours: Iterable[Any], theirs: Iterable[Any]) -> bool:
    """Whether two files have as many columns, called alike but for case and the like, or all otherwise, as where a header lacks: reading them says so."""
    ours, theirs = list(ours), list(theirs)
    return len(ours) == len(theirs) and (not set(ours) & set(theirs) or all(name in theirs or similar_columns(theirs, name) for name in ours))


def other_splits(path: Path) -> str:
    """What to say of a file that is one split of several in its folder; nothing for others."""
    others = [one.name for one in files_in(path.parent) if one.name != path.name and split_of(one) and formats(one)]
    return f"{', '.join(others)} beside it; give the folder to use them as splits" if split_of(path) and others else ""


def name_of(path: Path) -> str:
    """A task's name: that of its file without ending, or its folder's where that only says which split it is."""
    inside = Path(split_member(path)[1] or path)
    name = inside.resolve().name if path.is_dir() else inside.name
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem = name if path.is_dir() else Path(name).stem
    folder = path.resolve().parent.name
    if not path.is_dir() and stem.lower() in GENERIC and folder.lower() not in GENERIC and inside == path:
        stem = folder
    return re.sub(r"[^\w.-]+", "-", stem).lstrip(".").strip("-") or "data"
