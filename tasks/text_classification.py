"""Task family `text-classification`: topics, kinds of questions, entailment and other labels of a text or a pair."""

from __future__ import annotations

from tasks.classification import Classification


class TextClassification(Classification):
    """One label out of several for a text or a pair of texts. Primary metric: accuracy; also macro F1."""

    name = "text-classification"
    description = "one label out of several for a text or a pair of texts"
