"""Multiple tests: adjusted p values, and groups of rows that cannot be told apart, as letters or ranks."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from string import ascii_lowercase
from typing import TypeVar

ALPHA = 0.05  # level of significance of all tests
MOST_LETTERS = 6  # maximal number of letters of a row; with more, ranks are shown instead
RankInterval = tuple[int, int]
T = TypeVar("T", bound=Hashable)


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p values for the number of tests (Holm 1979). The order stays the same.

    The probability that any true hypothesis is rejected stays at the level.
    """
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return adjusted


def letters(ranked: Sequence[T], different: Collection[frozenset[T]]) -> Mapping[T, str]:
    """The compact letter display (Piepho 2004): items that share no letter differ, all others cannot be told apart.

    Args:
        ranked: the items, best first; the group of the best one is `a`.
        different: pairs of items that can be told apart.

    Returns:
        Item → its letters. After `z` come `aa`, `ab`, …; letters are then separated by dots.
    """
    groups: list[frozenset[T]] = [frozenset(ranked)]
    for pair in sorted(different, key=lambda pair: sorted(map(ranked.index, pair))):
        split = [
            group - {one} if pair <= group else group for group in groups for one in (pair if pair <= group else [None])
        ]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(map(ranked.index, group)))
    names = [_letter(number) for number in range(len(groups))]
    dot = "." if len(groups) > len(ascii_lowercase) else ""
    return {one: dot.join(name for name, group in zip(names, groups, strict=True) if one in group) for one in ranked}


def _letter(number: int) -> str:
    first, second = divmod(number, len(ascii_lowercase))
    return (ascii_lowercase[first - 1] if first else "") + ascii_lowercase[second]


def split_letters(letters: str) -> set[str]:
    """The letters of a row as a set; letters of two characters are separated by dots."""
    return set(letters.split(".") if "." in letters else letters)


def too_many_letters(letters: Sequence[str]) -> bool:
    """Whether any row has more than `MOST_LETTERS` letters."""
    return any(len(split_letters(one)) > MOST_LETTERS for one in letters)


def rank_intervals(rows: Sequence[tuple[float, set[str]]]) -> list[RankInterval]:
    """The lowest and the highest rank that each row may have.

    A row is better than the rows below it with which it shares no letter, and worse than such rows above it. If the
    tests behind the letters are adjusted for all pairs, these are simultaneous confidence intervals (Al Mohamad, Goeman
    & van Zwet 2022, "Simultaneous confidence intervals for ranks", Biometrics 78).

    Args:
        rows: score (higher is better) and letters of each row.
    """
    intervals = []
    for value, own in rows:
        apart = [other for other, theirs in rows if not own & theirs]
        better, worse = sum(other > value for other in apart), sum(other < value for other in apart)
        intervals.append((1 + better, len(rows) - worse))
    return intervals


def rank_text(interval: RankInterval) -> str:
    """The text of an interval, such as `#1–9`."""
    low, high = interval
    return f"#{low}" if low == high else f"#{low}–{high}"
