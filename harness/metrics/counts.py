"""Counts by row and by class, from which metrics are computed.

Nothing heavy is loaded at import: leaderboards compute scores by class from many records, and plans check options of
    metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.languages import SINITIC, UNSPACED, base_code
from harness.metrics.answers import UNITS, best_match

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

ClassScores = dict[str, dict[str, float]]

# BLEU's tokenizers, without those of sacrebleu that download a model.
TOKENIZERS = ("13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none")
MODULES = {"ja-mecab": "MeCab", "ko-mecab": "mecab_ko"}  # imported by the tokenizer, but not installed with sacrebleu
_BY_LANGUAGE = {**dict.fromkeys(SINITIC, "zh"), "ja": "ja-mecab", "ko": "ko-mecab"}


def by_label(predictions: Sequence[Any], references: Sequence[Any]) -> ClassScores:
    """Label → its scores, for one label per row, as by scikit-learn's `precision_recall_fscore_support`."""
    correct = Counter(label for label, predicted in zip(references, predictions, strict=True) if predicted == label)
    return _class_scores(correct, Counter(predictions), Counter(references))


def by_entity_type(
    predictions: Sequence[list[str]], references: Sequence[list[str]], mode: str = "default"
) -> ClassScores:
    """Entity type → its scores, equal to `per_type` of `harness.metrics.entities.Entities`."""
    correct, predicted, actual = Counter(), Counter(), Counter()
    for tags, reference in zip(predictions, references, strict=True):
        ours, gold = entities(tags, mode), entities(reference, mode)
        for counts, part in ((correct, ours & gold), (predicted, ours), (actual, gold)):
            counts.update(entity[0] for entity in part)
    return _class_scores(correct, predicted, actual)


def _class_scores(correct: Counter[Any], predicted: Counter[Any], actual: Counter[Any]) -> ClassScores:
    """Scores of the classes that occur in the references, sorted by name. Undefined ratios are 0."""
    return {
        str(name): {
            "rows": actual[name],
            "score": 100 * (f1 := 2 * correct[name] / (predicted[name] + actual[name])),
            "precision": correct[name] / predicted[name] if predicted[name] else 0.0,
            "recall": correct[name] / actual[name],
            "f1": f1,
        }
        for name in sorted(actual)
    }


def entity_counts(
    predictions: Sequence[list[str]], references: Sequence[list[str]], mode: str = "default"
) -> list[tuple[int, int, int]]:
    """(correct, predicted, actual) entities of each row of IOB2 tags; the F1 of `Entities` is a function of their sums."""
    rows = ((entities(ours, mode), entities(gold, mode)) for ours, gold in zip(predictions, references, strict=True))
    return [(len(ours & gold), len(ours), len(gold)) for ours, gold in rows]


def entities(tags: list[str], mode: str = "default") -> set[tuple[Any, ...]]:
    """(type, start, end) of each entity of a row, as seqeval finds them."""
    from seqeval.metrics.sequence_labeling import get_entities
    from seqeval.scheme import IOB2, Tokens

    if mode == "strict":
        return {(entity.tag, entity.start, entity.end) for entity in Tokens(tags, IOB2).entities}
    return set(get_entities(tags))


def usual_tokenizer(language: object) -> str:
    """BLEU's usual tokenizer for a target language (ISO 639-1). Some languages have no blanks between words."""
    language = base_code(language)
    return _BY_LANGUAGE.get(language, "char" if language in UNSPACED else "13a")


def mecab_message(tokenizer: str) -> str:
    """The message for a tokenizer that needs MeCab, if that is not installed."""
    return f"BLEU tokeniser {tokenizer!r} needs MeCab; install it with: pip install 'sacrebleu[{tokenizer[:2]}]'"


def make_bleu(tokenize: str) -> BLEU:
    """sacrebleu's BLEU with this tokenizer, or `BenchError` if that is unknown or not installed."""
    from sacrebleu.metrics import BLEU

    if tokenize not in TOKENIZERS:
        raise BenchError(f"BLEU tokeniser {tokenize!r} is unknown; valid are {', '.join(TOKENIZERS)}")
    try:
        return BLEU(tokenize=tokenize)
    except RuntimeError as error:  # raised by sacrebleu if MeCab is not installed
        raise BenchError(mecab_message(tokenize)) from error


def bleu_counts(
    predictions: Sequence[str], references: Sequence[Sequence[str]], tokenize: str = "13a"
) -> tuple[list[list[int]], Callable[[Any], float]]:
    """The counts of corpus BLEU by row, and a function from their sums to BLEU (0-100).

    The counts of a row are the matches of 1- to 4-grams, the numbers of 1- to 4-grams, the length, and the length of
    the closest reference.
    """
    bleu = make_bleu(tokenize)
    order = bleu.max_ngram_order
    rows = []
    for prediction, texts in zip(predictions, references, strict=True):
        score = bleu.corpus_score([prediction], [[text] for text in texts])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])

    def score_sums(sums: Any) -> float:
        *ngrams, length, reference_length = (int(value) for value in sums)
        return bleu.compute_bleu(
            ngrams[:order], ngrams[order:], length, reference_length,
            smooth_method=bleu.smooth_method, smooth_value=bleu.smooth_value, effective_order=bleu.effective_order,
            max_ngram_order=order,
        ).score  # fmt: skip

    return rows, score_sums


def chrf_counts(
    predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[int]], Callable[[Any], float]]:
    """The counts of corpus chrF by row, and a function from their sums to chrF (0-100)."""
    from sacrebleu.metrics import CHRF

    chrf = CHRF()
    # The statistics that sacrebleu's own bootstrap resamples. They have no public name.
    rows = chrf._extract_corpus_statistics(predictions, list(zip_longest(*references)))
    return rows, lambda sums: chrf._compute_score_from_stats(list(sums)).score


def answer_scores(
    predictions: Sequence[str], references: Sequence[dict[str, Any]], unit: str = "word", metric: str = "f1"
) -> list[float]:
    """Exact match or F1 (0-1) of each question; their mean is that of `harness.metrics.squad.Squad`.

    Args:
        predictions: one text for each question.
        references: as `Squad` takes them, in the same order. The version follows from them in the same way.
        metric: `exact_match` or `f1`.
    """
    version = "1.1" if all(row["answers"]["text"] for row in references) else "2.0"
    return [
        best_match(UNITS[unit], text, row["answers"]["text"], version)[metric == "f1"]
        for text, row in zip(predictions, references, strict=True)
    ]
