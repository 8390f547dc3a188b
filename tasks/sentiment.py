"""Task family `sentiment`: the polarity of a text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.column_profiles import ColumnProfile, name_words
from harness.proposal import Proposal, column_value
from tasks.classification import Classification

NAMES = ("sentiment", "polarity", "rating", "stars")
WORDS = ("pos", "neg", "neutral", "good", "bad", "mixed", "irrelevant", "gut", "schlecht", "正", "负", "中", "好", "差")
NUMBERS = (
    {"0", "1"}, {"-1", "1"}, {"-1", "0", "1"}, {"0", "4"}, {"0", "2", "4"},
    *({f"{star}{end}" for star in range(1, 6)} for end in ("", ".0")),
)  # fmt: skip


class Sentiment(Classification):
    """The polarity of a text (Pang et al. 2002; Socher et al. 2013). Primary metric: accuracy, as SST-2 is reported."""

    name = "sentiment"
    description = "the polarity of a text"
    columns = {"text": "the text that judges", "label": "its polarity"}
    usual_names = {
        **Classification.usual_names,
        "label": (*NAMES, "star_rating", "overall", "score", *Classification.usual_names["label"]),
    }

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Recognise single texts with labels of sentiment: by the name of the column, or by words or numbers that are usual for it."""
        proposal = super().recognise(rows, given)
        if proposal is None or "label" not in proposal.columns:
            return proposal
        column = proposal.columns["label"]
        labels = [str(column_value(row, column)).strip() for row in rows]
        judging = bool(set(name_words(column)) & set(NAMES)) or _are_judgements(set(labels)) or set(labels) in NUMBERS
        return replace(proposal, likely=proposal.likely and judging and "text_pair" not in proposal.columns)

    def _rank(self, looks: ColumnProfile) -> tuple[Any, ...]:
        """Sort key of candidates for the label; words of sentiment come before others with a name that fits as well."""
        unnamed, *rest = super()._rank(looks)
        return (unnamed, not _are_judgements(looks.values), *rest)


def _are_judgements(labels: Collection[str]) -> bool:
    """Whether labels are words of sentiment."""
    return bool(labels) and all(any(word in label.lower() for word in WORDS) for label in labels)
