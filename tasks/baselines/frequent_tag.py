"""The most frequent tag of each word in the training rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task

OUTSIDE = "O"


@dataclass(frozen=True)
class Lexicon(Predictor):
    """Predicts a tag for each word.

    Attributes:
        words: word → tag, case-sensitive.
        lowered: word in lower case → tag, for words that are unknown in this case.
    """

    words: Mapping[str, str]
    lowered: Mapping[str, str]

    @property
    def parameters(self) -> int:
        return len(self.words) + len(self.lowered)

    def predict(self, rows: Sequence[Row]) -> list[list[str]]:
        return [valid([self._tag(word) for word in row["words"]]) for row in rows]

    def _tag(self, word: str) -> str:
        return self.words.get(word) or self.lowered.get(word.lower(), OUTSIDE)


class FrequentTag(Baseline):
    """Predicts the most frequent tag of each word, in another case that of its lower case, and O for unknown words.

    Of equally frequent tags the alphabetically first is chosen. A stray `I-` becomes `B-`.
    """

    name = "frequent-tag"
    description = "each word's most frequent tag in train; O for unknown words"
    families = ("ner",)

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Lexicon:
        pairs = [pair for row in train for pair in zip(row["words"], row["tags"], strict=True)]
        return Lexicon(_most_frequent(pairs), _most_frequent((word.lower(), tag) for word, tag in pairs))


def _most_frequent(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    counts: dict[str, Counter] = defaultdict(Counter)
    for word, tag in pairs:
        counts[word][tag] += 1
    return {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in counts.items()}


def valid(tags: Sequence[str]) -> list[str]:
    """Make tags valid IOB2: an `I-` after `O` or another type becomes `B-`."""
    result, previous = [], OUTSIDE
    for tag in tags:
        starts = tag.startswith("I-") and previous[2:] != tag[2:]
        result.append(f"B-{tag[2:]}" if starts else tag)
        previous = tag
    return result
