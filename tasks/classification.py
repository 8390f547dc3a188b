"""The base of the families `sentiment` and `text-classification`: one label for a text or a pair of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.column_profiles import COMPLETE, ColumnProfile, match_name, name_words, profile_columns
from harness.data.values import LABEL, TEXT
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import WARNING, Finding
from harness.metrics.counts import by_label
from harness.proposal import Proposal, find_columns
from harness.row_preparation import COMMON_COLUMNS
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

# Kinds of content that columns with usual names may have. The check reports what is wrong with them.
LABELS = ("classes", "constant", "numbers", "words", "ids", "lists")
TEXTS = ("text", "classes", "words", "ids", "links", "constant")
NO_LABEL = {"id", "ids", "confidence", "count", "date", "time", "year", "month", "day", "user", "votes"}  # words in names of columns that are no labels
UNNAMED = (9, 0)
FEW = 5  # fewer empty texts may be chance
JOINED = 0.2  # texts without usual names are joined with the longest one if they have at least this share of its length


class Classification(TaskFamily):
    """Base of the families with one label per text."""

    columns = {"text": "the text", "label": "its class"}
    optional_columns = {"text_pair": "the second text of a pair"}
    column_types = {"text": TEXT, "text_pair": TEXT, "label": LABEL}
    usual_names = {
        "text": (
            "sentence", "review", "content", "comment", "tweet", "document", "body", "sentence1", "premise", "question",
            "reviews", "review_text", "review_body", "message", "utterance", "headline", "query", "abstract",
            "text_a", "sentence_a", "question1", "comment_text", "sms",
        ),
        "label": (
            "class", "category", "target", "topic", "y", "sentiment", "polarity", "rating", "stars", "labels", "intent",
            "star_rating", "star", "score", "gold_label", "label_name", "overall", "is_duplicate",
        ),
        "text_pair": ("sentence2", "hypothesis", "hypo", "text_b", "sentence_b", "question2"),
    }  # fmt: skip
    inputs = ("text", "text_pair")
    options = {"language": "language of the texts (ISO 639-1), for readers of the record"}
    option_values = {"language": LANGUAGE}
    head = "harness.heads.sequence:SequenceHead"
    primary_metric = "accuracy"
    metrics = {
        **{f"{average}_{name}": 100.0 for name in ("f1", "precision", "recall") for average in ("macro", "weighted")},
        "matthews": 100.0,  # -1 to 1
    }

    def prepare(self, row: Row, task: Task) -> Row:
        texts = {name: row[name].strip() for name in self.inputs if name in row}
        return {**row, **texts, "label": task.label_name(row["label"])}

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str]:
        used = {row["label"] for row in splits["train"]}
        return [name for name in task.label_order if name in used] or sorted(used)

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        """Find texts that exist only for some labels, such as a reason that only complaints have."""
        rows = [row for part in splits.values() for row in part]
        filled = {row["label"] for row in rows if row["text"]}
        missing = [row["label"] for row in rows if not row["text"]]
        if filled and len(missing) >= FEW and not filled & set(missing):
            message = (
                f"the text is filled exactly where the label is {' or '.join(sorted(filled))}, and empty in all {len(missing):,} other rows: "
                "it gives the label away; is it the right column?"
            )
            yield Finding(WARNING, "text-tells-label", message, len(missing))

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Recognise columns by usual names and by content: texts are long and differ, labels are few and repeat.

        A usual name counts most, then a name that starts or ends with one. If no text has such a name, all long texts
        are joined. Ids, dates, links and numbers that hardly repeat are never labels.
        """
        exact = find_columns(rows[0], self.usual_names, (*self.columns, *self.optional_columns))
        if any("." in name and name not in rows[0] for name in exact.values()):  # fields of a struct
            return Proposal(exact)
        looks = profile_columns(rows)
        label, labels = _first(self._labels_among(list(looks.values())))
        text, texts = _first(self._texts_among([one for one in looks.values() if one is not label]))
        columns: dict[str, Any] = {}
        if text:
            columns["text"] = text.name
            if self._named("text", text) is None:
                long = [one for one in looks.values() if one in (text, *texts) and one.length >= text.length * JOINED]
                texts = [one for one in texts if one not in long]
                columns["text"] = [one.name for one in long] if len(long) > 1 else text.name
        if label:
            columns["label"] = label.name
        pair = exact.get("text_pair")
        if pair and pair not in columns.values():
            columns["text_pair"] = pair
            texts = [one for one in texts if one.name != pair]
        undecided = label is not None and any(self._rank(one) == self._rank(label) for one in labels)
        return Proposal(
            columns,
            likely=label is not None and label.repeats(2) and not undecided,
            others={name: [one.name for one in some] for name, some in (("text", texts), ("label", labels)) if some},
            undecided=["label"] if undecided else [],
        )

    def _named(self, column: str, looks: ColumnProfile) -> tuple[int, int] | None:
        """How well the name of a column of the data matches a column of the family."""
        return match_name(looks.name, (column, *self.usual_names.get(column, ())))

    def _rank(self, looks: ColumnProfile) -> tuple[Any, ...]:
        """Sort key of candidates for the label, the likeliest first; equal if nothing favours one of two."""
        named = self._named("label", looks)
        return (named is None, looks.kind != "classes", named, looks.numeric)

    def _labels_among(self, columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
        labels = []
        for one in columns:
            fit = self._named("label", one)
            if fit and fit[0] == 0 and one.kind in LABELS:
                labels.append(one)
            elif one.kind != "classes" or one.filled < COMPLETE or one.name in COMMON_COLUMNS or set(name_words(one.name)) & NO_LABEL:
                continue
            elif fit or one.repeats(4):
                labels.append(one)
        return sorted(labels, key=self._rank)  # stable: of equal ones the first

    def _texts_among(self, columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
        def rank(one: ColumnProfile) -> tuple[Any, ...]:
            fit = self._named("text", one)
            return (fit if fit and fit[0] == 0 else UNNAMED, fit is None, -one.length * len(one.values))

        texts = [
            one
            for one in columns
            if ((fit := self._named("text", one)) and fit[0] == 0 and one.kind in TEXTS)
            or (one.kind == "text" and one.filled >= COMPLETE)
        ]  # fmt: skip
        return sorted(texts, key=rank)

    def stratum(self, row: Row) -> Hashable:
        return row["label"]

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"text": row["text"], "text_pair": row.get("text_pair"), "label": row["label"]}

    def reference(self, row: Row, task: Task) -> str:
        return row["label"]

    def score(self, predictions: Sequence[str], references: Sequence[str], task: Task) -> dict[str, Any]:
        from harness.metrics.classification import ClassificationMetric as Metric

        # The same classes for all models: those of the test rows, whatever else a model predicts.
        return Metric().compute(predictions=predictions, references=references, labels=sorted(set(references)))

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


def _first(columns: Sequence[ColumnProfile]) -> tuple[ColumnProfile | None, list[ColumnProfile]]:
    return (columns[0], list(columns[1:])) if columns else (None, [])
