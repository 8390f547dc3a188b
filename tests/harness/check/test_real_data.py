"""A check tells the truth about published data sets: what their publishers, and those who counted them again, say of them."""

import pytest
import yaml

from harness import registry
from harness.check.report import examine
from harness.planning.taskfile import load_task

LINES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
TASKS = {
    "sst2": {
        "family": "sentiment", "columns": {"text": "sentence", "label": "label"}, "labels": ["negative", "positive"],
        "data": {"format": "tsv", "files": {"train": "sst2/train.tsv", "validation": "sst2/dev.tsv", "test": "sst2/test-labeled.tsv"}},
    },
    "waimai": {
        "family": "sentiment", "columns": {"text": "review", "label": "label"},
        "data": {"format": "csv", "files": "waimai_zh/waimai_10k.csv"},
    },
    "ag-news": {
        "family": "text-classification", "columns": {"text": [1, 2], "label": 0},
        "labels": {1: "World", 2: "Sports", 3: "Business", 4: "Sci/Tech"},
        "data": {"format": "csv", "header": False, "files": "ag_news_csv/test.csv"},
    },
    "wikigold": {"family": "ner", "data": {"format": "conll", "files": "wikigold/wikigold.conll.txt"}},
    "resume": {
        "family": "ner",
        "data": {
            "format": "conll",
            "files": {
                split: f"resume_ner_zh/{name}.char.bmes"
                for split, name in {"train": "train", "validation": "dev", "test": "test"}.items()
            },
        },
    },
    "xquad": {"family": "qa", "data": {"format": "squad", "files": "xquad_en/xquad.en.json"}},
    "drcd": {
        "family": "qa",
        "data": {"format": "squad", "files": {"train": "drcd_zh_hant/DRCD_dev.json", "test": "drcd_zh_hant/DRCD_test.json"}},
    },
    "multi30k": {
        "family": "translation",
        "data": {
            "format": "lines",
            "files": {
                split: {"source": f"multi30k_en_de/{name}.en", "target": f"multi30k_en_de/{name}.de"}
                for split, name in LINES.items()
            },
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def look(shared, tmp_path_factory):
    """look(name) -> (report, code -> findings) of a task file in a folder of its own; each is made once."""
    folder, made = tmp_path_factory.mktemp("tasks"), {}

    def place(value):
        if isinstance(value, dict):
            return {key: place(item) for key, item in value.items()}
        return str(shared / "data" / value)

    def get(name):
        if name not in made:
            content = {**TASKS[name], "data": {**TASKS[name]["data"], "files": place(TASKS[name]["data"]["files"])}}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
            task = load_task(folder / f"{name}.yaml")
            report, _ = examine(task, registry.family(task.family))
            findings = {}
            for finding in report.findings:
                findings.setdefault(finding.code, []).append(finding)
            made[name] = report, findings
        return made[name]

    return get


def longest(report, column):
    return max(one.longest for one in report.lengths if one.column == column)


def test_sst2(look):
    report, found = look("sst2")
    assert report.rows == {"train": 10_000, "validation": 872, "test": 1_821}
    assert report.split_rule == "publisher's splits"
    assert report.kinds == {
        "positive": {"train": 5_529, "validation": 444, "test": 904},
        "negative": {"train": 4_471, "validation": 428, "test": 917},
    }
    assert {code: [finding.count for finding in list_] for code, list_ in found.items()} == {
        "duplicate-rows": [7], "train-test-overlap": [1],
    }  # fmt: skip


def test_waimai(look):
    report, found = look("waimai")
    assert sum(report.rows.values()) == 11_987 and longest(report, "text") == 463
    assert {one.unit for one in report.lengths} == {"characters"}
    assert {label: sum(counts.values()) for label, counts in report.kinds.items()} == {"0": 7_987, "1": 4_000}
    assert report.split_rule == "60/20/20 of all rows, stratified by label, equal texts together, seed 42"
    assert found["conflicting-answers"][0].count == 7
    assert "one-class" not in found and not report.of("error")


def test_ag_news(look, shared):
    report, found = look("ag-news")
    assert sum(report.rows.values()) == 7_600
    assert all(sum(counts.values()) == 1_900 for counts in report.kinds.values()) and len(report.kinds) == 4
    text = (shared / "data/ag_news_csv/test.csv").read_text("utf-8")
    assert found["html-remains"][0].count >= 1_821  # descriptions alone with #39; #36; or &lt;
    assert found["html-remains"][0].count <= sum("&" in line or "#" in line for line in text.split("\n"))
    assert found["backslashes"][0].count >= 772  # descriptions alone
    assert "conflicting-answers" not in found


def test_wikigold(look):
    report, found = look("wikigold")
    assert sum(report.rows.values()) == 1_696 and longest(report, "words") == 144
    assert set(report.kinds) == {"PER", "ORG", "LOC", "MISC"}
    assert report.found["all"]["scheme"] == "io" and report.found["all"]["documents"] == 145
    assert sum(sum(counts.values()) for counts in report.kinds.values()) == report.found["all"]["entities"]
    assert "grouped by group" in report.split_rule and "scheme-io" in found and "irregular-tags" not in found


def test_resume(look):
    report, found = look("resume")
    assert report.rows == {"train": 3_821, "validation": 463, "test": 477} and longest(report, "words") == 178
    assert len(report.kinds) == 8 and report.kinds["LOC"]["train"] == 47
    assert {facts["scheme"] for facts in report.found.values()} == {"bmes"}
    assert [finding.count for finding in found["irregular-tags"]] == [4]
    assert all("train.char.bmes:" in example for example in found["irregular-tags"][0].examples)


def test_xquad(look):
    report, found = look("xquad")
    assert sum(report.rows.values()) == 1_190
    assert report.kinds == {"answerable": dict(report.rows)}
    assert report.found["all"]["answers"] == 1_190 and report.found["all"]["misaligned"] == 0
    assert not {"misaligned-answers", "shared-contexts", "no-blanks", "several-answers"} & set(found)
    assert "grouped by group" in report.split_rule


def test_drcd(look):
    report, found = look("drcd")
    assert report.rows["train"] + report.rows["validation"] == 1_358 and report.rows["test"] == 609
    assert report.split_rule == "validation: 20 % of train, grouped by group, equal texts together, seed 42; the others are the publisher's"
    assert "misaligned-answers" not in found and "no-blanks" in found
    assert found["several-answers"][0].count == 293 + 158


def test_multi30k(look):
    report, found = look("multi30k")
    assert report.rows == {"train": 10_000, "validation": 1_014, "test": 1_000}
    assert "empty-rows" not in found and "copied-sources" not in found
    assert found["unusual-blanks"][0].count <= 12  # no-break blanks, some perhaps in one line
