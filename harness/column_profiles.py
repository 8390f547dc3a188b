"""Profile the columns of a table: text, classes, numbers, dates and so on, and what their names mean."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

SAMPLED_ROWS = 2_000  # rows that are profiled, spread over the table
SHORTEST_TEXT = 12  # characters on average
LONGEST_CLASS = 40  # characters
FRACTIONS = 10  # classes may be called 0.5, 1.0, 1.5, …, but not by more such numbers
MOSTLY = 0.9  # the share of values that decides the kind
COMPLETE = 0.95  # the share of rows with a value in a column without gaps
QUOTED = 40  # characters of a quoted value

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}( .*)?|\d{4}[./]\d{1,2}[./]\d{1,2}( .*)?|\d{1,2} \d{1,2}, \d{4}"
    r"|((mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* +\d{1,2}.*\d{4}",
    re.IGNORECASE,
)
_LINK = re.compile(r"(https?://|www\.)\S+", re.IGNORECASE)
_CAMEL_CASE = re.compile(r"([a-z0-9])([A-Z])")


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Attributes:
        kind: `text`, `classes` (few values that recur), `numbers`, `dates`, `links`, `ids` (words that hardly recur),
            `words` (any other strings), `constant`, `lists`, `objects` or `empty`.
        filled: the share of rows that have a value.
        count: the number of values profiled.
        values: the distinct values as texts, the most frequent first.
        length: the mean number of characters.
        numeric: whether all values are numbers.
    """

    name: str
    kind: str
    filled: float = 0.0
    count: int = 0
    values: tuple[str, ...] = ()
    length: float = 0.0
    numeric: bool = False

    def repeats(self, times: int) -> bool:
        """Whether there are at least two distinct values, each occurring `times` times on average."""
        return 2 <= len(self.values) <= self.count / times

    def __str__(self) -> str:
        if self.kind == "empty":
            return "empty"
        examples = [quote(value) for value in self.values[: 4 if self.kind == "classes" else 1]]
        if self.kind == "classes":
            more = ", …" if len(self.values) > len(examples) else ""
            text = f"{len(self.values)} values: {', '.join(examples)}{more}"
        elif self.kind == "constant":
            text = f"always {examples[0]}"
        else:
            text = f"{self.kind} such as {examples[0]}" if examples else self.kind
        return text + (f", missing in {1 - self.filled:.0%} of the rows" if self.filled < COMPLETE else "")


def profile_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, ColumnProfile]:
    """Return column name → its profile, in the order of the first row."""
    step = math.ceil(len(rows) / SAMPLED_ROWS) or 1
    sample = rows[::step]
    return {name: _profile(str(name), [row.get(name) for row in sample]) for name in (rows[0] if rows else ())}


def name_words(name: Any) -> tuple[str, ...]:
    """Return the words of a column name in lower case: the same two for `reviewText`, `review_text` and `Review Text`."""
    return tuple(word for word in re.split(r"[\W_]+", _CAMEL_CASE.sub(r"\1 \2", str(name)).lower()) if word)


def match_name(name: Any, usual: Sequence[str]) -> tuple[int, int] | None:
    """Return how well a column name matches one of the usual names, the smaller the better; None if it matches none.

    The first number is 0 if it is the usual name, 1 if it ends in it (`airline_sentiment`), 2 if it begins with it
    (`label_name`), and 3 if it contains it; the second is the position of the usual name in the list.
    """
    words, matches = name_words(name), []
    for position, other in enumerate(map(name_words, usual)):
        size = len(other)
        if words == other:
            matches.append((0, position))
        elif other and words[-size:] == other:
            matches.append((1, position))
        elif other and words[:size] == other:
            matches.append((2, position))
        elif other and any(words[start : start + size] == other for start in range(len(words))):
            matches.append((3, position))
    return min(matches, default=None)


def quote(value: Any) -> str:
    """Return a value on one line and in quotes; a long one is cut."""
    line = " ".join(str(value).split())
    return repr(line if len(line) <= QUOTED else line[: QUOTED - 1] + "…")


def describe_columns(profiles: Iterable[ColumnProfile], most: int = 20) -> str:
    """Return a list of columns for a message: `tweet_id (numbers such as '5000'), airline (4 values: …)`."""
    profiles = list(profiles)
    more = f" and {len(profiles) - most} more" if len(profiles) > most else ""
    return ", ".join(f"{profile.name[:QUOTED]} ({profile})" for profile in profiles[:most]) + more


def _profile(name: str, cells: Sequence[Any]) -> ColumnProfile:
    values = [value for value in cells if not _is_missing(value)]
    if not values:
        return ColumnProfile(name, "empty")
    texts = [str(value).strip() for value in values]
    profile = ColumnProfile(
        name,
        kind="",
        filled=len(values) / len(cells),
        count=len(values),
        values=tuple(text for text, _ in Counter(texts).most_common()),
        length=sum(map(len, texts)) / len(texts),
        numeric=all(_NUMBER.fullmatch(text) for text in texts),
    )
    return replace(profile, kind=_kind(profile, values, texts))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _kind(profile: ColumnProfile, values: Sequence[Any], texts: Sequence[str]) -> str:
    def mostly(pattern: re.Pattern[str]) -> bool:
        return sum(bool(pattern.fullmatch(text)) for text in texts) >= MOSTLY * len(texts)

    for kind, types in (("lists", list | tuple), ("objects", Mapping)):
        if any(isinstance(value, types) for value in values):
            return kind
    if len(profile.values) == 1 and len(texts) > 1:
        return "constant"
    if mostly(_DATE):
        return "dates"
    if mostly(_LINK):
        return "links"
    if profile.numeric:
        whole = all(float(text.replace(",", ".")).is_integer() for text in profile.values)
        return "classes" if profile.repeats(2) and (whole or len(profile.values) <= FRACTIONS) else "numbers"
    prose = sum(" " in text or not text.isascii() for text in texts)
    # A text may occur twice.
    if profile.length >= SHORTEST_TEXT and prose > len(texts) / 2 and not profile.repeats(4):
        return "text"
    if profile.repeats(2) and max(map(len, texts)) <= LONGEST_CLASS:
        return "classes"
    return "ids" if not prose and len(profile.values) >= MOSTLY * len(texts) else "words"
