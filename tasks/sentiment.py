"""Task family `sentiment`: how a text judges what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.proposal import Proposal, cell
from tasks.classification import Classification

NAMES = ("sentiment", "polarity", "rating", "stars")
WORDS = ("pos", "neg", "neutral", "good", "bad", "mixed", "irrelevant", "gut", "schlecht", "正", "负", "中", "好", "差")
NUMBERS = ({"0", "1"}, {"-1", "1"}, {"-1", "0", "1"}, {"1", "2", "3", "4", "5"})


class Sentiment(Classification):
    """The polarity of a text (Pang et al. 2002; Socher et al. 2013). Primary metric: accuracy, as SST-2 is reported."""

    name = "sentiment"
    description = "the polarity of a text"
    columns = {"text": "the text that judges", "label": "its polarity"}

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Likely for single texts whose labels judge: by their column's name, by words as positive, or numbers used for it."""
        found = super().recognise(rows, given)
        if found is None:
            return None
        column = found.columns["label"]
        labels = {str(cell(row, column)).strip().lower() for row in rows}
        judging = all(any(word in label for word in WORDS) for label in labels)
        judging = judging or str(column).lower() in NAMES or labels in NUMBERS
        return replace(found, likely=found.likely and judging and "text_pair" not in found.columns)
