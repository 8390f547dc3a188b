"""Task family `text-classification`: topics, questions, entailment and every other label of a text or a pair."""

from __future__ import annotations

from tasks.classification import Classification


class TextClassification(Classification):
    """A text, or a pair of texts, gets one of two to many labels. Primary metric: accuracy; macro F1 beside it."""

    name = "text-classification"
    description = "one label out of several for a text or a pair of texts"
