"""Train, validation and test splits: their names, how missing ones are cut from train, and a description of that.

Which rows are in the test split is part of a cell's identity. So the splits are made by this code, not by a library, and do not
depend on any version (see `harness.data.subsets.order`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from harness.data.subsets import Key, Row, apportion, order
from harness.errors import BenchError, unknown

T = TypeVar("T")

SPLITS = ("train", "validation", "test")
ALIASES = dict.fromkeys(("val", "valid", "dev", "devel", "development"), "validation")
HELD_OUT = 0.2  # share of the validation split, and of the test split
JOINED = 0.05  # largest share of all rows that a group may reach by being joined with others
RULE = 2  # increased when the rules change which rows get into which split; 2: rows with equal texts stay together
PUBLISHED = "publisher's splits"


def canonical_split(name: str) -> str:
    """Return `train`, `validation`, `test` or `all` for any usual name of a split."""
    split = ALIASES.get(name.lower(), name.lower())
    if split not in (*SPLITS, "all"):
        raise unknown("split", name, [*SPLITS, "all", *ALIASES])
    return split


def canonical(splits: Mapping[str, T]) -> dict[str, T]:
    """Return the mapping with canonical split names; two names for one split are an error."""
    renamed = {canonical_split(name): value for name, value in splits.items()}
    if len(renamed) < len(splits):
        raise BenchError(f"two names for one split among {', '.join(splits)}; the names are {', '.join(SPLITS)} and all")
    return renamed


def split_rule(
    given: Iterable[str],
    *,
    seed: int,
    stratified: bool,
    group: str | None,
    renamed: Mapping[str, str] | None = None,
    equal: bool | None = None,
    few: int | None = None,
) -> str:
    """Describe in one line where the splits come from: `publisher's splits`, or how `complete_splits` made them.

    Args:
        given: Canonical names of the splits that the source has.
        seed: The seed given to `complete_splits`.
        stratified: Whether labels kept their proportions.
        group: The column whose rows stay together; None if there is none.
        renamed: Our split → the source's name for it, if that is another split (a test split taken from its validation).
        equal: Whether rows with equal texts stayed in one split; None if it was not checked.
        few: The number of groups if they were too few to keep their rows together.
    """
    missing = [name for name in SPLITS[1:] if name not in set(given)]
    how = f", grouped by {group}" if group else ", stratified by label" if stratified else ""
    if few:
        how += f" (group has {few} values only, too few to keep its rows together)"
    how += {True: ", equal texts together", False: ", equal texts on both sides", None: ""}[equal]
    if not missing:
        rule = PUBLISHED
    elif len(missing) == 2:
        rest = 1 - len(missing) * HELD_OUT
        rule = f"{rest * 100:.0f}/{HELD_OUT * 100:.0f}/{HELD_OUT * 100:.0f} of all rows{how}, seed {seed}"
    else:
        rule = f"{missing[0]}: {HELD_OUT * 100:.0f} % of train{how}, seed {seed}; the others are the publisher's"
    substitutes = [
        f"{split} is the publisher's {source}"
        for split, source in (renamed or {}).items()
        if split in SPLITS and ALIASES.get(source, source) != split
    ]
    return "; ".join([rule, *substitutes])


def complete_splits(
    splits: Mapping[str, Sequence[Row]],
    *,
    seed: int = 42,
    stratify: Key | None = None,
    group: Key | None = None,
    same: Key | None = None,
) -> dict[str, list[Row]]:
    """Return train, validation and test: the given splits, and the missing ones cut from train (20 % of it each).

    `all` is a train split from which both others are cut, so a single file becomes 60/20/20. Rows keep their order in a split.

    Args:
        stratify: row → label. Each new split gets its share of each label by largest remainder, less than one row from the
            exact share, unless train would be left without the label.
        group: row → the key that it shares with others (document, context). Rows of a group stay together; sizes and labels
            are then as close as whole groups allow.
        same: row → what a model reads of it. Rows that are equal in that stay together, and a split goes without them if they
            exceed its share. Groups that share such rows are joined if no group becomes larger than `JOINED` of all rows.

    Raises:
        BenchError: There is no train split, a split is empty, or there are too few rows or groups.
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
            assigned = _assign_groups((keys and joined_groups(groups, keys)) or groups, labels, missing, seed)
        else:
            assigned = _assign_rows(labels, missing, seed, keys)
        given |= {
            name: [row for row, split in zip(given["train"], assigned, strict=True) if split == name]
            for name in (*missing, "train")
        }
    for name in SPLITS:
        if not given[name]:
            hint = " (cut from train, where no label occurs twice)" if name in missing else ""
            raise BenchError(f"split {name} has no rows{hint}; give it a file of its own")
    return {name: given[name] for name in SPLITS}


def _assign_rows(labels: Sequence[Hashable], parts: Sequence[str], seed: int, keys: Sequence[Hashable] | None) -> list[str]:
    """Return the split of each row: one of `parts`, or train. Rows with the same key, unless it is `()`, form a unit."""
    if len(labels) <= len(parts):
        raise BenchError(f"{len(labels)} rows in train are too few to cut {' and '.join(parts)} from them; give more rows")
    shuffled = order(len(labels), seed, "split")
    repeated = {key for key, count in Counter(keys).items() if count > 1 and key} if keys else set()
    units: dict[Hashable, list[int]] = defaultdict(list)
    for index in shuffled if repeated else ():
        units[keys[index] if keys[index] in repeated else index].append(index)
    by_label = defaultdict(list)  # a unit belongs to the label of its first row
    for unit in units.values() if repeated else ([index] for index in shuffled):
        by_label[labels[unit[0]]].append(unit)
    counts = Counter(labels)  # in order of first appearance, which decides ties
    assigned = ["train"] * len(labels)
    size = max(1, round(len(labels) * HELD_OUT))
    if repeated:  # units that are too large stay in train; the rows that can be moved are shared by all splits
        movable = sum(len(unit) for unit in units.values() if len(unit) <= size)
        size = max(1, min(size, movable // (len(parts) + 1)))
    for part in parts:
        # Train keeps at least one row of every label: a label that it lacks cannot be learned.
        rows_of = _row_count if repeated else len
        room = {label: max(0, rows_of(by_label[label]) - 1) for label in counts}
        for label, seats in apportion(counts, size, room).items():
            skipped = []
            while seats and by_label[label]:
                unit = by_label[label].pop()
                if len(unit) > seats or not (by_label[label] or skipped):  # too large, or the last one
                    skipped.append(unit)
                    continue
                seats -= len(unit)
                for index in unit:
                    assigned[index] = part
            by_label[label] += reversed(skipped)
        # Other labels fill the seats that large units left free.
        free = size - assigned.count(part) if repeated else 0
        for label in [*by_label] if free else ():
            remaining = []
            for position, unit in reversed([*enumerate(by_label[label])]):
                if position == 0 or len(unit) > free:
                    remaining.append(unit)
                    continue
                free -= len(unit)
                for index in unit:
                    assigned[index] = part
            by_label[label] = remaining[::-1]
    return assigned


def _row_count(units: Sequence[Sequence[int]]) -> int:
    return sum(map(len, units))


def joined_groups(groups: Sequence[Hashable], keys: Sequence[Hashable]) -> list[Hashable] | None:
    """Join groups that have rows with the same key; return None if a joined group would become too large.

    A line such as a heading may occur in many documents: joining them all because of it would leave a single group.
    """
    parent: dict[Hashable, Hashable] = {group: group for group in groups}  # a union-find forest

    def root(group: Hashable) -> Hashable:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    owner: dict[Hashable, Hashable] = {}
    for group, key in zip(groups, keys, strict=True):
        if key:
            parent[root(group)] = root(owner.setdefault(key, group))
    joined = [root(group) for group in groups]
    before, after = Counter(groups), Counter(joined)
    if len(after) < len(before) and max(after.values()) > max(JOINED * len(groups), *before.values()):
        return None
    return joined


def _assign_groups(groups: Sequence[Hashable], labels: Sequence[Hashable], parts: Sequence[str], seed: int) -> list[str]:
    """Assign whole groups, from the largest to the smallest, each to the split that most lacks its labels.

    What a split lacks is relative to its share, so the held-out splits get large groups as well as small ones.
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
    expected = {part: {label: share * count for label, count in counts.items()} for part, share in shares.items()}
    have = {part: dict.fromkeys(counts, 0) for part in shares}
    sizes = dict.fromkeys(shares, 0)
    # What each split lacks: of each label, and of rows as a whole. Both change only where a group is added.
    lacking = {part: dict.fromkeys(counts, 1.0) for part in shares}
    emptiness = dict.fromkeys(shares, 0.0)
    by_number = list(members.values())
    assigned = ["train"] * len(groups)
    for number in sorted(order(len(by_number), seed, "split"), key=lambda number: -len(by_number[number])):  # stable
        rows = by_number[number]
        # Most groups are small: a Counter would take most of the time.
        inside = Counter(labels[row] for row in rows).items() if len(rows) > 1 else ((labels[rows[0]], 1),)
        best, best_need = "", (0.0, 0.0)
        for part, lack in lacking.items():
            need = (sum([n * lack[label] for label, n in inside]), emptiness[part])
            if not best or need > best_need:
                best, best_need = part, need
        for label, n in inside:
            have[best][label] += n
            lacking[best][label] = 1 - have[best][label] / expected[best][label]
        sizes[best] += len(rows)
        emptiness[best] = -sizes[best] / shares[best]
        for row in rows:
            assigned[row] = best
    return assigned
