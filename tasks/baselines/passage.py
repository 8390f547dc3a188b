"""The span of a context that looks most like an answer to a question."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SENTENCE = re.compile(r"[.!?。！？]")  # between two words, the end of a sentence


@dataclass(frozen=True)
class Span:
    """The best span of a context.

    Attributes:
        text: the span.
        share: share of the question's weight that is around it (0-1).
    """

    text: str
    share: float


class Passage:
    """A context with the weights of its words for a question.

    A word that also occurs in the question has the weight log(1 + 1 / its count in the context).
    """

    def __init__(self, question: str, context: str, words: Any):
        import numpy as np

        self.context, self.spans = context, [match.span() for match in words.finditer(context)]
        tokens = [context[start:end].lower() for start, end in self.spans]
        counts, in_question = Counter(tokens), {word.lower() for word in words.findall(question)}
        weights = {word: float(np.log1p(1 / counts[word])) for word in in_question if word in counts}
        weight = np.array([weights.get(token, 0.0) for token in tokens])
        self.total = sum(weights[word] for word in sorted(weights))
        self.sums = np.concatenate([[0.0], weight.cumsum()])
        self.places = np.flatnonzero(weight)
        gaps = [context[one[1] : other[0]] for one, other in pairwise(self.spans)]
        ends = [0, *(number for number, gap in enumerate(gaps, 1) if SENTENCE.search(gap)), len(tokens)]
        # For each word: the first word of its sentence, and the first word of the next sentence.
        self.first = np.repeat(ends[:-1], np.diff(ends))
        self.last = np.repeat(ends[1:], np.diff(ends))

    def best(self, length: int, width: int) -> Span:
        """The span of `length` words within a sentence whose neighbours have the highest weight.

        Neighbours are up to `width` words on each side in the same sentence. The weight of the span itself is
        subtracted, because an answer does not repeat the question, and so is the distance to the nearest word of the
        question, as a share of the context. Of equal spans the first is chosen.
        """
        import numpy as np

        count = len(self.spans)
        if not count:
            return Span("", 0.0)
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
        return Span(text, min(1.0, float(around[at]) / self.total) if self.total else 0.0)

    def _distance(self, starts: Any, length: int) -> Any:
        """Number of words from each span to the nearest word of the question outside it; 0 if there is none."""
        import numpy as np

        places, far = self.places, len(self.spans)
        if not len(places):
            return np.zeros(len(starts))
        before, after = np.searchsorted(places, starts) - 1, np.searchsorted(places, starts + length)
        back = np.where(before >= 0, starts - places[np.maximum(before, 0)], far)
        ahead = np.where(after < len(places), places[np.minimum(after, len(places) - 1)] - (starts + length - 1), far)
        return np.minimum(back, ahead)
