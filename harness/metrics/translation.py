"""Translation metrics by sacrebleu."""

from itertools import zip_longest

import datasets
from sacrebleu.metrics import CHRF

from harness.metrics.base import OfflineMetric
from harness.metrics.counts import make_bleu


class TranslationMetric(OfflineMetric):
    """Corpus BLEU and chrF (0-100) with sacrebleu's signatures, brevity penalty and length ratio.

    `compute(predictions=[str], references=[[str]], tokenize="13a")`. Each row has one or more references; their number
    may differ. `tokenize` is BLEU's tokenizer, one of `harness.metrics.counts.TOKENIZERS`: "13a" for languages with
    blanks between words, "zh" for Chinese, "ja-mecab" for Japanese. `length_ratio` is the length of all predictions
    divided by that of the closest references, in BLEU's tokens.
    """

    _CITATION = """\
@inproceedings{post-2018-call, title={A Call for Clarity in Reporting {BLEU} Scores}, author={Post, Matt},
  booktitle={WMT}, pages={186--191}, year={2018}}
@inproceedings{popovic-2015-chrf, title={chr{F}: character n-gram {F}-score for automatic {MT} evaluation},
  author={Popovi{\\'c}, Maja}, booktitle={WMT}, pages={392--395}, year={2015}}"""
    _FEATURES = datasets.Features(
        {"predictions": datasets.Value("string"), "references": datasets.Sequence(datasets.Value("string"))}
    )

    def _fault(self, prediction, reference):
        if not isinstance(prediction, str):
            return f"the prediction must be a string: {prediction!r}"
        if isinstance(reference, str) or not reference or not all(isinstance(text, str) for text in reference):
            return f"references must be a list of one or more strings: {reference!r}"
        return None

    def _compute(self, predictions, references, tokenize="13a"):
        bleu, chrf = make_bleu(tokenize), CHRF()
        # sacrebleu takes the first references of all rows, then the second ones, …; None if a row has no more.
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
