"""Counting rows by split, with the first few kept to look at."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.place import place
from harness.finding import SHOWN


class Tally:
    """How many rows of each split have something in common."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, split: str, example: str) -> None:
        """Count one row; the first few examples are kept."""
        self.counts[split] += 1
        if not self.full:
            self.examples.append(example)

    @property
    def full(self) -> bool:
        """Whether no further example will be kept."""
        return len(self.examples) >= SHOWN

    @property
    def total(self) -> int:
        """Rows of all splits."""
        return self.counts.total()

    def where(self) -> str:
        """`train 1,204, test 17`."""
        return ", ".join(f"{split} {count:,}" for split, count in self.counts.items())


def spot(row: Mapping[str, Any]) -> str:
    """Where to look for a row: its file's name and line if it knows them, else its id."""
    found = place(row, "")
    return os.path.basename(found) if found else str(row["id"])


def as_text(value: str | Sequence[str]) -> str:
    """A text, or the words of one with blanks between."""
    return value if isinstance(value, str) else " ".join(value)
