"""Word-for-word translation with a dictionary learned from the training rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task
from tasks.baselines.alignment import translations
from tasks.baselines.words import CHARACTER, pattern

PAIRS = 8_000_000  # maximal number of pairs of a source word and a target word to learn from; about half a gigabyte


class WordForWord(Predictor):
    """Replaces each word of a source. Everything else stays.

    Args:
        words: source word in lower case → target word in its usual spelling.
        source, target: patterns of a word on each side.
        capital: whether sentences start with a capital letter.
        choice: for the record.
    """

    def __init__(self, words: Mapping[str, str], source: Any, target: Any, capital: bool, choice: Mapping[str, Any]):
        self.words, self.source, self.target, self.capital, self.choice = words, source, target, capital, choice
        self.parameters = len(words)

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [self._translate(row["source"]) for row in rows]

    def _translate(self, text: str) -> str:
        blank = " " if self.source is CHARACTER and self.target is not CHARACTER else ""
        translated = self.source.sub(lambda match: self.words.get(match[0].lower(), match[0]) + blank, text)
        if self.target is CHARACTER and self.source is not CHARACTER:
            translated = re.sub(r"\s+", "", translated)
        translated = translated.rstrip() if blank else translated
        return translated[:1].upper() + translated[1:] if self.capital else translated


class Dictionary(Baseline):
    """Replaces every word by its likeliest translation under IBM Model 1, in the order of the source; unknown words stay.

    Words are learned in lower case, and written in their most frequent spelling inside target sentences. Of very large
    training sets only every n-th row is used.
    """

    name = "dictionary"
    description = "word for word, by a dictionary learned from train with IBM Model 1"
    families = ("translation",)
    seconds_a_row = 1e-3

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> WordForWord:
        source = pattern(row["source"] for row in train)
        target = pattern(row["target"][0] for row in train)
        sides = [(source.findall(row["source"].lower()), target.findall(row["target"][0])) for row in train]
        pairs = sum((len(ours) + 1) * len(theirs) for ours, theirs in sides)
        sides = sides[:: max(1, -(-pairs // PAIRS))]
        forms = written([theirs for _, theirs in sides])
        ours = _numbers(word for words, _ in sides for word in words)
        theirs = _numbers(word.lower() for _, words in sides for word in words)
        likeliest = translations(
            [[ours[word] + 1 for word in words] for words, _ in sides],
            [[theirs[word.lower()] for word in words] for _, words in sides],
        )
        names, lowered = list(ours), list(theirs)
        words = {names[one - 1]: forms[lowered[other]] for one, (other, _) in likeliest.items()}
        firsts = [row["target"][0].lstrip()[:1] for row in train]
        capital = 2 * sum(first.isupper() for first in firsts) > len(firsts)
        return WordForWord(words, source, target, capital, {"model": "IBM Model 1", "rows": len(sides)})


def _numbers(words: Iterable[str]) -> dict[str, int]:
    """Word → its number, in order of appearance."""
    return {word: number for number, word in enumerate(dict.fromkeys(words))}


def written(sentences: Sequence[Sequence[str]]) -> dict[str, str]:
    """Word in lower case → its most frequent spelling, at the start of sentences only if it occurs nowhere else."""
    inside: dict[str, Counter] = defaultdict(Counter)
    first: dict[str, Counter] = defaultdict(Counter)
    for sentence in sentences:
        for place, word in enumerate(sentence):
            (inside if place else first)[word.lower()][word] += 1
    counts = {**first, **inside}
    return {word: min(forms, key=lambda form: (-forms[form], form)) for word, forms in counts.items()}
