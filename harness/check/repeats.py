"""Check rows: empty, repeated and contradictory ones, with tools to count rows and to say where they are."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.data.place import place
from harness.finding import SHOWN, WARNING, Finding, first, quote, some

MISSING = frozenset(("nan", "NaN", "NAN", "None", "NULL", "null", "NA", "N/A", "<NA>", "NaT", "#N/A"))
Text = str | Sequence[str]  # a text, or its words
Texts = Mapping[str, Sequence[tuple[str, Mapping[str, Text]]]]  # split → (location, column → text) of each row
Key = tuple[Hashable, ...]  # what a model reads of a row
Keys = Mapping[str, Sequence[tuple[str, Key]]]  # split → (location, key) of each row


class Tally:
    """The number of rows of each split that have something in common, with the first few as examples."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, split: str, example: str) -> None:
        """Count a row; keep the example unless there are enough."""
        self.counts[split] += 1
        if not self.full:
            self.examples.append(example)

    @property
    def full(self) -> bool:
        """Whether no more examples are kept."""
        return len(self.examples) >= SHOWN

    @property
    def total(self) -> int:
        """The number of rows in all splits."""
        return self.counts.total()

    def where(self) -> str:
        """Format the counts: `train 1,204, test 17`."""
        return ", ".join(f"{split} {count:,}" for split, count in self.counts.items())


def row_location(row: Mapping[str, Any]) -> str:
    """Return the name of the row's file and its line, if known, or else its id."""
    location = place(row, "")
    return os.path.basename(location) if location else str(row["id"])


def as_text(value: Text) -> str:
    """Return a text, or words joined by blanks."""
    return value if isinstance(value, str) else " ".join(value)


def empty_texts(texts: Texts) -> Iterable[Finding]:
    """Find columns with empty texts, and with texts such as `NaN` that programs write for a missing value."""
    empty: dict[str, Tally] = defaultdict(Tally)
    missing: dict[str, Tally] = defaultdict(Tally)
    for split, rows in texts.items():
        for location, columns in rows:
            for column, value in columns.items():
                if not value or not as_text(value).strip():
                    empty[column].add(split, location)
                elif isinstance(value, str) and value in MISSING:
                    missing[column].add(split, f"{location}: {quote(value)}")
    for column, tally in empty.items():
        have = "has" if tally.total == 1 else "have"
        message = f"{some(tally.total, 'row')} {have} an empty {column} ({tally.where()})"
        yield Finding(WARNING, "empty-rows", message, tally.total, tuple(tally.examples))
    for column, tally in missing.items():
        message = (
            f"the {column} of {some(tally.total, 'row')} is a word that programs write for a missing value ({tally.where()}); it is read as a "
            "text like any other"
        )
        yield Finding(WARNING, "missing-texts", message, tally.total, tuple(tally.examples))


def duplicates(keys: Keys) -> Iterable[Finding]:
    """Find rows that occur twice in a split, or in two splits."""
    seen: dict[str, dict[Key, str]] = {}
    for split, rows in keys.items():
        first_rows = seen.setdefault(split, {})
        repeated = [
            f"{location} = {earlier}: {_quoted(key)}"
            for location, key in rows
            if (earlier := first_rows.setdefault(key, location)) != location
        ]
        if repeated:
            verb = "repeats an earlier one" if len(repeated) == 1 else "repeat an earlier one"
            message = f"{split}: {some(len(repeated), 'row')} {verb}"
            yield Finding(WARNING, "duplicate-rows", message, len(repeated), first(repeated))
    for one, other in combinations(keys, 2):
        shared = [f"{location} = {seen[one][key]}: {_quoted(key)}" for location, key in keys[other] if key in seen[one]]
        if shared:
            verb = "stands" if len(shared) == 1 else "stand"
            message = f"{some(len(shared), f'{other} row')} {verb} in {one} as well"
            yield Finding(WARNING, f"{one}-{other}-overlap", message, len(shared), first(shared))


def conflicts(rows: Iterable[tuple[str, Key, Hashable]], what: str) -> Iterable[Finding]:
    """Find equal rows with different answers: no model can get them all right.

    Args:
        rows: location, key and answer of each row, of all splits together.
        what: the answer in a word or two, such as `label`.
    """
    known: dict[Key, tuple[str, Hashable]] = {}
    different: dict[Key, str] = {}
    for location, key, answer in rows:
        earlier, earlier_answer = known.setdefault(key, (location, answer))
        if earlier_answer != answer:
            different.setdefault(key, f"{earlier} and {location}: {_quoted(key)}")
    if different:
        verb = "occurs" if len(different) == 1 else "occur"
        message = f"{some(len(different), 'text')} {verb} with more than one {what}"
        yield Finding(WARNING, "conflicting-answers", message, len(different), first(different.values()))


def duplicate_ids(splits: Mapping[str, Sequence[Mapping[str, object]]]) -> Iterable[Finding]:
    """Find ids that occur twice in a split: predictions could not be told apart."""
    for split, rows in splits.items():
        seen: set[object] = set()
        repeated = []
        for row in rows:
            if row["id"] in seen:
                repeated.append(str(row["id"]))
            seen.add(row["id"])
        if repeated:
            message = f"{split}: {some(len(repeated), 'row')} with the id of an earlier one; predictions are matched by id"
            yield Finding(WARNING, "duplicate-ids", message, len(repeated), first(repeated))


def _quoted(key: Key) -> str:
    part = key[0]
    return quote(part if isinstance(part, str) else " ".join(map(str, part)))  # type: ignore[arg-type]


empty, ids = empty_texts, duplicate_ids  # the names that plugins of earlier versions use
