"""Files that hold the same rows under two names: a test that is the training, or a shard that was counted twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from harness.data.place import PlacedRow

FEW = 10  # rows: shorter files may be equal by chance, and their rows are told one by one

Rows = Sequence[Mapping[str, Any]]


def equal_files(splits: Mapping[str, Rows]) -> dict[str, dict[str, list[str]]]:
    """Split → `equal_files` and `equal_splits`: a line for each of its files with the same rows as an earlier one, of this split or of another.

    Args:
        splits: rows as the reader gave them, those of a file one after another.
    """
    by_length: dict[int, list[tuple[str, str, Rows]]] = defaultdict(list)
    for split, rows in splits.items():
        for file, part in _by_file(rows):
            if len(part) >= FEW:
                by_length[len(part)].append((split, file, part))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    told: set[str] = set()
    for same in by_length.values():
        for (split, file, rows), (other, later, others) in combinations(same, 2):
            if later not in told and rows == others:
                told.add(later)
                of = "" if split == other else f" of {split}"
                found[other]["equal_files" if split == other else "equal_splits"].append(f"{Path(later).name} = {Path(file).name}{of}")
    return found


def _by_file(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """(file, its rows) pairs; none of rows that do not know their places."""
    start = 0
    for end, row in enumerate(rows, start=1):
        if not isinstance(row, PlacedRow):
            return
        if end == len(rows) or rows[end].file != row.file:
            yield str(row.file), rows[start:end]
            start = end
