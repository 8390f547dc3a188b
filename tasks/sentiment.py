"""Task family `sentiment`: how a text judges what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.proposal import Proposal
from tasks.classification import Classification

NAMES = ("sentiment", "polarity", "rating", "stars")
WORDS = ("pos", "neg", "neutral", "good", "bad", "mixed", "irrelevant", "gut", "schlecht", "正", "负", "中", "好", "差")
NUMBERS = ({"0", "1"}, {"-1", "1"}, {"-1", "0", "1"}, {"1", "2", "3", "4", "5"})


class Sentiment(Classification):
    """The polarity of a text (Pang et al. 2002; Socher et al. 2013). Primary metric: accuracy, as SST-2 is reported."""

    name = "sentiment"
    description = "the polarity of a text"
    columns = {"text": "the text that judges", "label": "its polarity"}

    def recognise(self, rows: Sequence[Mapping[str, Any]]) -> Proposal | None:
        """A single text whose labels judge: by their column's name, by words such as positive, or numbers that are used for it."""
        found = super().recognise(rows)
        if found is None or "text_pair" in found.columns:
            return None
        column = found.columns["label"]
        labels = {str(row[column]).strip().lower() for row in rows}
        judging = all(any(word in label for word in WORDS) for label in labels)
        return found if str(column).lower() in NAMES or judging or labels in NUMBERS else None
