"""How many rows each class and entity type has, and how often the values of a column occur."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.data.place import place
from harness.family import Row, TaskFamily
from harness.finding import ERROR, SHOWN, WARNING, Finding
from harness.safe_text import listed, short
from harness.task import Task

# Classes and entity types: how many of each, and which of them training never shows.


Counts = dict[str, dict[str, int]]  # label → split → rows (or entities)


def count(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Counts:
    """What the family counts in its rows, the commonest first."""
    by_split = {split: Counter(kind for row in rows for kind in family.kinds(row)) for split, rows in splits.items()}
    total: Counter[str] = Counter()
    for counter in by_split.values():
        total += counter
    ranked = sorted(total, key=lambda name: (-total[name], name))
    return {name: {split: by_split[split][name] for split in by_split} for name in ranked}


def labels(counts: Counts, splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterable[Finding]:
    """One-class splits, labels that training lacks, and declared ones that no row has."""
    classes = {split: {family.stratum(row) for row in rows} - {None} for split, rows in splits.items()}
    for split, names in classes.items():
        if len(names) == 1:
            told = f"{split} has one label only ({short(str(next(iter(names))))})"
            if split == "train":
                yield Finding(ERROR, "one-class", f"{told}; a classifier needs two or more", len(splits[split]))
            elif next(iter(names)) in classes["train"]:
                yield Finding(WARNING, "one-class", f"{told}; its score says little", len(splits[split]))
    for split in splits:
        if not any(by_split[split] and by_split["train"] for by_split in counts.values()):
            continue  # an error of its own, see `harness.check.plausible`
        new = [name for name, by_split in counts.items() if by_split[split] and not by_split["train"]]
        if new:
            number = sum(counts[name][split] for name in new)
            what, it = ("1 kind", "it") if len(new) == 1 else (f"{len(new)} kinds", "them")
            message = (
                f"{split} has {what} that train lacks, so nobody can learn {it}: {listed(new)} ({number:,} in all)"
            )
            yield Finding(WARNING, "unseen-labels", message, number)
    if any(classes.values()):
        unused = [name for name in task.label_order if name not in counts]
        if unused:
            yield Finding(WARNING, "unused-labels", f"declared, but no row has it: {listed(unused)}", len(unused))


# Counting rows by split, with the first few kept to look at.


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
