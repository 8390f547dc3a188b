"""What a look at a task's data finds, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"
SHOWN = 5  # examples kept
QUOTED = 40  # characters of a text in an example


@dataclass(frozen=True)
class Finding:
    """One thing that is worth knowing about a task's data.

    Attributes:
        level: `error`: cannot be trained on; `warning`: can, but the score may not mean what it seems to; `note`.
        code: a fixed name for scripts, such as `duplicate-rows`.
        message: one line with counts and names of splits, labels and columns. It goes into records, so it must not quote
            the data set's texts.
        count: how many rows (answers, entities…) it is about.
        examples: where to look: ids of rows, or file and line, with a few characters of the text at most.
    """

    level: str
    code: str
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()


def first(examples: Iterable[str]) -> tuple[str, ...]:
    """As many examples as a finding keeps."""
    kept: list[str] = []
    for example in examples:
        if len(kept) == SHOWN:
            break
        kept.append(example)
    return tuple(kept)


def quote(text: str) -> str:
    """The beginning of a text, on one line and in quotes."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= QUOTED else line[: QUOTED - 1] + '…'}”"


def some(number: int, what: str, plural: str | None = None) -> str:
    """`1 row`, `2,345 rows`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
