"""One window of a long context: where its tokens lie in the text, and the best span in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Window:
    """A window's tokens seen from the context.

    Attributes:
        offsets: [tokens, 2] start and end (exclusive) of each token in the context, in characters.
        tokens: positions of the context's tokens in the window, ascending.
        null: the position that stands for "no answer here".
    """

    offsets: np.ndarray
    tokens: np.ndarray
    null: int

    @classmethod
    def of(cls, offsets: Sequence[tuple[int, int]], in_context: Sequence[bool], null: int) -> Window:
        """From a tokeniser's offset mapping and which tokens belong to the context."""
        return cls(np.array(offsets, dtype=np.int32).reshape(-1, 2), np.flatnonzero(in_context), null)

    def locate(self, answers: Mapping[str, Sequence[Any]]) -> tuple[int, int]:
        """First and last token of the first answer that lies whole in this window; the null position twice for none.

        An answer with a negative start has no known place.
        """
        for text, begin in zip(answers["text"], answers["answer_start"], strict=True):
            if begin < 0:
                continue
            stop = begin + len(text)
            touched = [
                token for token in self.tokens if self.offsets[token, 0] < stop and self.offsets[token, 1] > begin
            ]
            if touched and self.offsets[touched[0], 0] <= begin and self.offsets[touched[-1], 1] >= stop:
                return int(touched[0]), int(touched[-1])
        return self.null, self.null


def best_span(
    window: Window, starts: np.ndarray, ends: np.ndarray, n_best: int, max_length: int
) -> tuple[int, int, float] | None:
    """The span with the highest sum of start and end score among the `n_best` starts and ends.

    Args:
        window: the window.
        starts: [tokens or more] start scores, padding included.
        ends: [tokens or more] end scores.
        n_best: how many starts and ends are tried.
        max_length: the most tokens that an answer may have.

    Returns:
        (first character, character after the last, score), or None where the window holds no context.
    """
    if not len(window.tokens):
        return None
    start_scores, end_scores = starts[window.tokens], ends[window.tokens]
    first = np.argsort(-start_scores, kind="stable")[:n_best]
    last = np.argsort(-end_scores, kind="stable")[:n_best]
    scores = start_scores[first][:, None] + end_scores[last][None, :]
    distance = last[None, :] - first[:, None]
    scores = np.where((distance >= 0) & (distance < max_length), scores, -np.inf)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    if np.isneginf(scores[row, column]):
        # No start lies before an end: fall back to the one best token, so that a window always answers something.
        token = int((start_scores + end_scores).argmax())
        first, last, row, column, scores = (
            np.array([token]),
            np.array([token]),
            0,
            0,
            np.array([[start_scores[token] + end_scores[token]]]),
        )
    begin = int(window.offsets[window.tokens[first[row]], 0])
    stop = int(window.offsets[window.tokens[last[column]], 1])
    return begin, stop, float(scores[row, column])
