"""Splits and subsets, made by our own code on purpose.

Which rows are in the test split is part of a cell's identity, so it must be the same for any version of any library,
and of Python: rows are put in order by a hash of seed and index, not by a random generator.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from harness.errors import BenchError, unknown

Row = dict[str, Any]
Key = Callable[[Row], Hashable]
T = TypeVar("T")

SPLITS = ("train", "validation", "test")
ALIASES = {
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "devel": "validation",
    "development": "validation",
}
HELD_OUT = 0.2  # share of validation and of test, each
JOINED = 0.05  # the share of all rows up to which groups are joined because they have rows in common
RULE = 2  # raised when other rows would come into the splits that are made here; 2: equal texts stay together


def canonical_split(name: str) -> str:
    """`train`, `validation`, `test` or `all` for any usual name of a split."""
    known = ALIASES.get(name.lower(), name.lower())
    if known not in (*SPLITS, "all"):
        raise unknown("split", name, [*SPLITS, "all", *ALIASES])
    return known


def canonical(splits: Mapping[str, T]) -> dict[str, T]:
    """The mapping with canonical names of splits; two names for one split are an error."""
    names = {canonical_split(name): value for name, value in splits.items()}
    if len(names) < len(splits):
        raise BenchError(
            f"two names for one split among {', '.join(splits)}; the names are {', '.join(SPLITS)} and all"
        )
    return names


def complete_splits(
    splits: Mapping[str, Sequence[Row]],
    *,
    seed: int = 42,
    stratify: Key | None = None,
    group: Key | None = None,
    same: Key | None = None,
) -> dict[str, list[Row]]:
    """Train, validation and test: those that are there, and the missing ones cut from train (20 % of it each).

    `all` is another word for a train split that has to serve for everything, so one file becomes 60/20/20. Rows keep
    their order within a split.

    Args:
        stratify: row -> label. Every part made gets its share of each label by largest remainder, so less than one row
            from the exact share, unless it would leave train without that label.
        group: row -> what it shares with others (document, context). The rows of a group stay together; sizes and
            labels are then as near as whole groups allow.
        same: row -> what a model reads of it. Rows with the same stay together too; a part whose share they exceed goes without
            them. Groups are joined for it only where that makes no group larger than `JOINED` of all rows.

    Raises:
        BenchError: no train split, an empty split, or fewer rows or groups than parts.
    """
    given = {name: list(rows) for name, rows in canonical(splits).items()}
    if "all" in given:
        if "train" in given:
            raise BenchError("splits 'all' and 'train' are both given; name the one that training may use 'train'")
        given["train"] = given.pop("all")
    if "train" not in given:
        raise BenchError(f"no train split among {', '.join(splits) or 'no splits'}; name one `train` (or `all`)")
    missing = [name for name in ("test", "validation") if name not in given]
    if missing:
        labels = [stratify(row) if stratify else None for row in given["train"]]
        keys = [same(row) for row in given["train"]] if same else None
        if group:
            groups = [group(row) for row in given["train"]]
            taken = _take_groups((keys and joined_groups(groups, keys)) or groups, labels, missing, seed)
        else:
            taken = _take_rows(labels, missing, seed, keys)
        given |= {
            name: [row for row, part in zip(given["train"], taken, strict=True) if part == name]
            for name in (*missing, "train")
        }
    for name in SPLITS:
        if not given[name]:
            made = " (cut from train, where no label occurs twice)" if name in missing else ""
            raise BenchError(f"split {name} has no rows{made}; give it a file of its own")
    return {name: given[name] for name in SPLITS}


def limit(rows: Sequence[Row], n: int, *, seed: int = 42, stratify: Key | None = None) -> list[Row]:
    """At most `n` rows, chosen by the seed and in their original order, each label with its share (largest remainder).

    The first `n` would not do: files are often sorted by label.
    """
    if n < 1:
        raise BenchError(f"limit is {n}; it must be 1 or more")
    if n >= len(rows):
        return list(rows)
    members = defaultdict(list)
    for index in order(len(rows), seed, "limit"):
        members[stratify(rows[index]) if stratify else None].append(index)
    quota = _apportion({label: len(indices) for label, indices in members.items()}, n, dict.fromkeys(members, n))
    chosen = {index for label, indices in members.items() for index in indices[: quota[label]]}
    return [row for index, row in enumerate(rows) if index in chosen]


def order(count: int, seed: int, purpose: str) -> list[int]:
    """The numbers below `count`, shuffled."""
    return sorted(range(count), key=lambda index: hashlib.sha256(f"{purpose}/{seed}/{index}".encode()).digest())


def _apportion(counts: Mapping[Hashable, int], total: int, room: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """`total` seats in proportion to `counts` by largest remainder, no label above its `room`.

    Whole numbers only, so that nothing hangs on rounding. Ties go to the label that comes first.
    """
    everything = sum(counts.values())
    seats = {label: min(total * count // everything, room[label]) for label, count in counts.items()}
    by_remainder = sorted(counts, key=lambda label: -(total * counts[label] % everything))
    for label in by_remainder:
        if sum(seats.values()) < total and seats[label] < room[label]:
            seats[label] += 1
    return seats


def _take_rows(
    labels: Sequence[Hashable], parts: Sequence[str], seed: int, keys: Sequence[Hashable] | None
) -> list[str]:
    """The part of each row: one of `parts`, each with its share of the rows, or train. Rows with one key (but `()`) are a unit."""
    if len(labels) <= len(parts):
        raise BenchError(
            f"{len(labels)} rows in train are too few to cut {' and '.join(parts)} from them; give more rows"
        )
    places = order(len(labels), seed, "split")
    repeated = {key for key, count in Counter(keys).items() if count > 1 and key} if keys else set()
    units: dict[Hashable, list[int]] = defaultdict(list)
    for index in places if repeated else ():
        units[keys[index] if keys[index] in repeated else index].append(index)
    members = defaultdict(list)  # a unit counts among the rows of its first row's label
    for unit in units.values() if repeated else ([index] for index in places):
        members[labels[unit[0]]].append(unit)
    counts = Counter(labels)  # in order of first appearance, which decides ties
    taken = ["train"] * len(labels)
    size = max(1, round(len(labels) * HELD_OUT))
    if repeated:  # a text on most rows stays in train: what can be moved is shared out among all parts
        size = max(1, min(size, sum(len(unit) for unit in units.values() if len(unit) <= size) // (len(parts) + 1)))
    for part in parts:
        # Train keeps at least one row of every label: what it never saw it cannot learn.
        rows_of = _rows_in if repeated else len
        room = {label: max(0, rows_of(members[label]) - 1) for label in counts}
        for label, seats in _apportion(counts, size, room).items():
            left = []
            while seats and members[label]:
                unit = members[label].pop()
                if len(unit) > seats or not (members[label] or left):  # too large, or the last one
                    left.append(unit)
                    continue
                seats -= len(unit)
                for index in unit:
                    taken[index] = part
            members[label] += reversed(left)
        # What large units left free, other labels fill.
        free = size - taken.count(part) if repeated else 0
        for label in [*members] if free else ():
            kept = []
            for place, unit in reversed([*enumerate(members[label])]):
                if place == 0 or len(unit) > free:
                    kept.append(unit)
                    continue
                free -= len(unit)
                for index in unit:
                    taken[index] = part
            members[label] = kept[::-1]
    return taken


def _rows_in(units: Sequence[Sequence[int]]) -> int:
    """The rows of some units."""
    return sum(map(len, units))


def joined_groups(groups: Sequence[Hashable], keys: Sequence[Hashable]) -> list[Hashable] | None:
    """Groups made one where they have a row with the same key; None where one of them would become too large.

    A line such as a heading comes in many documents: joined for it, all of them would be one.
    """
    first: dict[Hashable, Hashable] = {group: group for group in groups}  # a group's older name; its own at the root

    def root(group: Hashable) -> Hashable:
        while first[group] != group:
            first[group] = first[first[group]]
            group = first[group]
        return group

    owner: dict[Hashable, Hashable] = {}
    for group, key in zip(groups, keys, strict=True):
        if key:
            first[root(group)] = root(owner.setdefault(key, group))
    made = [root(group) for group in groups]
    before, after = Counter(groups), Counter(made)
    if len(after) < len(before) and max(after.values()) > max(JOINED * len(groups), *before.values()):
        return None
    return made


def _take_groups(groups: Sequence[Hashable], labels: Sequence[Hashable], parts: Sequence[str], seed: int) -> list[str]:
    """As `_take_rows`, for whole groups: from the largest to the smallest, each to the part that lacks its labels most.

    What a part lacks is measured against what it should get, so the held-out parts get large groups as well as small.
    """
    members = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    if len(members) <= len(parts):
        raise BenchError(
            f"{len(members)} group(s) (documents, contexts) in train are too few to cut {' and '.join(parts)} "
            "from them, since rows of a group must stay together; give files for these splits"
        )
    shares = {"train": 1 - HELD_OUT * len(parts)} | dict.fromkeys(parts, HELD_OUT)
    counts = Counter(labels)
    have: dict[str, Counter] = {part: Counter() for part in shares}
    names = list(members)
    taken = ["train"] * len(groups)
    for index in sorted(
        order(len(names), seed, "split"), key=lambda index: -len(members[names[index]])
    ):  # a stable sort
        inside = Counter(labels[row] for row in members[names[index]])

        def need(part: str, inside: Counter = inside) -> tuple[float, float]:
            lacking = sum(n * (1 - have[part][label] / (shares[part] * counts[label])) for label, n in inside.items())
            return lacking, -have[part].total() / shares[part]

        best = max(shares, key=need)
        have[best] += inside
        for row in members[names[index]]:
            taken[row] = best
    return taken
