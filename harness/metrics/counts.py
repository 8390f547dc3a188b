"""What metrics count in each row, and precision, recall and F1 of each class from these counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

from harness.errors import BenchError
from harness.metrics.answers import UNITS, best
from harness.metrics.bleu import TOKENIZERS, cure

# Precision, recall and F1 of each class alone, from counts. Loads nothing heavy: a leaderboard makes them of many records.


Parts = dict[str, dict[str, float]]


def by_label(predictions: Sequence[Any], references: Sequence[Any]) -> Parts:
    """Label → its scores, where each row has one label; the figures of scikit-learn's `precision_recall_fscore_support`."""
    right = Counter(gold for ours, gold in zip(predictions, references, strict=True) if ours == gold)
    return _scores(right, Counter(predictions), Counter(references))


def by_entity_type(predictions: Sequence[list[str]], references: Sequence[list[str]], mode: str = "default") -> Parts:
    """Entity type → its scores, counted as `harness.metrics.entities.Entities` does; its `per_type`."""

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


# What metrics count in each row. `evaluate`, which the metrics themselves are made for, is not loaded for it.


def entity_counts(
    predictions: Sequence[list[str]], references: Sequence[list[str]], mode: str = "default"
) -> list[tuple[int, int, int]]:
    """(right, predicted, wanted) entities of each row: what `Entities`' F1 is made of.

    Args:
        predictions, references: [[tag]], in IOB2.
        mode: as `Entities` takes it.
    """
    rows = ((entities(ours, mode), entities(gold, mode)) for ours, gold in zip(predictions, references, strict=True))
    return [(len(ours & gold), len(ours), len(gold)) for ours, gold in rows]


def entities(tags: list[str], mode: str = "default") -> set[tuple[Any, ...]]:
    """(type, start, end) of the entities of a row, in seqeval's way."""
    from seqeval.metrics.sequence_labeling import get_entities
    from seqeval.scheme import IOB2, Tokens

    if mode == "strict":
        return {(entity.tag, entity.start, entity.end) for entity in Tokens(tags, IOB2).entities}
    return set(get_entities(tags))


def bleu_counts(
    predictions: Sequence[str], references: Sequence[Sequence[str]], tokenize: str = "13a"
) -> tuple[list[list[int]], Callable[[Any], float]]:
    """What corpus BLEU is made of, and the BLEU of sums of it.

    Returns:
        [[hits of 1- to 4-grams, their totals, length, length of the closest reference]] by row, and a function from
        the sum of such lists to BLEU (0 to 100).
    """
    bleu = make_bleu(tokenize)
    order = bleu.max_ngram_order
    rows = []
    for prediction, texts in zip(predictions, references, strict=True):
        score = bleu.corpus_score([prediction], [[text] for text in texts])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])

    def of(sums: Any) -> float:
        counts, totals, (length, wanted) = sums[:order], sums[order : 2 * order], sums[2 * order :]
        return bleu.compute_bleu(
            [int(count) for count in counts], [int(total) for total in totals], int(length), int(wanted),
            smooth_method=bleu.smooth_method, smooth_value=bleu.smooth_value, effective_order=bleu.effective_order,
            max_ngram_order=order,
        ).score  # fmt: skip

    return rows, of


def chrf_counts(
    predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[int]], Callable[[Any], float]]:
    """What corpus chrF is made of, by row, and the chrF of sums of it; as `bleu_counts`."""
    chrf = CHRF()
    # What sacrebleu's own bootstrap resamples; it has no public name.
    rows = chrf._extract_corpus_statistics(predictions, list(zip_longest(*references)))
    return rows, lambda sums: chrf._compute_score_from_stats(list(sums)).score


def answer_scores(
    predictions: Sequence[str], references: Sequence[dict[str, Any]], unit: str = "word", metric: str = "f1"
) -> list[float]:
    """Exact match or F1 (0 to 1) of each question, in the references' order: their mean is `Squad`'s.

    Args:
        predictions: [str], one a question.
        references: as `Squad` takes them; the version follows from them as there.
        metric: `exact_match` or `f1`.
    """
    version = "1.1" if all(row["answers"]["text"] for row in references) else "2.0"
    return [
        best(UNITS[unit], text, row["answers"]["text"], version)[metric == "f1"]
        for text, row in zip(predictions, references, strict=True)
    ]


def make_bleu(tokenize: str) -> BLEU:
    """sacrebleu's BLEU with a tokeniser.

    Raises:
        BenchError: there is no such tokeniser, or it is not installed.
    """
    if tokenize not in TOKENIZERS:
        raise BenchError(f"BLEU tokeniser {tokenize!r} is unknown; valid are {', '.join(TOKENIZERS)}")
    try:
        return BLEU(tokenize=tokenize)
    except RuntimeError as error:  # sacrebleu's word for "MeCab is not installed"
        raise BenchError(cure(tokenize)) from error
