"""Damaged characters are found; undamaged texts of many languages are accepted."""

import pytest

from harness.check.texts import damaged_characters


def findings_of(*texts):
    rows = {"train": [(f"train-{number}", {"text": text}) for number, text in enumerate(texts)]}
    return {finding.code: finding for finding in damaged_characters(rows)}


@pytest.mark.parametrize(
    "text", ["café", "It’s “so”", "Grüße aus Köln", "你好，世界", "Привет, мир", "日本語です", "naïve 😀"]
)
@pytest.mark.parametrize("wrong", ["latin-1", "cp1252"])
def test_finds_utf8_read_in_another_encoding(text, wrong):
    raw = text.encode()
    try:
        broken = raw.decode(wrong)
    except UnicodeDecodeError:
        pytest.skip(f"{wrong} has no letter for one of the bytes")
    assert "mojibake" in findings_of(broken)


@pytest.mark.parametrize(
    "text",
    [
        "le café”… et l’été", "à « mot » près", "NÃO É ÂNCORA", "Đó là một ngày đẹp trời", "Größe: 5 µm ± 2 °C",
        "«IRMÃO»", "Ça coûte 5 €, déjà…", "你好，世界。", "Ærø ligger i Danmark – «øen»", "R&D at AT&T; Q&A", "a < b > c",
        "we are #1; they are #2", "issue #39", "日本語です。", "ÀÉÎÕÜ", "Ðað er satt", "señor ¿qué?",
    ],
)  # fmt: skip
def test_accepts_undamaged_texts(text):
    assert not findings_of(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("lost \ufffd here", "replacement-characters"),
        ("a\x08b", "control-characters"),
        ("a\x85b", "control-characters"),
        ("zero\u200bwidth", "invisible-characters"),
        ("no\u00a0break", "unusual-blanks"),
        ("cost #36;50M", "html-remains"),
        ("Dell &lt;DELL.O&gt;", "html-remains"),
        ("&#8212; and", "html-remains"),
        ("one<br />two", "html-remains"),
        ("second\\team", "backslashes"),
    ],
)
def test_finds_each_kind_of_damage(text, code):
    assert set(findings_of(text, "whole")) == {code}
    finding = findings_of("whole", text, text)[code]
    assert finding.count == 2 and finding.examples[0].startswith("train-1: “")


def test_counts_rows_by_split_and_quotes_texts_in_examples_only():
    texts = {
        "train": [("a", {"text": "x" * 500 + " &amp; " + "y" * 500, "text_pair": "&lt;"})],
        "test": [("b", {"text": "plain"}), ("c", {"text": ["words", "&gt;"]})],
    }
    (finding,) = damaged_characters(texts)
    assert finding.count == 2 and "(train 1, test 1)" in finding.message and "xxx" not in finding.message
    assert "&amp;" in finding.examples[0] and len(finding.examples[0]) < 60
