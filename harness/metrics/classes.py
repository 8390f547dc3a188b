"""Precision, recall and F1 of each class alone, from counts. Loads nothing heavy: a leaderboard makes them of many records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

Parts = dict[str, dict[str, float]]


def by_label(predictions: Sequence[Any], references: Sequence[Any]) -> Parts:
    """Label → its scores, where each row has one label; the figures of scikit-learn's `precision_recall_fscore_support`."""
    right = Counter(gold for ours, gold in zip(predictions, references, strict=True) if ours == gold)
    return _scores(right, Counter(predictions), Counter(references))


def by_entity_type(predictions: Sequence[list[str]], references: Sequence[list[str]], mode: str = "default") -> Parts:
    """Entity type → its scores, counted as `harness.metrics.entities.Entities` does; its `per_type`."""
    from harness.metrics.counts import entities

    right: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for ours, gold in zip(predictions, references, strict=True):
        found, there = entities(ours, mode), entities(gold, mode)
        for counts, some in ((right, found & there), (predicted, found), (wanted, there)):
            counts.update(entity[0] for entity in some)
    return _scores(right, predicted, wanted)


def _scores(right: Counter[Any], predicted: Counter[Any], wanted: Counter[Any]) -> Parts:
    """Those that the references have, by name; undefined ratios are 0."""
    found = {}
    for name in sorted(wanted):
        precision = right[name] / predicted[name] if predicted[name] else 0.0
        recall = right[name] / wanted[name]
        f1 = 2 * right[name] / (predicted[name] + wanted[name])
        found[str(name)] = {
            "rows": wanted[name], "score": 100 * f1, "precision": precision, "recall": recall, "f1": f1
        }  # fmt: skip
    return found
