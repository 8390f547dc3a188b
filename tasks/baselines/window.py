"""Answers by counting: the span of the context that is surrounded by most words of the question.

This is the sliding window of Richardson et al. 2013 (MCTest, algorithm 1, with the distance of algorithm 2), for
answers that are spans of the context as in Rajpurkar et al. 2016 (SQuAD, section 5). They use the sentence around an
answer and take candidates from a parser; here the candidates are all spans of a certain length, which is chosen on the
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import registry
from harness.baseline import Baseline, Predictor
from harness.family import Row
from harness.task import Task
from tasks.baselines.passage import Passage, Span
from tasks.baselines.words import pattern

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 15)  # number of words of an answer
WIDTHS = (2, 4, 8, 16, 32)  # number of words on each side
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # share of the question that must be around an answer
ROWS = 400  # maximal number of rows to choose these on, so that it takes only seconds


class WindowBaseline(Predictor):
    """Predicts the best span of each context.

    Args:
        words: pattern of a word.
        length, width, threshold: see `LENGTHS`, `WIDTHS`, `THRESHOLDS`; below the threshold the answer is empty.
        rows: number of rows on which they were chosen.
    """

    def __init__(self, words: Any, length: int, width: int, threshold: float, rows: int):
        self.words, self.length, self.width, self.threshold = words, length, width, threshold
        self.choice = {"length": length, "width": width, "threshold": threshold, "chosen_on_rows": rows}

    def predict(self, rows: Sequence[Row]) -> list[str]:
        passages = (Passage(row["question"], row["context"], self.words) for row in rows)
        return _answers([one.best(self.length, self.width) for one in passages], self.threshold)


class SlidingWindow(Baseline):
    """The span of the context that is surrounded by most of the question.

    Its length and the width of the window are chosen for the best score on the answered questions of up to `ROWS` rows
    of train and validation; nothing else is learned from either. If training rows without an answer exist, the
    threshold is chosen next.
    """

    name = "sliding-window"
    description = "the piece of the context around which most words of the question stand"
    families = ("qa",)
    seconds_a_row = 2e-3

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> WindowBaseline:
        # New ids: rows of different splits may have the same id, which the metric does not allow.
        rows = [{**row, "id": str(number)} for number, row in enumerate(_spread([*train, *validation]))]
        words = pattern(row["context"] for row in rows)
        passages = [Passage(row["question"], row["context"], words) for row in rows]
        answered = [number for number, row in enumerate(rows) if row["answers"]["text"]] or list(range(len(rows)))
        family = registry.family(task.family)
        metric, references = family.metric(task), [family.reference(row, task) for row in rows]

        def score(setting: tuple[int, int], threshold: float, numbers: Sequence[int]) -> float:
            predictions = _answers([passages[number].best(*setting) for number in numbers], threshold)
            return metric.score(family.score(predictions, [references[number] for number in numbers], task))

        # `max` returns the first of equal ones.
        settings = [(length, width) for length in LENGTHS for width in WIDTHS]
        setting = max(settings, key=lambda one: score(one, 0.0, answered))
        may_be_empty = task.options.get("unanswerable") is not False and any(not row["answers"]["text"] for row in train)
        threshold = max(THRESHOLDS, key=lambda one: score(setting, one, range(len(rows)))) if may_be_empty else 0.0
        return WindowBaseline(words, *setting, threshold, len(rows))


def _answers(spans: Sequence[Span], threshold: float) -> list[str]:
    return [span.text if span.share >= threshold else "" for span in spans]


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    """Every n-th row."""
    return rows[:: max(1, -(-len(rows) // ROWS))]
