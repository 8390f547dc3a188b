"""Which ranks a row may have, for boards whose groups have too many letters to be read."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.overall import Overall

LETTERS = 6  # of one row, from which on ranks stand for them

Interval = tuple[int, int]


def split(letters: str) -> set[str]:
    """The letters one by one: beyond `z` they are of two characters, with dots between."""
    return set(letters.split(".") if "." in letters else letters)


def too_many(letters: Sequence[str]) -> bool:
    """Whether some row has more letters than one can take in."""
    return any(len(split(one)) > LETTERS for one in letters)


def intervals(rows: Sequence[tuple[float, set[str]]]) -> list[Interval]:
    """Between which ranks each row is: better than those below it that it shares no letter with, worse than those above.

    Where the tests behind the letters are adjusted for all pairs, these are simultaneous confidence intervals of the ranks (Al
    Mohamad, Goeman & van Zwet 2022, "Simultaneous confidence intervals for ranks", Biometrics 78).

    Args:
        rows: a number, the higher the better, and the letters of each.
    """
    found = []
    for value, own in rows:
        apart = [other for other, theirs in rows if not own & theirs]
        better, worse = sum(other > value for other in apart), sum(other < value for other in apart)
        found.append((1 + better, len(rows) - worse))
    return found


def told(interval: Interval) -> str:
    """`#1–9`."""
    low, high = interval
    return f"#{low}" if low == high else f"#{low}–{high}"


def briefly(found: Overall) -> bool:
    """Whether rows over all tasks have too many letters."""
    return too_many([row.letters for row in found.rows]) and all(row.score for row in found.rows)


def groups(found: Overall) -> list[str]:
    """What each row's group over all tasks is called: its letters, or the ranks by normalised score that it may have."""
    if not briefly(found):
        return [row.letters for row in found.rows]
    return [told(one) for one in intervals([(row.score.value, split(row.letters)) for row in found.rows if row.score])]
