"""Nested subsets: one order of the rows for each seed, of which a subset is the beginning, so that 100 rows are among the 1,000."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from harness.data.splits import Key, Row, order

TOGETHER = 5  # rows of a group that come at once


def nested(
    rows: Sequence[Row], count: int, *, seed: int, stratify: Key | None = None, group: Key | None = None
) -> list[Row]:
    """The first `count` rows of the seed's order, as they stood among the others.

    Args:
        rows: to choose from.
        count: at most; all rows for more than there are.
        seed: another one gives other rows.
        stratify: row -> label. Each label comes once, the most frequent first, and then labels come in proportion.
        group: row -> what it shares with others (document, context). Rows of a group come together, `TOGETHER` at a time, so
            that a hundred rows are not of one long document. There are no strata then.
    """
    shuffled = order(len(rows), seed, "train rows")
    if group:
        ranked = _by_group(shuffled, [group(row) for row in rows])
    else:
        ranked = _in_proportion(shuffled, [stratify(row) if stratify else None for row in rows])
    return [rows[index] for index in sorted(ranked[:count])]


def _in_proportion(shuffled: Sequence[int], labels: Sequence[Hashable]) -> list[int]:
    """By the divisors of Webster (Sainte-Laguë). Largest remainder, by which splits are cut, would not do: a label may lose a seat
    when there are more to give (Balinski & Young 1982, "Fair representation"), and subsets would not be nested."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in shuffled:
        members[labels[index]].append(index)
    first = [(-len(own), own[0]) for own in members.values()]
    others = [
        ((2 * rank + 1) / (2 * len(own)), index) for own in members.values() for rank, index in enumerate(own) if rank
    ]
    place = {index: number for number, index in enumerate(shuffled)}  # decides between equal ones
    return [index for part in (first, others) for _, index in sorted(part, key=lambda one: (one[0], place[one[1]]))]


def _by_group(shuffled: Sequence[int], groups: Sequence[Hashable]) -> list[int]:
    """Groups in the order of their first rows here, a few rows of each, then a few more of each that has more."""
    turn: dict[Hashable, int] = {}
    for index in shuffled:
        turn.setdefault(groups[index], len(turn))
    seen: dict[Hashable, int] = defaultdict(int)
    keys = []
    for index, group in enumerate(groups):  # within a group in the order of the file: neighbours share a context
        keys.append((seen[group] // TOGETHER, turn[group], index))
        seen[group] += 1
    return sorted(range(len(groups)), key=keys.__getitem__)
