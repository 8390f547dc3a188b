"""Bags of words and word pairs, weighed by TF-IDF, and a logistic regression: what a classifier without pre-training reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import registry
from harness.baseline import Baseline, Predictor
from harness.check.lengths import without_blanks
from harness.family import Row
from harness.task import Task
from tasks.baselines.majority import majority

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # of C: the smaller, the more the weights are held down
WORD = r"(?u)\b\w+\b"
STEPS = 1000  # of the solver at most


class LinearBaseline(Predictor):
    """A fitted regression.

    Args:
        vectorizers: column → its fitted `TfidfVectorizer`.
        model: a fitted `LogisticRegression`.
        choice: for the record.
    """

    def __init__(self, vectorizers: Mapping[str, Any], model: Any, choice: Mapping[str, Any]):
        self.vectorizers, self.model, self.choice = vectorizers, model, choice
        self.parameters = model.coef_.size + model.intercept_.size

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [str(label) for label in self.model.predict(_matrix(self.vectorizers, rows))] if rows else []


class TfidfRegression(Baseline):
    """TF-IDF (with logarithmic term frequency) of words and pairs of words, and logistic regression.

    Of `STRENGTHS` the one with the best validation is taken, of equal ones the smallest. Texts of scripts without blanks are cut
    into characters. The second text of a pair has features of its own. Where there is nothing to tell classes apart by, it
    is the majority.
    """

    name = "tfidf-lr"
    description = "TF-IDF of words and word pairs, logistic regression; strength chosen on validation"
    families = ("sentiment", "text-classification")
    seconds_a_row = 1e-3

    def fit(self, train: Sequence[Row], validation: Sequence[Row], task: Task, seed: int) -> Predictor:
        from sklearn.linear_model import LogisticRegression

        labels = [row["label"] for row in train]
        unit = "character" if without_blanks(row["text"] for row in train) else "word"
        vectorizers = _vectorizers(train, unit)
        if len(set(labels)) < 2 or not vectorizers:
            return majority(train)
        features = _matrix(vectorizers, train)
        best, found = -1.0, None
        for strength in STRENGTHS if validation else (1.0,):
            model = LogisticRegression(C=strength, max_iter=STEPS, random_state=seed).fit(features, labels)
            made = LinearBaseline(vectorizers, model, {"C": strength, "of": list(STRENGTHS), "unit": unit})
            reached = _score(made, validation, task)
            if reached > best:
                best, found = reached, made
        return found


def _vectorizers(train: Sequence[Row], unit: str) -> dict[str, Any]:
    """One for each text of a row; none for texts without any word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    made = {}
    for column in ("text", "text_pair"):
        texts = [row.get(column) or "" for row in train]
        if any(any(map(str.isalnum, text)) for text in texts):
            kind = {"analyzer": "char"} if unit == "character" else {"token_pattern": WORD}
            made[column] = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **kind).fit(texts)
    return made


def _matrix(vectorizers: Mapping[str, Any], rows: Sequence[Row]) -> Any:
    from scipy.sparse import hstack

    parts = [made.transform([row.get(column) or "" for row in rows]) for column, made in vectorizers.items()]
    return hstack(parts, format="csr")


def _score(predictor: Predictor, rows: Sequence[Row], task: Task) -> float:
    """The task's metric, 0-100; 0 for no rows."""
    if not rows:
        return 0.0
    family = registry.family(task.family)
    references = [family.reference(row, task) for row in rows]
    return family.metric(task).score(family.score(predictor.predict(rows), references, task))
