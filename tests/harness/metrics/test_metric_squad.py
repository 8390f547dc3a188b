"""Squad compared with recorded results of the published evaluation scripts (squad_cases.json)."""

import json
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.metrics.squad import Squad

CASES = json.loads(Path(__file__).with_name("squad_cases.json").read_text(encoding="utf-8"))


def score(pairs, probabilities=None, **options):
    """Score (prediction, golds) pairs; the predictions go in backwards, because rows are paired by id."""
    predictions = [{"id": str(n), "prediction_text": text} for n, (text, _) in enumerate(pairs)]
    for row, probability in zip(predictions, probabilities or [], strict=False):
        row["no_answer_probability"] = probability
    references = [
        {"id": str(n), "answers": {"text": golds, "answer_start": [0] * len(golds)}}
        for n, (_, golds) in enumerate(pairs)
    ]
    result = Squad().compute(predictions=predictions[::-1], references=references, **options)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


def published(recorded, version, unit="word"):
    """The recorded result of a script under this project's keys."""
    renamed = {"exact_match" if key == "exact" else key: value for key, value in recorded.items()}
    return {**renamed, "version": version, "unit": unit}


@pytest.mark.parametrize("case", CASES["odd"], ids=lambda case: repr((case["prediction"], *case["golds"])))
def test_single_questions_agree_with_both_scripts(case):
    pair = [(case["prediction"], case["golds"])]
    assert score(pair, version="1.1") == {"total": 1, **published(case["1.1"], "1.1")}
    assert score(pair, version="2.0") == published(case["2.0"], "2.0")


def test_random_answerable_questions():
    pairs = CASES["answerable"]["pairs"]
    assert score(pairs) == {"total": len(pairs), **published(CASES["answerable"]["1.1"], "1.1")}
    assert score(pairs, version="2.0") == published(CASES["answerable"]["2.0"], "2.0")


def test_random_questions_with_unanswerable_ones():
    pairs, probabilities = CASES["mixed"]["pairs"], CASES["mixed"]["probabilities"]
    plain = published(CASES["mixed"]["2.0"], "2.0")
    assert score(pairs) == plain
    assert score(pairs, probabilities) == plain, "at the script's default threshold the probabilities change nothing"
    assert score(pairs, probabilities, no_answer_threshold=0.6) == published(CASES["mixed"]["2.0 above 0.6"], "2.0")


def test_chinese_by_character():
    chinese = CASES["chinese"]
    expected = published(chinese["cmrc"], "1.1", "character")
    assert score(chinese["pairs"], unit="character") == {"total": len(chinese["pairs"]), **expected}
    for pair, each in zip(chinese["pairs"], chinese["each"], strict=True):
        result = score([pair], unit="character")
        assert (result["exact_match"], result["f1"]) == (each["exact_match"], each["f1"]), pair


def test_by_hand():
    # Four of five words shared: precision 4/4, recall 4/5, F1 8/9; the article is no word.
    result = score([("the small grey owl slept", ["small grey owl slept today"])])
    assert result["f1"] == pytest.approx(100 * 8 / 9) and result["exact_match"] == 0
    assert score([("an owl", ["a fox", "The owl!"])])["exact_match"] == 100
    # Three characters, of which the run of two at the end is shared: 2/3 either way; by words nothing is.
    assert score([("紅山水", ["夜山水"])], unit="character")["f1"] == pytest.approx(100 * 2 / 3)
    assert score([("紅山水", ["夜山水"])])["f1"] == 0
    assert score([("1,999.5 隻", ["1,999.5 鷹"])], unit="character")["f1"] == pytest.approx(50), (
        "a number is one segment"
    )


def test_unanswerable_only():
    result = score([("", []), ("owl", [])])
    assert result["version"] == "2.0" and result["exact_match"] == result["NoAns_f1"] == 50
    assert not any(key.startswith("HasAns") for key in result)
    assert score([("", []), ("紅", [])], unit="character")["f1"] == 50


def test_requests_that_cannot_be_scored():
    with pytest.raises(BenchError, match=r"'0'; use version 2\.0"):
        score([("owl", [])], version="1.1")
    with pytest.raises(BenchError, match=r"'2\.1' is unknown; valid are 1\.1, 2\.0"):
        score([("owl", ["owl"])], version="2.1")
    owl = {"text": ["owl"], "answer_start": [0]}
    with pytest.raises(ValueError, match="1 questions have no prediction, among them \\['b'\\]"):
        Squad().compute(predictions=[{"id": "a", "prediction_text": ""}], references=[{"id": "b", "answers": owl}])
    with pytest.raises(ValueError, match="not unique"):
        Squad().compute(
            predictions=[{"id": "a", "prediction_text": ""}] * 2, references=[{"id": "a", "answers": owl}] * 2
        )
    with pytest.raises(ValueError, match="row 0: prediction_text must be a string"):
        score([(None, ["owl"])])
    with pytest.raises(ValueError, match="list of strings"):
        score([("owl", "owl")])
    with pytest.raises(ValueError, match="no rows"):
        score([])
