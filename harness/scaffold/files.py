"""From a file or a folder to the files of each split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.splits import ALIASES, SPLITS
from harness.errors import BenchError
from harness.scaffold.sniff import PACKED, Sniffed, ending, sniff

BESIDE = ("readme", "license", "licence", "cc-", "cc0", "classes", "labels", "notice", "changelog", "requirements")


@dataclass(frozen=True)
class Found:
    """The data of a task.

    Attributes:
        kind: format and options.
        files: split → its files; for parallel text split → column → file.
        rows: of the training split (or of all), raw.
        left: files that look like data but are not used, with the reason.
    """

    kind: Sniffed
    files: Mapping[str, Any]
    rows: list[dict[str, Any]]
    left: tuple[str, ...] = ()


def find(path: Path) -> Found:
    """What a file or folder holds.

    Raises:
        BenchError: nothing that can be read, or no telling which file is which split.
    """
    if path.is_file():
        kind = sniff(path)
        beside = sorted(
            other.name for other in path.parent.iterdir() if other != path and split_of(other) and _is_data(other)
        )
        left = f"{', '.join(beside)} beside it; give the folder to use them as splits"
        return Found(kind, {"all": [path]}, kind.read([path]), (left,) if split_of(path) and beside else ())
    inside = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    parallel = _parallel(inside)
    if parallel:
        kind = Sniffed("lines")
        return Found(kind, parallel, kind.read(parallel.get("train") or parallel["all"]))
    data = [file for file in inside if _is_data(file)]
    if not data:
        raise BenchError(
            f"{path}: no data file in the folder; give a file, or a folder with train, validation and test files"
        )
    by_split: dict[str, list[Path]] = {}
    for file in data:
        by_split.setdefault(split_of(file) or "", []).append(file)
    if len(data) == 1:
        kind = sniff(data[0])
        return Found(kind, {"all": data}, kind.read(data))
    if "train" not in by_split:
        names = ", ".join(file.name for file in data)
        raise BenchError(f"{path}: which file is the training split? None is called train; give one of: {names}")
    return _splits(by_split)


def _is_data(file: Path) -> bool:
    return ending(file) is not None and not file.name.lower().startswith(BESIDE)


def _splits(by_split: Mapping[str, list[Path]]) -> Found:
    """Of each split the files that have the columns of the first training file."""
    first = by_split["train"][0]
    kind = sniff(first)
    columns = set(kind.read([first])[0])
    files: dict[str, list[Path]] = {}
    left = [f"{file.name}: its name tells no split" for file in by_split.get("", [])]
    for split in SPLITS:
        for file in by_split.get(split, []):
            try:
                theirs = set(kind.read([file])[0])
            except (BenchError, IndexError):
                left.append(f"{file.name}: cannot be read as {first.name} is")
                continue
            if theirs != columns:
                left.append(f"{file.name}: other columns than {first.name}")
            elif files.get(split) and not _shards(files[split][0], file):
                left.append(f"{file.name}: {files[split][0].name} is taken for {split}")
            else:
                files.setdefault(split, []).append(file)
    return Found(kind, files, kind.read(files["train"]), tuple(left))


def split_of(path: Path) -> str | None:
    """The split that a file's name tells: `train.tsv`, `test-labeled.tsv`, `en_dev.csv`."""
    for word in re.split(r"[._\-\s]+", path.name.lower()):
        if word in SPLITS or word in ALIASES:
            return ALIASES.get(word, word)
    return None


def _shards(one: Path, other: Path) -> bool:
    """Whether two names differ in numbers only."""
    return re.sub(r"\d+", "#", one.name) == re.sub(r"\d+", "#", other.name)


def _parallel(files: list[Path]) -> dict[str, dict[str, Path]]:
    """Split → language → file, where files of one stem end in two languages: `train.en`, `train.de`."""
    stems: dict[str, dict[str, Path]] = {}
    for file in files:
        bare = file.with_suffix("") if file.suffix in PACKED else file
        if re.fullmatch(r"\.[a-z]{2,3}([-_][A-Za-z]{2,4})?", bare.suffix) and ending(file) is None:
            stems.setdefault(bare.stem, {})[bare.suffix[1:]] = file
    pairs = {stem: sides for stem, sides in stems.items() if len(sides) == 2}
    if len(pairs) == 1:
        (sides,) = pairs.values()
        return {"all": sides}
    found: dict[str, dict[str, Path]] = {}
    for stem, sides in sorted(pairs.items()):
        split = split_of(Path(stem))
        if split:
            found.setdefault(split, sides)
    return {split: found[split] for split in SPLITS if split in found} if "train" in found else {}
