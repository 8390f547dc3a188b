"""What sentiment and text classification have in common: a text, or two, and one label out of a fixed set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from harness.family import Row, TaskFamily
from harness.task import Task


class Classification(TaskFamily):
    """Base of the families that give a text one of several labels."""

    columns = {"text": "the text", "label": "its class"}
    optional_columns = {"text_pair": "the second text of a pair"}
    usual_names = {
        "text": (
            "sentence", "review", "content", "comment", "tweet", "document", "body", "sentence1", "premise", "question",
            "reviews", "review_text", "review_body", "message", "utterance", "headline", "query", "abstract",
            "text_a", "sentence_a",
        ),
        "label": (
            "class", "category", "target", "topic", "y", "sentiment", "polarity", "rating", "stars", "labels", "intent",
            "star_rating", "star", "score", "gold_label", "label_name",
        ),
        "text_pair": ("sentence2", "hypothesis", "hypo", "text_b", "sentence_b"),
    }  # fmt: skip
    head = "harness.heads.sequence:SequenceHead"
    primary_metric = "accuracy"

    def prepare(self, row: Row, task: Task) -> Row:
        texts = {name: self._text(name, row[name]) for name in ("text", "text_pair") if name in row}
        return {**row, **texts, "label": task.label_name(row["label"])}

    def _text(self, name: str, value: Any) -> str:
        if isinstance(value, list | dict):
            raise ValueError(f"{name} is a {type(value).__name__}, not a text; name the column of the text")
        return str(value or "").strip()

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str]:
        used = {row["label"] for row in splits["train"]}
        return [name for name in task.label_order if name in used] or sorted(used)

    def stratum(self, row: Row) -> Hashable:
        return row["label"]

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"text": row["text"], "text_pair": row.get("text_pair"), "label": row["label"]}

    def reference(self, row: Row, task: Task) -> str:
        return row["label"]

    def score(self, predictions: Sequence[str], references: Sequence[str], task: Task) -> dict[str, Any]:
        from harness.metrics.classification import Classification as Metric

        return Metric().compute(predictions=predictions, references=references)

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """The most frequent class of the training rows."""
        majority = Counter(row["label"] for row in train).most_common(1)[0][0]
        return [majority] * len(rows)
