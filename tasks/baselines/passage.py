"""A context and a question, and the piece of the one that looks most like an answer to the other."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SENTENCE = re.compile(r"[.!?。！？]")  # between two words: a sentence ends


@dataclass(frozen=True)
class FoundAnswer:
    """The best piece of a context.

    Attributes:
        text: the piece.
        share: of the question's weight that stands around it, 0 to 1.
    """

    text: str
    share: float


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

    def best(self, length: int, width: int) -> FoundAnswer:
        """The piece of `length` words of one sentence with the highest weight among its neighbours.

        Neighbours are up to `width` words on each side, of the same sentence. Words of the question in the piece itself count
        against it, for an answer does not repeat them, and so does the distance to the nearest word of the question, as a share
        of the context. Of equal pieces the first is taken.
        """
        import numpy as np

        count = len(self.spans)
        if not count:
            return FoundAnswer("", 0.0)
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
        return FoundAnswer(text, min(1.0, float(around[at]) / self.total) if self.total else 0.0)

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
