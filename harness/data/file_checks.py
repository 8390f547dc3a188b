"""Checks of the rows that files gave: cells that are too long, files named twice, and files with equal rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from harness.data.place import PlacedRow, place
from harness.errors import BenchError

MIN_ROWS = 10  # shorter files may be equal by chance; their rows are reported one by one
LONGEST = 1_000_000  # characters of a cell: a novel. Models read a tenth of it at most, and each step holds several copies

Rows = Sequence[Mapping[str, Any]]


def check_lengths(rows: Rows) -> None:
    """Raise an error if a text is longer than `LONGEST`."""
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and len(value) > LONGEST:
                raise BenchError(
                    f"{place(row, 'a row')}: {len(value):,} characters in column {name!r}, where {LONGEST:,} are the most; cut the text, "
                    "or if it has swallowed other rows mend the quote at its beginning"
                )


def named_twice(files: Any) -> list[str]:
    """Return the paths that occur more than once in a list of files; they are read once."""
    names = [str(Path(file).expanduser()) for file in files] if isinstance(files, list) else []
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def equal_files(splits: Mapping[str, Rows]) -> dict[str, dict[str, list[str]]]:
    """Find files that hold the same rows as an earlier one: a test file that equals the training file, a shard counted twice.

    Args:
        splits: Split → rows as the reader gave them, those of each file one after another.

    Returns:
        Split → `equal_files` (equal to a file of this split) or `equal_splits` (of another split) → a line for each file.
    """
    by_length: dict[int, list[tuple[str, str, Rows]]] = defaultdict(list)
    for split, rows in splits.items():
        for file, part in _by_file(rows):
            if len(part) >= MIN_ROWS:
                by_length[len(part)].append((split, file, part))
    equal: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    reported: set[str] = set()
    for candidates in by_length.values():
        for (split, file, rows), (other_split, other_file, other_rows) in combinations(candidates, 2):
            if other_file not in reported and rows == other_rows:
                reported.add(other_file)
                kind, of = ("equal_files", "") if split == other_split else ("equal_splits", f" of {split}")
                equal[other_split][kind].append(f"{Path(other_file).name} = {Path(file).name}{of}")
    return equal


def _by_file(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Yield (file, its rows) pairs; nothing if the rows do not know their places."""
    start = 0
    for end, row in enumerate(rows, start=1):
        if not isinstance(row, PlacedRow):
            return
        if end == len(rows) or rows[end].file != row.file:
            yield str(row.file), rows[start:end]
            start = end
