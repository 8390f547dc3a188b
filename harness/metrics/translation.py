"""Translation scores by sacrebleu, with the signatures that make them comparable."""

from itertools import zip_longest

import datasets
import evaluate
from sacrebleu.metrics import BLEU, CHRF

from harness.errors import BenchError
from harness.metrics.base import OfflineMetric
from harness.metrics.bleu import TOKENIZERS, cure

_CITATION = """\
@inproceedings{post-2018-call, title={A Call for Clarity in Reporting {BLEU} Scores}, author={Post, Matt},
  booktitle={WMT}, pages={186--191}, year={2018}}
@inproceedings{popovic-2015-chrf, title={chr{F}: character n-gram {F}-score for automatic {MT} evaluation},
  author={Popovi{\\'c}, Maja}, booktitle={WMT}, pages={392--395}, year={2015}}"""


class Translation(OfflineMetric):
    """Corpus BLEU and chrF (both 0 to 100) with sacrebleu's signatures, brevity penalty and length ratio.

    `compute(predictions=[str], references=[[str]], tokenize="13a")`: every row has one or more references, and rows may
    have different numbers of them. `tokenize` is BLEU's tokeniser, one of `TOKENIZERS`; "13a" suits languages with
    blanks between words, "zh" Chinese, "ja-mecab" Japanese. `length_ratio` is the length of all predictions over that
    of the closest references, in BLEU's tokens.
    """

    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=self.__class__.__doc__,
            citation=_CITATION,
            features=datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
        )

    def _fault(self, prediction, reference):
        if not isinstance(prediction, str):
            return f"the prediction must be a string: {prediction!r}"
        if isinstance(reference, str) or not reference or not all(isinstance(text, str) for text in reference):
            return f"references must be a list of one or more strings: {reference!r}"
        return None

    def _compute(self, predictions, references, tokenize="13a"):
        bleu, chrf = _bleu(tokenize), CHRF()
        # sacrebleu wants the first reference of all rows, then the second, ...; None where a row has no more.
        streams = list(zip_longest(*references))
        bleu_score = bleu.corpus_score(predictions, streams)
        chrf_score = chrf.corpus_score(predictions, streams)
        return {
            "bleu": float(bleu_score.score),
            "bleu_signature": str(bleu.get_signature()),
            "chrf": float(chrf_score.score),
            "chrf_signature": str(chrf.get_signature()),
            "brevity_penalty": float(bleu_score.bp),
            "length_ratio": float(bleu_score.ratio),
        }


def _bleu(tokenize: str) -> BLEU:
    if tokenize not in TOKENIZERS:
        raise BenchError(f"BLEU tokeniser {tokenize!r} is unknown; valid are {', '.join(TOKENIZERS)}")
    try:
        return BLEU(tokenize=tokenize)
    except RuntimeError as error:  # sacrebleu's word for "MeCab is not installed"
        raise BenchError(cure(tokenize)) from error


def bleu_counts(predictions, references, tokenize="13a"):
    """What corpus BLEU is made of, and the BLEU of sums of it.

    Returns:
        [[hits of 1- to 4-grams, their totals, length, length of the closest reference]] by row, and a function from
        the sum of such lists to BLEU (0 to 100).
    """
    bleu = _bleu(tokenize)
    order = bleu.max_ngram_order
    rows = []
    for prediction, texts in zip(predictions, references, strict=True):
        score = bleu.corpus_score([prediction], [[text] for text in texts])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])

    def of(sums):
        counts, totals, (length, wanted) = sums[:order], sums[order : 2 * order], sums[2 * order :]
        return bleu.compute_bleu(
            [int(count) for count in counts], [int(total) for total in totals], int(length), int(wanted),
            smooth_method=bleu.smooth_method, smooth_value=bleu.smooth_value, effective_order=bleu.effective_order,
            max_ngram_order=order,
        ).score  # fmt: skip

    return rows, of
