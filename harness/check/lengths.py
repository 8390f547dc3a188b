"""How long the texts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BLANKLESS = 15  # characters a word; no script with blanks comes near it, Chinese and Thai are far above


@dataclass(frozen=True)
class Lengths:
    """Of one column in one split, in words, characters or tokens."""

    column: str
    split: str
    unit: str
    median: int
    p95: int
    longest: int


def summary(column: str, split: str, unit: str, lengths: Iterable[int]) -> Lengths | None:
    """Median, 95th percentile (nearest rank) and maximum; None for no lengths."""
    ranked = sorted(lengths)
    if not ranked:
        return None
    return Lengths(
        column, split, unit, ranked[(len(ranked) - 1) // 2], ranked[-(-len(ranked) * 95 // 100) - 1], ranked[-1]
    )


def lengths(texts: Mapping[str, Sequence[tuple[str, Mapping[str, str | Sequence[str]]]]]) -> list[Lengths]:
    """In words, or in characters where a script has no blanks between words."""
    columns: dict[str, dict[str, list[str | Sequence[str]]]] = {}
    for split, rows in texts.items():
        for _, values in rows:
            for column, value in values.items():
                columns.setdefault(column, {}).setdefault(split, []).append(value)
    made = []
    for column, by_split in columns.items():
        words = {split: [_words(value) for value in values] for split, values in by_split.items()}
        letters = {split: [len(value) for value in values] for split, values in by_split.items()}
        blankless = not isinstance(next(iter(by_split.values()))[0], list | tuple) and (
            sum(map(sum, letters.values())) > BLANKLESS * sum(map(sum, words.values()))
        )
        unit, numbers = ("characters", letters) if blankless else ("words", words)
        made += [found for split in numbers if (found := summary(column, split, unit, numbers[split]))]
    return made


def without_blanks(texts: Iterable[str]) -> bool:
    """Whether a script writes no blanks between words (Chinese, Japanese, Thai), told from some texts."""
    letters = words = 0
    for text in texts:
        letters, words = letters + len(text), words + len(text.split())
    return letters > BLANKLESS * words > 0


def _words(value: str | Sequence[str]) -> int:
    return len(value.split()) if isinstance(value, str) else len(value)
