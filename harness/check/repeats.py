"""Rows that are empty, that come twice, or that stand in two splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations

from harness.check.labels import Tally, as_text
from harness.finding import WARNING, Finding, first, quote, some

MISSING = frozenset(("nan", "NaN", "NAN", "None", "NULL", "null", "NA", "N/A", "<NA>", "NaT", "#N/A"))
Key = tuple[Hashable, ...]
Keys = Mapping[str, Sequence[tuple[str, Key]]]  # split → (row's id, what a model reads of it) pairs


def empty(texts: Mapping[str, Iterable[tuple[str, Mapping[str, str | Sequence[str]]]]]) -> Iterable[Finding]:
    """Columns without text, by column."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    written: dict[str, Tally] = defaultdict(Tally)
    for split, rows in texts.items():
        for name, columns in rows:
            for column, value in columns.items():
                if not value or not as_text(value).strip():
                    tallies[column].add(split, name)
                elif isinstance(value, str) and value in MISSING:
                    written[column].add(split, f"{name}: {quote(value)}")
    for column, tally in tallies.items():
        have = "has" if tally.total == 1 else "have"
        message = f"{some(tally.total, 'row')} {have} an empty {column} ({tally.where()})"
        yield Finding(WARNING, "empty-rows", message, tally.total, tuple(tally.examples))
    for column, tally in written.items():
        message = (
            f"the {column} of {some(tally.total, 'row')} is a word that programs write for a missing value ({tally.where()}); it is read as a "
            "text like any other"
        )
        yield Finding(WARNING, "missing-texts", message, tally.total, tuple(tally.examples))


def duplicates(keys: Keys) -> Iterable[Finding]:
    """Rows that a model reads twice within a split, and those of one split that it has read in another."""
    seen: dict[str, dict[Key, str]] = {}
    for split, rows in keys.items():
        mine = seen.setdefault(split, {})
        repeated = [
            f"{name} = {earlier}: {_told(key)}" for name, key in rows if (earlier := mine.setdefault(key, name)) != name
        ]
        if repeated:
            verb = "repeats an earlier one" if len(repeated) == 1 else "repeat an earlier one"
            message = f"{split}: {some(len(repeated), 'row')} {verb}"
            yield Finding(WARNING, "duplicate-rows", message, len(repeated), first(repeated))
    for one, other in combinations(keys, 2):
        there = seen[one]
        shared = [f"{name} = {there[key]}: {_told(key)}" for name, key in keys[other] if key in there]
        if shared:
            verb = "stands" if len(shared) == 1 else "stand"
            message = f"{some(len(shared), f'{other} row')} {verb} in {one} as well"
            yield Finding(WARNING, f"{one}-{other}-overlap", message, len(shared), first(shared))


def conflicts(rows: Iterable[tuple[str, Key, Hashable]], what: str) -> Iterable[Finding]:
    """Equal rows with different answers: no model can get them all right.

    Args:
        rows: (row's id, what a model reads of it, its answer) of all splits together.
        what: the answer in a word or two, such as `label`.
    """
    known: dict[Key, tuple[str, Hashable]] = {}
    different: dict[Key, str] = {}
    for name, key, answer in rows:
        earlier, before = known.setdefault(key, (name, answer))
        if before != answer:
            different.setdefault(key, f"{earlier} and {name}: {_told(key)}")
    if different:
        verb = "occurs" if len(different) == 1 else "occur"
        message = f"{some(len(different), 'text')} {verb} with more than one {what}"
        yield Finding(WARNING, "conflicting-answers", message, len(different), first(different.values()))


def ids(splits: Mapping[str, Sequence[Mapping[str, object]]]) -> Iterable[Finding]:
    """Ids that are not unique: predictions could not be told apart."""
    for split, rows in splits.items():
        seen: set[object] = set()
        twice = [str(row["id"]) for row in rows if row["id"] in seen or seen.add(row["id"])]
        if twice:
            message = f"{split}: {some(len(twice), 'row')} with the id of an earlier one; predictions are matched by id"
            yield Finding(WARNING, "duplicate-ids", message, len(twice), first(twice))


def _told(key: Key) -> str:
    part = key[0]
    return quote(part if isinstance(part, str) else " ".join(map(str, part)))  # type: ignore[arg-type]
