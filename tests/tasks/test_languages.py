"""Languages without blanks: the tokenisers and units that options choose, against the reference implementations."""

import importlib.util
import re
from pathlib import Path

import pytest
import sacrebleu

from harness import languages, registry
from harness.check.reading import language_options
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.quick import quick_task
from harness.planning.request import Request
from harness.task import Task
from tasks.translation import tokenizer

CHINESE = (["我们今天去山上看云。", "水很冷，他不喜欢。"], ["我们明天去山上看云。", "水很冷，她不喜欢！"])
GERMAN = (["der Hund schläft heute.", "ein kaltes Haus"], ["der Hund schläft.", "ein kaltes, altes Haus"])
JAPANESE = (["今日は山へ行きます。", "水は冷たい。"], ["明日は山へ行きます。", "水が冷たいです。"])


def task(family, **options):
    return Task("made", family, FileSource("csv", {"all": __file__}), options=options)


def translation_score(texts, **options):
    predictions, references = texts
    return registry.family("translation").score(
        predictions, [[text] for text in references], task("translation", **options)
    )


@pytest.mark.parametrize(
    ("texts", "options", "tokenizer"),
    [
        (CHINESE, {"target_language": "zh"}, "zh"),
        (CHINESE, {"target_language": "zh-TW"}, "zh"),
        (CHINESE, {"target_language": "zh", "tokenize": "char"}, "char"),
        (GERMAN, {"target_language": "de"}, "13a"),
        (GERMAN, {}, "13a"),
        (JAPANESE, {"target_language": "th"}, "char"),
    ],
)
def test_bleu_is_sacrebleu_s_with_the_language_s_tokeniser(texts, options, tokenizer):
    result = translation_score(texts, **options)
    expected = sacrebleu.corpus_bleu(texts[0], [texts[1]], tokenize=tokenizer).score
    assert result["bleu"] == pytest.approx(expected) and expected > 0
    assert f"tok:{tokenizer}" in result["bleu_signature"]


@pytest.mark.skipif(importlib.util.find_spec("MeCab") is None, reason="needs sacrebleu[ja]")
def test_japanese_by_mecab():
    result = translation_score(JAPANESE, target_language="ja")
    assert result["bleu"] == pytest.approx(sacrebleu.corpus_bleu(JAPANESE[0], [JAPANESE[1]], tokenize="ja-mecab").score)


@pytest.mark.parametrize(("language", "extra"), [("ja", "ja"), ("ko", "ko")])
def test_a_tokeniser_that_is_not_installed_is_said_at_plan_time(tmp_path, monkeypatch, language, extra):
    monkeypatch.setattr("tasks.translation.find_spec", lambda name: None)
    (tmp_path / "t.csv").write_text("source,target\n" + "a,b\n" * 9)
    text = f"family: translation\ndata: {{format: csv, files: t.csv}}\noptions: {{target_language: {language}}}\n"
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(BenchError, match=rf"task 't'.*pip install 'sacrebleu\[{extra}\]'") as caught:
        make_plan(Request(["bert-mini"], [str(Path(tmp_path, "t.yaml"))]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "options", "words"),
    [
        ("translation", {"tokenize": "zhh"}, "unknown tokenize 'zhh'; did you mean 'zh'"),
        ("qa", {"unit": "charakter"}, "unknown unit 'charakter'; did you mean 'character'"),
    ],
)
def test_options_that_nothing_knows(family, options, words):
    with pytest.raises(BenchError, match=words):
        registry.family(family).check_options(task(family, **options))


def answer_score(prediction, gold, **options):
    reference = {"id": "1", "answers": {"text": [gold], "answer_start": [0]}}
    return registry.family("qa").score([prediction], [reference], task("qa", **options))


@pytest.mark.parametrize(
    ("prediction", "gold", "options", "unit", "f1"),
    [
        ("夜山水", "山水", {"language": "zh"}, "character", 80.0),
        ("夜山水", "山水", {"language": "zh", "unit": "word"}, "word", 0.0),
        ("夜山水", "山水", {}, "word", 0.0),
        ("the red house", "red house", {"language": "en"}, "word", 100.0),
        ("きのう", "きの", {"language": "ja"}, "any-character", 80.0),
        ("きのう", "きの", {"language": "zh"}, "character", 0.0),  # CMRC's script takes kana for words
        ("กขค", "กข", {"language": "th"}, "any-character", 80.0),
    ],
)
def test_answers_are_compared_as_their_language_is_written(prediction, gold, options, unit, f1):
    result = answer_score(prediction, gold, **options)
    assert result["unit"] == unit and result["f1"] == pytest.approx(f1)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("zho", "zh"), ("chi", "zh"), ("cn", "zh"), ("cmn-Hans", "zh"), ("zh_TW", "zh"), ("Chinese", "zh"), ("jp", "ja"), ("jpn", "ja"),
        ("ger", "de"), ("deu_Latn", "de"), ("english", "en"), ("en_US", "en"), ("yue", "yue"), ("fil", "tl"), ("hsb", "hsb"),
    ],
)  # fmt: skip
def test_codes_and_names_with_one_sensible_reading(code, meant):
    family = registry.family("translation")
    assert languages.base_code(code) == meant and not family.option_fault("target_language", code)
    assert tokenizer(task("translation", target_language=code)) == tokenizer(task("translation", target_language=meant))
    same = meant == re.split("[-_]", code)[0]
    assert languages.reading_note(code) == ("" if same else f"{code} is read as {meant}")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("xx", "is xx; it must be the code of a language (ISO 639-1), such as ar, cs, de"),
        ("germn", "did you mean de (German)?"),
        ("kr", "is kr, the code of Kanuri; write ko if Korean is meant, and kau if not"),
        ("zh--x", "it must be the code"), ("", "it must be the code"), (5, "is 5; it must be the code"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("family", "option"), [("translation", "target_language"), ("qa", "language"), ("ner", "language")]
)
def test_codes_that_are_none_are_refused(family, option, code, words):
    assert words in registry.family(family).option_fault(option, code)


@pytest.mark.parametrize(
    ("code", "target", "told"),
    [
        ("jp", "ja", ["target_language: jp is read as ja"]),
        ("my", "a text in Malay", ["target_language is my, but the texts are in other letters"]),
        ("de", "水很冷，他不喜欢", ["target_language is de, but the texts are in Chinese characters"]),
        ("zh", "今日は山へ行きます", ["target_language is zh, but the texts are in kana"]),
        ("zh-TW", "水很冷，他不喜欢", []),
        ("en", "a house", []),
    ],
)
def test_how_a_language_is_read_and_whether_texts_are_in_it_is_told(code, target, told):
    rows = [{"id": str(number), "source": f"text {number}", "target": [target]} for number in range(9)]
    splits = dict.fromkeys(("train", "validation", "test"), rows)
    made = task("translation", target_language=code, source_language="en")
    found = [finding.message for finding in language_options(splits, made, registry.family("translation"))]
    assert [message.startswith(start) for message, start in zip(found, told, strict=False)] == [True] * len(told)
    assert len(found) == len(told) + (code == "jp")  # there the text itself is of other letters


def test_files_called_by_codes_of_three_letters_choose_the_tokeniser(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.eng").write_text("".join(f"text {number}\n" for number in range(20)))
        (tmp_path / f"{split}.zho").write_text("".join(f"水很冷 {number}\n" for number in range(20)), encoding="utf-8")
    made = quick_task(registry.family("translation"), f"{tmp_path}/train.eng+{tmp_path}/train.zho")
    assert made.options == {"source_language": "en", "target_language": "zh"}
