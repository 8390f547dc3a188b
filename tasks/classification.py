"""What sentiment and text classification have in common: a text, or two, and one label out of a fixed set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.family import Row, TaskFamily
from harness.metrics.classes import by_label
from harness.proposal import Proposal, cell
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

LONGEST_LABEL = 40  # characters
SHORTEST_TEXT = 12  # characters on average


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
    inputs = ("text", "text_pair")
    head = "harness.heads.sequence:SequenceHead"
    primary_metric = "accuracy"
    metrics = {
        **{f"{average}_{name}": 100.0 for name in ("f1", "precision", "recall") for average in ("macro", "weighted")},
        "matthews": 100.0,  # -1 to 1
    }

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

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """By the usual names; where these are missing, the only column of few values is the label, and the long ones the text."""
        found = super().recognise(rows, given)
        if found is not None:
            return replace(found, likely=_is_label([cell(row, found.columns["label"]) for row in rows], each=2))
        values = {name: [row.get(name) for row in rows] for name in rows[0]}
        classes = [name for name, column in values.items() if _is_label(column, each=4)]
        texts = [name for name, column in values.items() if name not in classes and _is_text(column)]
        if len(classes) != 1 or not texts:
            return None
        return Proposal({"text": texts if len(texts) > 1 else texts[0], "label": classes[0]})

    def stratum(self, row: Row) -> Hashable:
        return row["label"]

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"text": row["text"], "text_pair": row.get("text_pair"), "label": row["label"]}

    def reference(self, row: Row, task: Task) -> str:
        return row["label"]

    def score(self, predictions: Sequence[str], references: Sequence[str], task: Task) -> dict[str, Any]:
        from harness.metrics.classification import Classification as Metric

        return Metric().compute(predictions=predictions, references=references)

    def additive(self, predictions: Sequence[str], references: Sequence[str], task: Task) -> Additive:
        from harness.metrics.additive import mean_of, over_classes

        if (name := self.metric(task).name) != "accuracy":
            return over_classes(predictions, references, name)
        return mean_of([ours == gold for ours, gold in zip(predictions, references, strict=True)])

    def classes(self, predictions: Sequence[str], references: Sequence[str], task: Task) -> dict[str, Any]:
        return {"label": by_label(predictions, references)}

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """The most frequent class of the training rows."""
        majority = Counter(row["label"] for row in train).most_common(1)[0][0]
        return [majority] * len(rows)


def _is_label(column: Sequence[Any], each: int) -> bool:
    """Whether a column can be a label: short values, two or more, which come back `each` times on average."""
    if not all(isinstance(value, str | int) and 0 < len(str(value).strip()) <= LONGEST_LABEL for value in column):
        return False
    return 2 <= len(set(column)) <= len(column) / each


def _is_text(column: Sequence[Any]) -> bool:
    """Whether a column can be a text: most values differ, are longer than a name, and have blanks or letters beyond ASCII."""
    if not all(isinstance(value, str) for value in column):
        return False
    written = sum(" " in value.strip() or not value.isascii() for value in column)
    long = sum(map(len, column)) >= SHORTEST_TEXT * len(column)
    return long and min(len(set(column)), written) > len(column) / 2
