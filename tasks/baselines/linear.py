"""Logistic regression on TF-IDF features of words and word pairs: a classifier without pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import registry
from harness.baseline import Baseline, Predictor
from harness.check.lengths import without_blanks
from harness.family import Row
from harness.task import Task
from tasks.baselines.majority import majority

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # candidates for C, the inverse strength of regularisation
WORD = r"(?u)\b\w+\b"
STEPS = 1000  # maximal number of steps of the solver


class LinearBaseline(Predictor):
    """A fitted logistic regression.

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
    """Logistic regression on TF-IDF (with logarithmic term frequency) of words and word pairs.

    Of `STRENGTHS` the one with the best validation score is chosen, of equal ones the smallest. Texts in scripts
    without blanks are split into characters. The second text of a pair has its own features. Without features, or with
    a single class, the majority class is predicted.
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
        best, chosen = -1.0, None
        for strength in STRENGTHS if validation else (1.0,):
            model = LogisticRegression(C=strength, max_iter=STEPS, random_state=seed).fit(features, labels)
            candidate = LinearBaseline(vectorizers, model, {"C": strength, "of": list(STRENGTHS), "unit": unit})
            score = _score(candidate, validation, task)
            if score > best:
                best, chosen = score, candidate
        return chosen


def _vectorizers(train: Sequence[Row], unit: str) -> dict[str, Any]:
    """A fitted vectorizer for each text of a row, except texts without any word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizers = {}
    for column in ("text", "text_pair"):
        texts = [row.get(column) or "" for row in train]
        if any(any(map(str.isalnum, text)) for text in texts):
            kind = {"analyzer": "char"} if unit == "character" else {"token_pattern": WORD}
            vectorizers[column] = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **kind).fit(texts)
    return vectorizers


def _matrix(vectorizers: Mapping[str, Any], rows: Sequence[Row]) -> Any:
    from scipy.sparse import hstack

    parts = [fitted.transform([row.get(column) or "" for row in rows]) for column, fitted in vectorizers.items()]
    return hstack(parts, format="csr")


def _score(predictor: Predictor, rows: Sequence[Row], task: Task) -> float:
    """The primary metric of the task (0-100); 0 without rows."""
    if not rows:
        return 0.0
    family = registry.family(task.family)
    references = [family.reference(row, task) for row in rows]
    return family.metric(task).score(family.score(predictor.predict(rows), references, task))
