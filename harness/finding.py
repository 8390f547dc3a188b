"""What a check of a task's data finds, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

ERROR, WARNING, NOTE = "error", "warning", "note"
SHOWN = 5  # examples in a finding
QUOTED = 40  # characters of a text in an example


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about a task's data.

    Attributes:
        level: `error`: training is impossible; `warning`: the score may not mean what it seems to; `note`.
        code: a fixed name for scripts, such as `duplicate-rows`.
        message: one line with counts and names of splits, labels and columns. It goes into records, so it must not
            quote the data set's texts.
        count: the number of rows (answers, entities…) concerned.
        examples: where to look: ids of rows, or file and line, with a few characters of the text at most.
    """

    level: str
    code: str
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()


def first(examples: Iterable[str]) -> tuple[str, ...]:
    """Return as many examples as a finding holds."""
    return tuple(islice(examples, SHOWN))


def quote(text: str) -> str:
    """Return the beginning of a text, on one line and in quotes."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= QUOTED else line[: QUOTED - 1] + '…'}”"


def some(number: int, what: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 row`, `2,345 rows`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
