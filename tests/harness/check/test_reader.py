"""What readers report is not passed over in silence, and what they leave untold is not made up."""

from harness.check.reading import reader_warnings


def found(**splits):
    return {finding.code: finding for finding in reader_warnings(splits)}


def test_counts_become_findings_with_their_places():
    report = {"scheme": "bmes", "entities": 90, "irregular": 4, "irregular_at": [f"a.bmes:{line}" for line in range(9)]}
    made = found(train=report, test={"scheme": "bmes", "entities": 9, "irregular": 0})
    assert set(made) == {"irregular-tags"}
    finding = made["irregular-tags"]
    assert finding.count == 4 and finding.message.startswith("train: 4 entities") and finding.examples[0] == "a.bmes:0"
    assert len(finding.examples) == 5


def test_answers():
    made = found(all={"questions": 9, "answers": 9, "misaligned": 3, "repaired": 2, "differs": 0})
    assert {code: finding.count for code, finding in made.items()} == {"misaligned-answers": 3, "repaired-answers": 2}


def test_what_the_border_and_readers_convert_is_a_finding():
    made = found(
        train={"surrogates": 2, "other_tags": "tags are from column 3", "decoded": 9},
        test={"label_spellings": 4, "label_spellings_at": ["1.0 read as 1"], "offsets": "UTF-8 bytes", "converted": 7},
    )
    assert {code: finding.count for code, finding in made.items()} == {
        "half-characters": 2, "other-tags": 1, "label-spellings": 4, "converted-offsets": 7,
    }  # fmt: skip
    assert made["label-spellings"].examples == ("1.0 read as 1",)
    assert made["converted-offsets"].message == "test: the offsets of answers count UTF-8 bytes; 7 were converted"


def test_schemes():
    assert set(found(all={"scheme": "io"})) == {"scheme-io"}
    made = found(train={"scheme": "iob2"}, test={"scheme": "bioes"})
    assert set(made) == {"several-schemes"} and "bioes, iob2" in made["several-schemes"].message


def test_nothing_reported():
    assert found(train={}, test={"empty": 0, "sentences": 7, "documents": 0}) == {}
