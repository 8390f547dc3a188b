"""Every word gets the tag that it had most often in the training rows."""

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
    """Word → tag.

    Attributes:
        words: as they are written.
        lowered: in lower case, for words that were never seen as they are written.
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
    """The most frequent tag of each word; of a word in another case, by its lower case; of an unknown word O.

    Of equally frequent tags the first in the alphabet is taken. `I-` that continues nothing becomes `B-`.
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
    """The tags in IOB2: an `I-` after another type, or after `O`, begins an entity."""
    made, before = [], OUTSIDE
    for tag in tags:
        begins = tag.startswith("I-") and before[2:] != tag[2:]
        made.append(f"B-{tag[2:]}" if begins else tag)
        before = tag
    return made
