"""The readers on published data sets: counts of rows, labels and entities."""

import os
from collections import Counter
from pathlib import Path

import pytest

from harness.data.columns import bind, read_labels
from harness.data.source import FileSource, GeneratedSource
from harness.data.splits import complete_splits
from harness.data.subsets import limit
from harness.task import Task

DATA = Path(os.environ.get("BENCH_SHARED") or Path(__file__).parents[4] / "shared") / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no folder of published data sets at {DATA} (BENCH_SHARED)")


def named(label, labels):
    return Task("t", "sentiment", GeneratedSource(dict, "none"), labels=labels).label_name(label)


def read(format, folder, files, options=(), report=None):
    def place(entry):
        return {name: place(one) for name, one in entry.items()} if isinstance(entry, dict) else DATA / folder / entry

    return FileSource(format, place(files), dict(options)).read(report)


def sizes(splits):
    return {name: len(rows) for name, rows in splits.items()}


def groups_are_apart(splits):
    parts = [{row["group"] for row in rows} for rows in splits.values()]
    return sum(map(len, parts)) == len(set.union(*parts))


def test_sst2():
    splits = read("tsv", "sst2", {"train": "train.tsv", "dev": "dev.tsv", "test": "test-labeled.tsv"})
    assert sizes(splits) == {"train": 10_000, "validation": 872, "test": 1_821}
    columns = {"text": "sentence", "label": "label"}
    counts = {
        name: Counter(named(row["label"], ["negative", "positive"]) for row in bind(rows, columns))
        for name, rows in splits.items()
    }
    assert counts == {
        "train": {"negative": 4_471, "positive": 5_529},
        "validation": {"negative": 428, "positive": 444},
        "test": {"negative": 917, "positive": 904},
    }


def test_ag_news():
    rows = read("csv", "ag_news_csv", {"all": "test.csv"}, {"header": False})["all"]
    labels = read_labels(DATA / "ag_news_csv" / "classes.txt", first=1)
    rows = [{**row, "label": named(row["label"], labels)} for row in bind(rows, {"text": [1, 2], "label": 0})]
    assert Counter(row["label"] for row in rows) == dict.fromkeys(("World", "Sports", "Business", "Sci/Tech"), 1_900)
    # The publisher's own numbers: 278 descriptions with quotes, titles of 6.8 and descriptions of 31.0 words.
    assert sum(len(row["text"].split()) for row in rows) / len(rows) == pytest.approx(6.8 + 31.0, abs=0.1)
    splits = complete_splits({"all": rows}, stratify=lambda row: row["label"])
    assert sizes(splits) == {"train": 4_560, "validation": 1_520, "test": 1_520}
    assert set(Counter(row["label"] for row in splits["test"]).values()) == {380}


def test_waimai_is_sorted_by_label_and_a_subset_is_not():
    rows = read("csv", "waimai_zh", {"all": "waimai_10k.csv"})["all"]
    assert Counter(row["label"] for row in rows) == {"1": 4_000, "0": 7_987}
    assert {row["label"] for row in rows[:1000]} == {"1"}
    subset = limit(rows, 1000, stratify=lambda row: row["label"])
    assert Counter(row["label"] for row in subset) == {"1": 334, "0": 666}
    assert round(sum(len(row["review"]) for row in rows) / len(rows), 1) == 25.0


def test_wikigold_has_no_b_tags_and_is_split_by_document():
    report = {}
    rows = read("conll", "wikigold", {"all": "wikigold.conll.txt"}, report=report)["all"]
    assert len(rows) == 1_696
    assert sum(len(row["words"]) for row in rows) == 39_007
    assert max(len(row["words"]) for row in rows) == 144
    assert sum(word.startswith("#") for row in rows for word in row["words"]) == 39
    assert (report["all"]["scheme"], report["all"]["irregular"], report["all"]["documents"]) == ("io", 0, 145)
    begun = Counter(tag for row in rows for tag in row["tags"] if tag.startswith("B-"))
    assert set(begun) == {"B-PER", "B-ORG", "B-LOC", "B-MISC"}
    assert begun.total() == report["all"]["entities"]
    splits = complete_splits({"all": rows}, group=lambda row: row["group"])
    assert groups_are_apart(splits)
    assert abs(len(splits["test"]) - 339) <= 3
    assert abs(len(splits["validation"]) - 339) <= 3


def test_resume_ner_bmes():
    report = {}
    files = {"train": "train.char.bmes", "dev": "dev.char.bmes", "test": "test.char.bmes"}
    splits = read("conll", "resume_ner_zh", files, report=report)
    assert sizes(splits) == {"train": 3_821, "validation": 463, "test": 477}
    characters = {name: sum(len(row["words"]) for row in rows) for name, rows in splits.items()}
    assert characters == {"train": 124_099, "validation": 13_890, "test": 15_100}
    assert {facts["scheme"] for facts in report.values()} == {"bmes"}
    # Two organisations in train are interrupted by an O, which leaves two broken halves each.
    assert {name: facts["irregular"] for name, facts in report.items()} == {"train": 4, "validation": 0, "test": 0}
    begun = Counter(tag[2:] for rows in splits.values() for row in rows for tag in row["tags"] if tag[0] == "B")
    assert set(begun) == {"NAME", "CONT", "RACE", "TITLE", "EDU", "PRO", "ORG", "LOC"}
    # One B- or S- begins every entity, but for the two second halves.
    raw = [(DATA / "resume_ner_zh" / name).read_text("utf-8").split("\n") for name in files.values()]
    starts = Counter(line[4:] for lines in raw for line in lines if line[2:4] in ("B-", "S-"))
    assert begun == starts + Counter(ORG=2)


@pytest.mark.parametrize(
    ("folder", "files", "expected"),
    [
        ("xquad_en", {"all": "xquad.en.json"}, {"all": (1_190, 240, 48, 1_190)}),
        (
            "drcd_zh_hant",
            {"train": "DRCD_dev.json", "test": "DRCD_test.json"},
            {"train": (1_358, 362, 100, 2_716), "test": (609, 196, 40, 1_218)},
        ),
    ],
)
def test_squad_files(folder, files, expected):
    report = {}
    splits = read("squad", folder, files, report=report)
    counts = {
        name: (
            len(rows),
            len({row["context"] for row in rows}),
            len({row["group"] for row in rows}),
            report[name]["answers"],
        )
        for name, rows in splits.items()
    }
    assert counts == expected
    assert all(facts["misaligned"] == facts["unanswerable"] == 0 for facts in report.values())
    assert all(len({row["id"] for row in rows}) == len(rows) for rows in splits.values())
    for row in (row for rows in splits.values() for row in rows):
        for text, start in zip(*row["answers"].values(), strict=True):
            assert row["context"][start : start + len(text)] == text
    made = complete_splits(splits, group=lambda row: row["group"])
    assert groups_are_apart({name: made[name] for name in made if name not in splits or name == "train"})


SUBJQA = {
    "context": "review",
    "text": "human_ans_spans",
    "span": "human_ans_indices",
    "no_answer": "ANSWERNOTFOUND",
}


def test_subjqa():
    report = {}
    files = {"train": "train.csv", "dev": "dev.csv", "test": "test.csv"}
    rows = read("spans", "subjqa_grocery", files, SUBJQA, report)
    assert sizes(rows) == {"train": 1_000, "validation": 228, "test": 500}
    keys = ("unanswerable", "differs", "differs_in_blanks", "clipped")
    assert {split: tuple(facts[key] for key in keys) for split, facts in report.items()} == {
        "train": (542, 94, 60, 4),
        "validation": (126, 23, 16, 1),
        "test": (262, 69, 48, 2),
    }
    assert not any("ANSWERNOTFOUND" in row["context"] for part in rows.values() for row in part)
    splits = read("spans", "subjqa_grocery", files, {**SUBJQA, "id": "q_review_id"}, report)
    assert {split: (facts["rows"], facts["merged"], facts["disagree"]) for split, facts in report.items()} == {
        "train": (1_000, 222, 81),
        "validation": (228, 10, 5),
        "test": (500, 250, 90),
    }
    for row in (row for part in splits.values() for row in part):
        for text, start in zip(*row["answers"].values(), strict=True):
            assert row["context"].startswith(text, start) and text == text.strip() != ""


def test_multi30k():
    files = {
        split: {"source": f"{name}.en", "target": f"{name}.de"}
        for split, name in {"train": "train", "val": "val", "test": "test_2016_flickr"}.items()
    }
    report = {}
    splits = read("lines", "multi30k_en_de", files, report=report)
    assert sizes(splits) == {"train": 10_000, "validation": 1_014, "test": 1_000}
    assert all(facts == {"empty": 0} for facts in report.values())
    sides = [text for rows in splits.values() for row in rows for text in row.values()]
    assert all(text == text.strip() for text in sides)
    assert sum(text.count("\xa0") for text in sides) == 12
