"""Translation compared with sacrebleu and with values computed by hand."""

import json
import math
import random

import pytest
import sacrebleu

from harness.errors import BenchError
from harness.metrics.translation import TranslationMetric

TEXT = "the a small grey owl fox sleeps hunts by night , . Eule schläft über 1,999 (old) can't"


def score(predictions, references, **options):
    result = TranslationMetric().compute(predictions=predictions, references=references, **options)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tokenize", ["13a", "intl", "zh", "char", "none"])
def test_random_sentences_agree_with_sacrebleu(seed, tokenize):
    rng = random.Random(seed)
    references = [[" ".join(rng.choices(TEXT.split(), k=rng.randint(4, 12))) for _ in range(2)] for _ in range(30)]
    predictions = [" ".join(w for w in rng.choice(row).split() if rng.random() < 0.9) for row in references]
    streams = [list(stream) for stream in zip(*references, strict=True)]
    bleu = sacrebleu.corpus_bleu(predictions, streams, tokenize=tokenize)
    result = score(predictions, references, tokenize=tokenize)
    assert 10 < result["bleu"] < 100
    assert result == {
        "bleu": bleu.score,
        "bleu_signature": f"nrefs:2|case:mixed|eff:no|tok:{tokenize}|smooth:exp|version:{sacrebleu.__version__}",
        "chrf": sacrebleu.corpus_chrf(predictions, streams).score,
        "chrf_signature": f"nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{sacrebleu.__version__}",
        "brevity_penalty": bleu.bp,
        "length_ratio": bleu.sys_len / bleu.ref_len,
    }


def test_by_hand():
    # Shared n-grams of "owls hunt at night" in "owls hunt at night today": all, so BLEU is the brevity penalty alone.
    result = score(["owls hunt at night"], [["owls hunt at night today"]])
    assert result["bleu"] == pytest.approx(100 * math.exp(1 - 5 / 4)) and result["length_ratio"] == 0.8
    assert result["brevity_penalty"] == pytest.approx(math.exp(1 - 5 / 4))
    # Precisions 4/5, 2/4, 1/3 and, smoothed because there is no match, 1/2 of 1/2.
    result = score(["owls hunt at night now"], [["owls hunt by night now"]])
    assert result["bleu"] == pytest.approx(100 * (4 / 5 * 2 / 4 * 1 / 6 * 1 / 8) ** (1 / 4))


def test_rows_with_different_numbers_of_references():
    predictions = ["the small owl sleeps", "the fox hunts by night", "a third line of words"]
    references = [
        ["the owl sleeps", "the small owl sleeps", "an owl rests"],
        ["the fox hunts by night"],
        ["nothing", "a third line of words"],
    ]
    result = score(predictions, references)
    assert result["bleu"] == pytest.approx(100) and result["chrf"] == pytest.approx(100)
    assert "nrefs:var" in result["bleu_signature"] and "nrefs:var" in result["chrf_signature"]
    # A row's missing reference is absent, not empty: the closest length is that of a reference it has.
    assert result["length_ratio"] == 1
    assert score(["", "x"], [["a b c d"], ["x", "y"]])["length_ratio"] == pytest.approx(1 / 5)


def test_empty_and_wrong_predictions():
    empty = score(["", ""], [["the owl sleeps"], ["the fox"]])
    assert (empty["bleu"], empty["chrf"], empty["brevity_penalty"], empty["length_ratio"]) == (0, 0, 0, 0)
    wrong = score(["xx yy zz"], [["the owl sleeps"]])
    assert (wrong["bleu"], wrong["chrf"]) == (0, 0)
    assert 0 < score(["", "the old grey fox"], [["owl"], ["the old grey fox"]])["bleu"] < 100


def test_chinese_needs_its_tokeniser():
    predictions, references = ["貓頭鷹在夜裡飛過山"], [["貓頭鷹在夜裡飛過水"]]
    assert score(predictions, references)["bleu"] == 0
    assert score(predictions, references, tokenize="zh")["bleu"] > 50


def test_requests_that_cannot_be_scored():
    with pytest.raises(BenchError, match="'spm' is unknown; valid are 13a, "):
        score(["a"], [["a"]], tokenize="spm")
    with pytest.raises(ValueError, match="row 1: references must be a list of one or more strings"):
        score(["a", "b"], [["a"], []])
    with pytest.raises(ValueError, match="row 0: references must be a list"):
        score(["a"], ["a"])
    with pytest.raises(ValueError, match="row 0: the prediction must be a string"):
        score([None], [["a"]])
    with pytest.raises(ValueError, match="no rows to score"):
        score([], [])


def test_missing_tokeniser_names_the_package(monkeypatch):
    from sacrebleu.tokenizers import tokenizer_ja_mecab

    monkeypatch.setattr(tokenizer_ja_mecab, "MeCab", None, raising=False)
    with pytest.raises(BenchError, match=r"needs MeCab; install it with: pip install 'sacrebleu\[ja\]'"):
        score(["a"], [["a"]], tokenize="ja-mecab")
