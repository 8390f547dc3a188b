"""Scores from predictions.jsonl by the libraries' own functions, and what a row adds to them. Imports nothing of harness."""

from __future__ import annotations

import re
import string
from collections import Counter
from itertools import zip_longest
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from seqeval.metrics import accuracy_score as tag_accuracy
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support


class NotKnown(Exception):
    """This script has no metric of its own for the record."""


def metrics(record: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, float]:
    """Name → value in the library's scale, of those metrics that are recomputed; the primary one is among them."""
    ours, gold = [line["prediction"] for line in lines], [line["reference"] for line in lines]
    return _family(record)[0](record, ours, gold)


def rows(record: dict[str, Any], lines: list[dict[str, Any]]) -> tuple[Any, Any]:
    """([rows, kinds] of counts, a function from their sums [..., kinds] to scores of 0-100): for resampling.

    Raises:
        NotKnown: the record is ranked by another metric than its family's usual one, which alone is counted here.
    """
    if record["primary_metric"] not in ("accuracy", "f1", "bleu") or (record["task"].get("options") or {}).get("metric"):
        raise NotKnown(f"rows of {record['primary_metric']}")
    ours, gold = [line["prediction"] for line in lines], [line["reference"] for line in lines]
    return _family(record)[1](record, ours, gold)


def scale(record: dict[str, Any]) -> float:
    """What makes a score of the primary metric."""
    return 1.0 if record["task"]["family"] in ("qa", "translation") else 100.0


def _family(record: dict[str, Any]) -> tuple[Any, Any]:
    known = {
        "sentiment": (_labels, _label_rows),
        "text-classification": (_labels, _label_rows),
        "ner": (_entities, _entity_rows),
        "qa": (_answers, _answer_rows),
        "translation": (_texts, _text_rows),
    }
    family, unit = record["task"]["family"], (record["task"].get("options") or {}).get("unit", "word")
    if family not in known or unit != "word":
        raise NotKnown(f"{family} with unit {unit}" if unit != "word" else family)
    return known[family]


def _labels(record: dict[str, Any], ours: list[str], gold: list[str]) -> dict[str, float]:
    found = {"accuracy": accuracy_score(gold, ours)}
    labels = record["task"].get("labels")
    names = sorted(set(gold) | set(ours))
    if not labels and set(ours) <= set(gold):  # macro means run over the task's labels, which the record need not tell
        for average in ("macro", "weighted"):
            parts = precision_recall_fscore_support(gold, ours, average=average, zero_division=0)
            found |= dict(zip([f"{average}_{name}" for name in ("precision", "recall", "f1")], parts[:3], strict=True))
    if len(names) > 1:
        found["matthews"] = matthews_corrcoef(gold, ours)
    return found


def _label_rows(record: dict[str, Any], ours: list[str], gold: list[str]) -> tuple[Any, Any]:
    return _mean([100.0 * (one == other) for one, other in zip(ours, gold, strict=True)])


def _mean(values: list[float]) -> tuple[Any, Any]:
    return np.stack([values, np.ones(len(values))], axis=1), lambda sums: sums[..., 0] / sums[..., 1]


def strict(record: dict[str, Any]) -> bool:
    """Whether entities are counted in seqeval's strict mode."""
    return (record["task"].get("options") or {}).get("mode", "default") == "strict"


def _entities(record: dict[str, Any], ours: list[Any], gold: list[Any]) -> dict[str, float]:
    how = {"mode": "strict", "scheme": IOB2} if strict(record) else {}
    functions = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    found = {name: one(gold, ours, zero_division=0, **how) for name, one in functions.items()}
    return {**found, "accuracy": tag_accuracy(gold, ours)}


def _entity_rows(record: dict[str, Any], ours: list[Any], gold: list[Any]) -> tuple[Any, Any]:
    if strict(record):
        raise NotKnown("rows of strict entities")
    pairs = [(set(get_entities(one)), set(get_entities(other))) for one, other in zip(ours, gold, strict=True)]
    counts = np.array([[len(a & b), len(a) + len(b)] for a, b in pairs], dtype=float)
    return counts, lambda sums: 200.0 * sums[..., 0] / np.maximum(sums[..., 1], 1)


def _normal(text: str) -> str:
    """As SQuAD's published script normalises an answer."""
    text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def _answer_scores(ours: list[str], gold: list[Any]) -> list[tuple[float, float]]:
    """(exact match, F1) of each question, 0-1, over the gold answer that suits best."""
    found = []
    for text, reference in zip(ours, gold, strict=True):
        answers = [_normal(answer) for answer in reference["answers"]["text"] if _normal(answer)] or [""]
        found.append(
            (max(float(_normal(text) == answer) for answer in answers), max(_f1(text, one) for one in answers))
        )
    return found


def _f1(text: str, answer: str) -> float:
    predicted, wanted = _normal(text).split(), answer.split()
    if not predicted or not wanted:
        return float(predicted == wanted)
    common = sum((Counter(predicted) & Counter(wanted)).values())
    return 2 * common / (len(predicted) + len(wanted))


def _answers(record: dict[str, Any], ours: list[str], gold: list[Any]) -> dict[str, float]:
    exact, f1 = zip(*_answer_scores(ours, gold), strict=True)
    return {"exact_match": 100 * float(np.mean(exact)), "f1": 100 * float(np.mean(f1))}


def _answer_rows(record: dict[str, Any], ours: list[str], gold: list[Any]) -> tuple[Any, Any]:
    return _mean([100 * f1 for _, f1 in _answer_scores(ours, gold)])


def _bleu(record: dict[str, Any]) -> BLEU:
    signature = record["metrics"]["test"]["bleu_signature"]
    return BLEU(tokenize=re.search(r"tok:([^|]+)", signature).group(1))


def _texts(record: dict[str, Any], ours: list[str], gold: list[list[str]]) -> dict[str, float]:
    streams = list(zip_longest(*gold))
    return {
        "bleu": _bleu(record).corpus_score(ours, streams).score,
        "chrf": CHRF().corpus_score(ours, streams).score,
    }


def _text_rows(record: dict[str, Any], ours: list[str], gold: list[list[str]]) -> tuple[Any, Any]:
    bleu = _bleu(record)
    found = [bleu.corpus_score([one], [[text] for text in texts]) for one, texts in zip(ours, gold, strict=True)]
    counts = np.array([[*row.counts, *row.totals, row.sys_len, row.ref_len] for row in found], dtype=float)

    def score(sums: Any) -> Any:
        whole = [[int(number) for number in one] for one in sums.reshape(-1, 10)]
        scores = [BLEU.compute_bleu(one[:4], one[4:8], one[8], one[9], smooth_method="exp").score for one in whole]
        return np.array(scores).reshape(sums.shape[:-1])

    return counts, score
