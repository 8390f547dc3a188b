"""What the columns of a table look like: texts, classes, numbers, dates and so on, and what their names speak of."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What the columns of a table look like: texts, classes, numbers, dates and so on, and what their names speak of.


SAMPLED_ROWS = 2_000  # rows that are looked at, spread over the table
SHORTEST_TEXT = 12  # characters on average
LONGEST_CLASS = 40  # characters
FRACTIONS = 10  # classes may be called 0.5, 1.0, 1.5, …, but not by more such numbers
MOSTLY = 0.9  # the share of values that makes a kind
COMPLETE = 0.95  # the share of rows with a value in a column without gaps
QUOTED = 40  # characters of a value that are shown

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}( .*)?|\d{4}[./]\d{1,2}[./]\d{1,2}( .*)?|\d{1,2} \d{1,2}, \d{4}"
    r"|((mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* +\d{1,2}.*\d{4}",
    re.IGNORECASE,
)
_LINK = re.compile(r"(https?://|www\.)\S+", re.IGNORECASE)
_CAMEL = re.compile(r"([a-z0-9])([A-Z])")


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    Attributes:
        kind: `text`, `classes` (few values that come again), `numbers`, `dates`, `links`, `ids` (words that hardly come again),
            `words` (any other strings), `constant`, `lists`, `objects` or `empty`.
        filled: the share of rows that have a value.
        count: how many values were looked at.
        values: the different ones among them, the commonest first, as texts.
        length: their mean number of characters.
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
        """Whether there are at least two values, and each comes that often on average."""
        return 2 <= len(self.values) <= self.count / times

    def __str__(self) -> str:
        if self.kind == "empty":
            return "empty"
        shown = [quote(value) for value in self.values[: 4 if self.kind == "classes" else 1]]
        more = ", …" if len(self.values) > len(shown) else ""
        told = {
            "classes": f"{len(self.values)} values: {', '.join(shown)}{more}",
            "constant": f"always {shown[0]}" if shown else "",
        }.get(self.kind, f"{self.kind} such as {shown[0]}" if shown else self.kind)
        return told + (f", missing in {1 - self.filled:.0%} of the rows" if self.filled < COMPLETE else "")


def profile_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, ColumnProfile]:
    """Every column of a table by its name, in the order of the first row."""
    step = math.ceil(len(rows) / SAMPLED_ROWS) or 1
    some = rows[::step]
    return {name: _looks(str(name), [row.get(name) for row in some]) for name in (rows[0] if rows else ())}


def name_words(name: Any) -> tuple[str, ...]:
    """The words of a column's name in lower case: `reviewText`, `review_text` and `Review Text` are the same two."""
    return tuple(word for word in re.split(r"[\W_]+", _CAMEL.sub(r"\1 \2", str(name)).lower()) if word)


def match_name(name: Any, usual: Sequence[str]) -> tuple[int, int] | None:
    """How well a column's name fits usual ones, the smaller the better; None: not at all.

    The first number: 0 it is one of them, 1 it ends in one (`airline_sentiment`), 2 it begins with one (`label_name`), 3 it has
    one inside; the second: which of them, counted from the likeliest.
    """
    words, found = name_words(name), []
    for place, other in enumerate(map(name_words, usual)):
        size = len(other)
        if words == other:
            found.append((0, place))
        elif other and words[-size:] == other:
            found.append((1, place))
        elif other and words[:size] == other:
            found.append((2, place))
        elif other and any(words[start : start + size] == other for start in range(len(words))):
            found.append((3, place))
    return min(found, default=None)


def quote(value: Any) -> str:
    """A value on one line and in quotes; a long one is cut."""
    line = " ".join(str(value).split())
    return repr(line if len(line) <= QUOTED else line[: QUOTED - 1] + "…")


def describe_columns(looks: Iterable[ColumnProfile], most: int = 20) -> str:
    """`tweet_id (numbers such as '5000'), airline (4 values: …)`."""
    looks = list(looks)
    more = f" and {len(looks) - most} more" if len(looks) > most else ""
    return ", ".join(f"{one.name[:QUOTED]} ({one})" for one in looks[:most]) + more


def _looks(name: str, values: Sequence[Any]) -> ColumnProfile:
    there = [value for value in values if not _is_missing(value)]
    if not there:
        return ColumnProfile(name, "empty")
    texts = [str(value).strip() for value in there]
    counts = Counter(texts)
    numeric = all(_NUMBER.fullmatch(text) for text in texts)
    looks = ColumnProfile(
        name, "", len(there) / len(values), len(there), tuple(text for text, _ in counts.most_common()),
        sum(map(len, texts)) / len(texts), numeric,
    )  # fmt: skip
    return ColumnProfile(**{**vars(looks), "kind": _kind(looks, there, texts)})


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _kind(looks: ColumnProfile, values: Sequence[Any], texts: Sequence[str]) -> str:
    def mostly(pattern: re.Pattern[str]) -> bool:
        return sum(bool(pattern.fullmatch(text)) for text in texts) >= MOSTLY * len(texts)

    for kind, types in (("lists", list | tuple), ("objects", Mapping)):
        if any(isinstance(value, types) for value in values):
            return kind
    if len(looks.values) == 1 and len(texts) > 1:
        return "constant"
    if mostly(_DATE):
        return "dates"
    if mostly(_LINK):
        return "links"
    if looks.numeric:
        whole = all(float(text.replace(",", ".")).is_integer() for text in looks.values)
        return "classes" if looks.repeats(2) and (whole or len(looks.values) <= FRACTIONS) else "numbers"
    written = sum(" " in text or not text.isascii() for text in texts)
    if looks.length >= SHORTEST_TEXT and written > len(texts) / 2 and not looks.repeats(4):  # some are there twice
        return "text"
    if looks.repeats(2) and max(map(len, texts)) <= LONGEST_CLASS:
        return "classes"
    return "ids" if not written and len(looks.values) >= MOSTLY * len(texts) else "words"
