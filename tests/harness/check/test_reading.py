"""Reports of readers become findings."""

from harness.check.reading import reader_warnings


def findings_of(**splits):
    return {finding.code: finding for finding in reader_warnings(splits)}


def test_counts_become_findings_with_places():
    report = {"scheme": "bmes", "entities": 90, "irregular": 4, "irregular_at": [f"a.bmes:{line}" for line in range(9)]}
    findings = findings_of(train=report, test={"scheme": "bmes", "entities": 9, "irregular": 0})
    assert set(findings) == {"irregular-tags"}
    finding = findings["irregular-tags"]
    assert finding.count == 4 and finding.message.startswith("train: 4 entities") and finding.examples[0] == "a.bmes:0"
    assert len(finding.examples) == 5


def test_answers():
    findings = findings_of(all={"questions": 9, "answers": 9, "misaligned": 3, "repaired": 2, "differs": 0})
    assert {code: finding.count for code, finding in findings.items()} == {"misaligned-answers": 3, "repaired-answers": 2}


def test_conversions_become_findings():
    findings = findings_of(
        train={"surrogates": 2, "other_tags": "tags are from column 3", "decoded": 9},
        test={"label_spellings": 4, "label_spellings_at": ["1.0 read as 1"], "offsets": "UTF-8 bytes", "converted": 7},
    )
    assert {code: finding.count for code, finding in findings.items()} == {
        "half-characters": 2, "other-tags": 1, "label-spellings": 4, "converted-offsets": 7,
    }  # fmt: skip
    assert findings["label-spellings"].examples == ("1.0 read as 1",)
    assert findings["converted-offsets"].message == "test: the offsets of answers count UTF-8 bytes; 7 were converted"


def test_schemes():
    assert set(findings_of(all={"scheme": "io"})) == {"scheme-io"}
    findings = findings_of(train={"scheme": "iob2"}, test={"scheme": "bioes"})
    assert set(findings) == {"several-schemes"} and "bioes, iob2" in findings["several-schemes"].message


def test_nothing_reported():
    assert findings_of(train={}, test={"empty": 0, "sentences": 7, "documents": 0}) == {}
