"""Answers found by counting: the piece of the context around which most of the question's words stand.

The sliding window of Richardson et al. 2013 (MCTest, algorithm 1, with the distance of algorithm 2), for answers that are pieces
of the context as in Rajpurkar et al. 2016 (SQuAD, section 5), who look at the sentence around an answer and take the answers to
choose from out of a parser; here these are all runs of a number of words that is chosen on the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import registry
from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task
from tasks.baselines.passage import FoundAnswer, Passage
from tasks.baselines.words import pattern

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 15)  # words of an answer
WIDTHS = (2, 4, 8, 16, 32)  # words on each side of it
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # share of the question that has to be found for an answer
ROWS = 400  # of train and validation that lengths are chosen on, so that it takes seconds


class WindowBaseline(Predictor):
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

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> WindowBaseline:
        # Numbered anew: rows of different splits may have the same id, which scoring does not allow.
        rows = [{**row, "id": str(number)} for number, row in enumerate(_spread([*train, *validation]))]
        words = pattern(row["context"] for row in rows)
        passages = [Passage(row["question"], row["context"], words) for row in rows]
        answered = [number for number, row in enumerate(rows) if row["answers"]["text"]] or list(range(len(rows)))
        family = registry.family(task.family)
        metric, references = family.metric(task), [family.reference(row, task) for row in rows]

        def reached(setting: tuple[int, int], threshold: float, numbers: Sequence[int]) -> float:
            predictions = _answers([passages[number].best(*setting) for number in numbers], threshold)
            return metric.score(family.score(predictions, [references[number] for number in numbers], task))

        # `max` gives the first of equal ones.
        settings = [(length, width) for length in LENGTHS for width in WIDTHS]
        setting = max(settings, key=lambda one: reached(one, 0.0, answered))
        none = task.options.get("unanswerable") is not False and any(not row["answers"]["text"] for row in train)
        threshold = max(THRESHOLDS, key=lambda one: reached(setting, one, range(len(rows)))) if none else 0.0
        return WindowBaseline(words, *setting, threshold, len(rows))


def _answers(found: Sequence[FoundAnswer], threshold: float) -> list[str]:
    return [one.text if one.share >= threshold else "" for one in found]


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    """Every n-th row."""
    return rows[:: max(1, -(-len(rows) // ROWS))]
