"""Reproducible subsets of rows: a limited number of rows, and nested subsets for learning curves.

Which rows are chosen is part of a cell's identity, so it must not depend on the version of Python or of any library: rows are
ordered by a hash of seed and index, not by a random generator.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from harness.errors import BenchError

Row = dict[str, Any]
Key = Callable[[Row], Hashable]

GROUP_CHUNK = 5  # rows of a group that enter a nested subset together


def order(count: int, seed: int, purpose: str) -> list[int]:
    """Return the numbers below `count` in an order that depends on the seed and the purpose."""
    return sorted(range(count), key=lambda index: hashlib.sha256(f"{purpose}/{seed}/{index}".encode()).digest())


def apportion(counts: Mapping[Hashable, int], total: int, room: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Distribute `total` seats in proportion to `counts` by largest remainder, no label getting more than its `room`.

    Only whole numbers are used, so that nothing depends on rounding. Of equal remainders the first label's wins.
    """
    everything = sum(counts.values())
    seats = {label: min(total * count // everything, room[label]) for label, count in counts.items()}
    by_remainder = sorted(counts, key=lambda label: -(total * counts[label] % everything))
    for label in by_remainder:
        if sum(seats.values()) < total and seats[label] < room[label]:
            seats[label] += 1
    return seats


def limit(rows: Sequence[Row], n: int, *, seed: int = 42, stratify: Key | None = None) -> list[Row]:
    """Return at most `n` rows, chosen by the seed, in their original order; each label keeps its share (largest remainder).

    The first `n` rows would not do: files are often sorted by label.
    """
    if n < 1:
        raise BenchError(f"limit is {n}; it must be 1 or more")
    if n >= len(rows):
        return list(rows)
    by_label = defaultdict(list)
    for index in order(len(rows), seed, "limit"):
        by_label[stratify(rows[index]) if stratify else None].append(index)
    quota = apportion({label: len(indices) for label, indices in by_label.items()}, n, dict.fromkeys(by_label, n))
    chosen = {index for label, indices in by_label.items() for index in indices[: quota[label]]}
    return [row for index, row in enumerate(rows) if index in chosen]


def nested(rows: Sequence[Row], count: int, *, seed: int, stratify: Key | None = None, group: Key | None = None) -> list[Row]:
    """Return `count` rows in their original order; a smaller subset of the same seed is always part of a larger one.

    Args:
        rows: The rows to choose from.
        count: The size of the subset. If there are fewer rows, all of them are returned.
        seed: Another seed gives other rows.
        stratify: row → label. Each label occurs once, the most frequent first; after that, labels occur in proportion.
        group: row → the key that it shares with others (document, context). Rows of a group enter `GROUP_CHUNK` at a time, so
            that a hundred rows are not all from one long document. Labels are not stratified then.
    """
    shuffled = order(len(rows), seed, "train rows")
    if group:
        ranked = _rank_by_group(shuffled, [group(row) for row in rows])
    else:
        ranked = _rank_in_proportion(shuffled, [stratify(row) if stratify else None for row in rows])
    return [rows[index] for index in sorted(ranked[:count])]


def _rank_in_proportion(shuffled: Sequence[int], labels: Sequence[Hashable]) -> list[int]:
    """Rank rows by Webster's (Sainte-Laguë's) divisors.

    Largest remainder, which cuts the splits, would not do: with it a label may lose a seat when there are more seats (Balinski
    and Young 1982, "Fair Representation"), and then subsets would not be nested.
    """
    by_label: dict[Hashable, list[int]] = defaultdict(list)
    for index in shuffled:
        by_label[labels[index]].append(index)
    first = [(-len(indices), indices[0]) for indices in by_label.values()]
    others = [
        ((2 * rank + 1) / (2 * len(indices)), index)
        for indices in by_label.values()
        for rank, index in enumerate(indices)
        if rank
    ]
    position = {index: number for number, index in enumerate(shuffled)}  # breaks ties
    return [
        index
        for part in (first, others)
        for _, index in sorted(part, key=lambda entry: (entry[0], position[entry[1]]))
    ]


def _rank_by_group(shuffled: Sequence[int], groups: Sequence[Hashable]) -> list[int]:
    """Rank a few rows of each group, then a few more of each; groups are ordered by their first shuffled row."""
    turn: dict[Hashable, int] = {}
    for index in shuffled:
        turn.setdefault(groups[index], len(turn))
    seen: dict[Hashable, int] = defaultdict(int)
    keys = []
    for index, group in enumerate(groups):  # within a group in the order of the file: neighbours share a context
        keys.append((seen[group] // GROUP_CHUNK, turn[group], index))
        seen[group] += 1
    return sorted(range(len(groups)), key=keys.__getitem__)
