"""Checks of published data sets agree with what their publishers and others have counted."""

import csv
import io
import json
from collections import Counter

import pytest
import yaml

from harness import registry
from harness.check.report import examine
from harness.errors import BenchError
from harness.planning.quick import quick_task
from harness.planning.taskfile import load_task
from harness.task_data import load_data

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
def check(shared, tmp_path_factory):
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


def test_sst2(check):
    report, found = check("sst2")
    assert report.rows == {"train": 10_000, "validation": 872, "test": 1_821}
    assert report.split_rule == "publisher's splits"
    assert report.kinds == {
        "positive": {"train": 5_529, "validation": 444, "test": 904},
        "negative": {"train": 4_471, "validation": 428, "test": 917},
    }
    assert {code: [finding.count for finding in list_] for code, list_ in found.items()} == {
        "duplicate-rows": [7], "train-test-overlap": [1],
    }  # fmt: skip


def test_waimai(check):
    report, found = check("waimai")
    assert sum(report.rows.values()) == 11_987 and longest(report, "text") == 463
    assert {one.unit for one in report.lengths} == {"characters"}
    assert {label: sum(counts.values()) for label, counts in report.kinds.items()} == {"0": 7_987, "1": 4_000}
    assert report.split_rule == "60/20/20 of all rows, stratified by label, equal texts together, seed 42"
    assert found["conflicting-answers"][0].count == 7
    assert "one-class" not in found and not report.of("error")


def test_ag_news(check, shared):
    report, found = check("ag-news")
    assert sum(report.rows.values()) == 7_600
    assert all(sum(counts.values()) == 1_900 for counts in report.kinds.values()) and len(report.kinds) == 4
    text = (shared / "data/ag_news_csv/test.csv").read_text("utf-8")
    assert found["html-remains"][0].count >= 1_821  # descriptions alone with #39; #36; or &lt;
    assert found["html-remains"][0].count <= sum("&" in line or "#" in line for line in text.split("\n"))
    assert found["backslashes"][0].count >= 772  # descriptions alone
    assert "conflicting-answers" not in found


def test_wikigold(check):
    report, found = check("wikigold")
    assert sum(report.rows.values()) == 1_696 and longest(report, "words") == 144
    assert set(report.kinds) == {"PER", "ORG", "LOC", "MISC"}
    assert report.found["all"]["scheme"] == "io" and report.found["all"]["documents"] == 145
    assert sum(sum(counts.values()) for counts in report.kinds.values()) == report.found["all"]["entities"]
    assert "grouped by group" in report.split_rule and "scheme-io" in found and "irregular-tags" not in found


def test_resume(check):
    report, found = check("resume")
    assert report.rows == {"train": 3_821, "validation": 463, "test": 477} and longest(report, "words") == 178
    assert len(report.kinds) == 8 and report.kinds["LOC"]["train"] == 47
    assert {facts["scheme"] for facts in report.found.values()} == {"bmes"}
    assert [finding.count for finding in found["irregular-tags"]] == [4]
    assert all("train.char.bmes:" in example for example in found["irregular-tags"][0].examples)


def test_xquad(check):
    report, found = check("xquad")
    assert sum(report.rows.values()) == 1_190
    assert report.kinds == {"answerable": dict(report.rows)}
    assert report.found["all"]["answers"] == 1_190 and report.found["all"]["misaligned"] == 0
    assert not {"misaligned-answers", "shared-contexts", "no-blanks", "several-answers"} & set(found)
    assert "grouped by group" in report.split_rule


def test_drcd(check):
    report, found = check("drcd")
    assert report.rows["train"] + report.rows["validation"] == 1_358 and report.rows["test"] == 609
    assert report.split_rule == "validation: 20 % of train, grouped by group, equal texts together, seed 42; the others are the publisher's"
    assert "misaligned-answers" not in found and "no-blanks" in found
    assert found["several-answers"][0].count == 293 + 158


def test_multi30k(check):
    report, found = check("multi30k")
    assert report.rows == {"train": 10_000, "validation": 1_014, "test": 1_000}
    assert "empty-rows" not in found and "copied-sources" not in found
    assert found["unusual-blanks"][0].count <= 12  # no-break blanks, some perhaps in one line


def lines_of(path):
    lines = path.read_text("utf-8").split("\n")
    return [line.removesuffix("\r") for line in lines[: None if lines[-1] else -1]]


def sentences(path):
    """(words, tags) of blank-separated columns, read in plain code; documents' own lines are none."""
    found, words, tags = [], [], []
    for line in [*lines_of(path), ""]:
        if line.strip() and not line.startswith("-DOCSTART-"):
            words.append(line.split(" ")[0])
            tags.append(line.split(" ")[-1])
        elif words:
            found.append((tuple(words), tuple(tags)))
            words, tags = [], []
    return found


def questions(path):
    """(question, context, answers) of SQuAD's nest; those of the file, each as its slice of the context."""
    paragraphs = [one for article in json.loads(path.read_text("utf-8"))["data"] for one in article["paragraphs"]]
    return [
        (asked["question"], one["context"], tuple(one["context"][a["answer_start"] :][: len(a["text"])] for a in asked["answers"]))
        for one in paragraphs
        for asked in one["qas"]
    ]


def table(path, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline=""), delimiter=delimiter, quoting=quoting))


def tsv(path):
    return [(text.strip(), label) for text, label in table(path, "\t", csv.QUOTE_NONE)[1:]]


def texts(row):
    return row["text"], row["label"]


def answered(row):
    return row["question"], row["context"], tuple(row["answers"]["text"])


def both(folder, name):
    return [(one.strip(), other.strip()) for one, other in zip(lines_of(folder / f"{name}.en"), lines_of(folder / f"{name}.de"), strict=True)]


# reference → (what is compared of a row, how plain code reads the rows of the folder, by the splits that have names or all together)
QUICK = {
    "sentiment:sst2/train.tsv": (texts, lambda d: {"all": tsv(d / "sst2/train.tsv")}),
    "sentiment:sst2/dev.tsv": (texts, lambda d: {"all": tsv(d / "sst2/dev.tsv")}),
    "sentiment:sst2/test-labeled.tsv": (texts, lambda d: {"all": tsv(d / "sst2/test-labeled.tsv")}),
    "sentiment:waimai_zh": (texts, lambda d: {"all": [(text.strip(), label) for label, text in table(d / "waimai_zh/waimai_10k.csv")[1:]]}),
    "text-classification:ag_news_csv": (
        texts, lambda d: {"all": [(f"{title} {text}".strip(), label) for label, title, text in table(d / "ag_news_csv/test.csv")]}
    ),
    "ner:wikigold": (lambda row: tuple(row["words"]), lambda d: {"all": [words for words, _ in sentences(d / "wikigold/wikigold.conll.txt")]}),
    "ner:resume_ner_zh": (
        lambda row: tuple(row["words"]),
        lambda d: {s: [words for words, _ in sentences(d / f"resume_ner_zh/{n}.char.bmes")] for s, n in (("train", "train"), ("validation", "dev"), ("test", "test"))},
    ),
    "qa:xquad_en": (answered, lambda d: {"all": questions(d / "xquad_en/xquad.en.json")}),
    "qa:drcd_zh_hant": (
        answered, lambda d: {"all": questions(d / "drcd_zh_hant/DRCD_dev.json"), "test": questions(d / "drcd_zh_hant/DRCD_test.json")}
    ),
    "translation:multi30k_en_de": (
        lambda row: (row["source"], row["target"][0]),
        lambda d: {split: both(d / "multi30k_en_de", name) for split, name in LINES.items()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("reference", QUICK)
def test_quick_task_reads_the_same_rows_as_plain_code(shared, reference):
    """Chinese, English and German; of French the folder has nothing."""
    told, plain = QUICK[reference]
    name, _, path = reference.partition(":")
    family = registry.family(name)
    splits = load_data(quick_task(family, str(shared / "data" / path)), family).splits
    expected = plain(shared / "data")
    for split, rows in expected.items():
        parts = [split] if split != "all" else [one for one in splits if one not in expected]
        read = Counter(told(row) for part in parts for row in splits[part])
        assert read == Counter(rows) and read.total() == len(rows)


@pytest.mark.parametrize("reference", ["ner:wikigold", "ner:resume_ner_zh"])
def test_quick_task_finds_the_same_entities_as_plain_code(shared, reference):
    family = registry.family("ner")
    splits = load_data(quick_task(family, str(shared / "data" / reference.partition(":")[2])), family).splits
    read = Counter(tag[2:] for rows in splits.values() for row in rows for tag in row["tags"] if tag.startswith("B-"))
    files = sorted((shared / "data" / reference.partition(":")[2]).glob("*.conll.txt")) or sorted((shared / "data/resume_ner_zh").glob("*.bmes"))
    plain: Counter = Counter()
    for _, tags in (one for file in files for one in sentences(file)):
        for before, tag in zip(("O", *tags), tags, strict=False):
            begins = tag[:2] in ("B-", "S-") if "resume" in reference else tag != "O" and tag != before
            plain[tag[2:]] += begins
    assert read == plain + (Counter(ORG=2) if "resume" in reference else Counter())  # two that an O interrupts: test_real_files.py


def test_quick_task_reads_subjqa(shared):
    """Its rows of several annotators are one question; spans count, and the word for no answer is cut off."""
    family = registry.family("qa")
    splits = load_data(quick_task(family, str(shared / "data/subjqa_grocery")), family).splits
    for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
        head, *rows = table(shared / f"data/subjqa_grocery/{name}.csv")
        rows = [dict(zip(head, row, strict=True)) for row in rows]
        asked = {row["q_review_id"]: row for row in rows}
        assert len(splits[split]) == len(asked)
        none = set(asked) - {row["q_review_id"] for row in rows if row["human_ans_spans"] != "ANSWERNOTFOUND"}
        assert sum(not row["answers"]["text"] for row in splits[split]) == len(none)
        assert Counter(row["context"] for row in splits[split]) == Counter(
            row["review"].removesuffix("ANSWERNOTFOUND").rstrip() for row in asked.values()
        )


def test_quick_task_asks_about_two_tests_of_sst2(shared):
    with pytest.raises(BenchError, match=r"2 files for test \(test-labeled.tsv, test.tsv\); name the ones to use in a task file"):
        quick_task(registry.family("sentiment"), str(shared / "data/sst2"))
