"""Answers found by counting: the piece of the context around which most of the question's words stand.

The sliding window of Richardson et al. 2013 (MCTest, algorithm 1, with the distance of algorithm 2), for answers that are pieces
of the context as in Rajpurkar et al. 2016 (SQuAD, section 5), who look at the sentence around an answer and take the answers to
choose from out of a parser; here these are all runs of a number of words that is chosen on the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness import registry
from harness.baselines.base import Baseline, Predictor
from harness.family import Row
from harness.task import Task
from tasks.baselines.words import pattern

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 15)  # words of an answer
WIDTHS = (2, 4, 8, 16, 32)  # words on each side of it
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # share of the question that has to be found for an answer
SENTENCE = re.compile(r"[.!?。！？]")  # between two words: a sentence ends
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

    def __init__(self, words: Any, length: int, width: int, threshold: float, rows: int):
        self.words, self.length, self.width, self.threshold = words, length, width, threshold
        self.choice = {"length": length, "width": width, "threshold": threshold, "chosen_on_rows": rows}

    def predict(self, rows: Sequence[Row]) -> list[str]:
        passages = (Passage(row["question"], row["context"], self.words) for row in rows)
        return _answers([one.best(self.length, self.width) for one in passages], self.threshold)


class SlidingWindow(Baseline):
    """The piece of the context around which most of the question stands.

    Its length and the width of the window are those with the best score on the answered ones of up to `ROWS` rows of train and
    validation, for nothing else is learned from either. Where training rows have no answer, so is then the threshold below which
    it answers nothing.
    """

    name = "sliding-window"
    description = "the piece of the context around which most words of the question stand"
    families = ("qa",)
    seconds_a_row = 2e-3

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Window:
        rows = _spread([*train, *validation])
        words = pattern(row["context"] for row in rows)
        passages = [Passage(row["question"], row["context"], words) for row in rows]
        answered = [number for number, row in enumerate(rows) if row["answers"]["text"]] or list(range(len(rows)))
        references = [registry.family(task.family).reference(row, task) for row in rows]

        def reached(setting: tuple[int, int], threshold: float, numbers: Sequence[int]) -> float:
            predictions = _answers([passages[number].best(*setting) for number in numbers], threshold)
            family = registry.family(task.family)
            return family.score(predictions, [references[number] for number in numbers], task)[family.primary_metric]

        # `max` gives the first of equal ones.
        settings = [(length, width) for length in LENGTHS for width in WIDTHS]
        setting = max(settings, key=lambda one: reached(one, 0.0, answered))
        none = task.options.get("unanswerable") is not False and any(not row["answers"]["text"] for row in train)
        threshold = max(THRESHOLDS, key=lambda one: reached(setting, one, range(len(rows)))) if none else 0.0
        return Window(words, *setting, threshold, len(rows))


def _answers(found: Sequence[Found], threshold: float) -> list[str]:
    return [one.text if one.share >= threshold else "" for one in found]


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    """Every n-th row."""
    return rows[:: max(1, -(-len(rows) // ROWS))]


class Passage:
    """A context and a question, cut into words and weighed: what is the same for every length and width.

    A word of the context that the question has too weighs log(1 + 1 / its number in the context).
    """

    def __init__(self, question: str, context: str, words: Any):
        import numpy as np

        self.context, self.spans = context, [match.span() for match in words.finditer(context)]
        tokens = [context[start:end].lower() for start, end in self.spans]
        counts, asked = Counter(tokens), {word.lower() for word in words.findall(question)}
        weights = {word: float(np.log1p(1 / counts[word])) for word in asked if word in counts}
        weight = np.array([weights.get(token, 0.0) for token in tokens])
        self.total = sum(weights[word] for word in sorted(weights))
        self.sums = np.concatenate([[0.0], weight.cumsum()])
        self.places = np.flatnonzero(weight)
        gaps = [context[one[1] : other[0]] for one, other in pairwise(self.spans)]
        ends = [0, *(number for number, gap in enumerate(gaps, 1) if SENTENCE.search(gap)), len(tokens)]
        # Of each word: the first one of its sentence, and the first one of the next.
        self.first = np.repeat(ends[:-1], np.diff(ends))
        self.last = np.repeat(ends[1:], np.diff(ends))

    def best(self, length: int, width: int) -> Found:
        """The piece of `length` words of one sentence with the highest weight among its neighbours: `width` words on each side.

        Neighbours are words of the same sentence. Words of the question in the piece itself count against it: an answer does not repeat them. From this the distance to the
        nearest word of the question is taken, as a share of the context; of equal pieces the first is taken.
        """
        import numpy as np

        count = len(self.spans)
        if not count:
            return Found("", 0.0)
        length = min(length, count)
        starts = np.arange(count - length + 1)
        inside = self.sums[starts + length] - self.sums[starts]
        low = np.maximum(starts - width, self.first[starts])
        high = np.minimum(starts + length + width, self.last[starts + length - 1])
        around = self.sums[high] - self.sums[low] - inside
        # Rounded: sums of the same weights in another order may differ in their last bits.
        score = np.round(around - inside - self._distance(starts, length) / max(1, count - 1), 9)
        at = int(np.argmax(np.where(self.first[starts] == self.first[starts + length - 1], score, -np.inf)))
        text = self.context[self.spans[at][0] : self.spans[at + length - 1][1]]
        return Found(text, min(1.0, float(around[at]) / self.total) if self.total else 0.0)

    def _distance(self, starts: Any, length: int) -> Any:
        """Words from each piece to the nearest word of the question beside it; 0 where there is none."""
        import numpy as np

        places, far = self.places, len(self.spans)
        if not len(places):
            return np.zeros(len(starts))
        before, after = np.searchsorted(places, starts) - 1, np.searchsorted(places, starts + length)
        back = np.where(before >= 0, starts - places[np.maximum(before, 0)], far)
        ahead = np.where(after < len(places), places[np.minimum(after, len(places) - 1)] - (starts + length - 1), far)
        return np.minimum(back, ahead)
