"""Answers found by counting: the piece of the context around which most of the question's words stand.

The sliding window of Richardson et al. 2013 (MCTest, algorithm 1, with the distance of algorithm 2), for answers that are pieces
of the context as in Rajpurkar et al. 2016 (SQuAD, section 5). These take their candidates from a parser; here they are all
runs of a number of words that is chosen on the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import registry
from harness.baselines.base import Baseline, Predictor
from harness.family import Row
from harness.task import Task
from tasks.baselines.words import pattern

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 15)  # words of an answer
WIDTHS = (2, 4, 8, 16, 32)  # words on each side of it
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # share of the question that has to be found for an answer
ROWS = 400  # of train and validation that lengths are chosen on, so that it takes seconds


@dataclass(frozen=True)
class Found:
    """The best piece of a context.

    Attributes:
        text: the piece.
        share: of the question's weight that stands around it, 0 to 1.
    """

    text: str
    share: float


class Window(Predictor):
    """The best piece of each context.

    Args:
        words: what a word is.
        length, width, threshold: see `LENGTHS`, `WIDTHS`, `THRESHOLDS`; below the threshold the answer is none.
        rows: that these were chosen on.
    """

    parameters = 0

    def __init__(self, words: Any, length: int, width: int, threshold: float, rows: int):
        self.words, self.length, self.width, self.threshold = words, length, width, threshold
        self.choice = {"length": length, "width": width, "threshold": threshold, "chosen_on_rows": rows}

    def predict(self, rows: Sequence[Row]) -> list[str]:
        made = (best(row["question"], row["context"], self.words, self.length, self.width) for row in rows)
        return [one.text if one.share >= self.threshold else "" for one in made]


class SlidingWindow(Baseline):
    """The piece of the context around which most of the question stands.

    Its length, the width of the window and, where training rows have no answer, the threshold below which it answers nothing
    are those with the best score on up to `ROWS` rows of train and validation, for nothing else is learned from either.
    """

    name = "sliding-window"
    description = "the piece of the context around which most words of the question stand"
    families = ("qa",)
    seconds_a_row = 4e-3

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Window:
        rows = _spread([*train, *validation])
        words = pattern(row["context"] for row in rows)
        none = task.options.get("unanswerable") is not False and any(not row["answers"]["text"] for row in train)
        family = registry.family(task.family)
        references = [family.reference(row, task) for row in rows]
        reached, chosen = -1.0, (LENGTHS[0], WIDTHS[0], 0.0)
        for length in LENGTHS:
            for width in WIDTHS:
                found = [best(row["question"], row["context"], words, length, width) for row in rows]
                for threshold in THRESHOLDS if none else THRESHOLDS[:1]:
                    predictions = [one.text if one.share >= threshold else "" for one in found]
                    score = family.score(predictions, references, task)[family.primary_metric]
                    if score > reached:
                        reached, chosen = score, (length, width, threshold)
        return Window(words, *chosen, len(rows))


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    """Every n-th row."""
    return rows[:: max(1, -(-len(rows) // ROWS))]


def best(question: str, context: str, words: Any, length: int, width: int) -> Found:
    """The piece of `length` words with the highest weight of the question's words among `width` words on each side of it.

    A word weighs log(1 + 1 / its number in the context). Words of the question in the piece itself count against it: an answer
    does not repeat them. Of equal pieces the one nearest to a word of the question is taken, then the first.
    """
    import numpy as np

    spans = [match.span() for match in words.finditer(context)]
    tokens = [context[start:end].lower() for start, end in spans]
    if not tokens:
        return Found("", 0.0)
    length = min(length, len(tokens))
    counts, asked = Counter(tokens), {word.lower() for word in words.findall(question)}
    weights = {word: float(np.log1p(1 / counts[word])) for word in asked if word in counts}
    weight = np.array([weights.get(token, 0.0) for token in tokens])
    sums = np.concatenate([[0.0], weight.cumsum()])
    starts = np.arange(len(tokens) - length + 1)
    inside = sums[starts + length] - sums[starts]
    around = sums[np.minimum(starts + length + width, len(tokens))] - sums[np.maximum(starts - width, 0)] - inside
    places = np.flatnonzero(weight)
    distance = np.zeros(len(starts))
    if len(places):
        before = np.searchsorted(places, starts)  # the first place that is not before the piece
        after = places[np.minimum(before, len(places) - 1)] - (starts + length - 1)
        ahead = starts - places[np.maximum(before - 1, 0)]
        after = np.where(before < len(places), np.maximum(after, 0), len(tokens))
        ahead = np.where(before > 0, ahead, len(tokens))
        distance = np.minimum(after, ahead) / max(1, len(tokens) - 1)
    at = int(np.argmax(np.round(around - inside - distance, 12)))  # rounded: sums of equal weights may differ in the last bit
    total = sum(weights.values())
    return Found(context[spans[at][0] : spans[at + length - 1][1]], min(1.0, float(around[at]) / total) if total else 0.0)
