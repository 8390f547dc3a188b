"""The built-in families: what they take, what they refuse, and what needs no model."""

import pytest

from harness import registry
from harness.data.source import FileSource, GeneratedSource
from harness.errors import BenchError
from harness.task import Task
from harness.task_data import load_splits


def make(family, rows, **values):
    task = Task("t", family, GeneratedSource(lambda: rows, "test"), **values)
    return task, registry.family(family)


def splits(family, rows, **values):
    task, adapter = make(family, rows, **values)
    return load_splits(task, adapter)


TEXTS = {"all": [{"text": f" t{number} ", "label": number % 3} for number in range(30)]}


def test_labels_get_their_names_and_splits_their_share():
    made = splits("sentiment", TEXTS, labels=("neg", "pos", "neutral"))
    assert {name: len(rows) for name, rows in made.items()} == {"train": 18, "validation": 6, "test": 6}
    for rows in made.values():
        assert sorted({row["label"] for row in rows}) == ["neg", "neutral", "pos"]
        assert all(row["text"] == row["text"].strip() and row["id"].startswith("all-") for row in rows)
    task, family = make("sentiment", TEXTS, labels=("neg", "pos", "neutral"))
    assert family.labels(made, task) == ["neg", "pos", "neutral"]
    assert family.labels(splits("sentiment", TEXTS), make("sentiment", TEXTS)[0]) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("family", "row", "words"),
    [
        ("sentiment", {"text": "a", "label": 3}, "split train, row 2: label '3' is not among the task's labels"),
        ("sentiment", {"text": "a", "label": None}, "row 2: no label"),
        ("ner", {"words": ["a", "b"], "tags": ["O"]}, "row 2: 2 words but 1 tags"),
        ("qa", {"question": "q", "context": "c", "answers": {"text": ["c"], "answer_start": []}}, "row 2: 1 answers but 0 starts"),
        ("sentiment", {"text": ["a"], "label": 0}, "row 2: text: a list, not a text; name the column of the text"),
        ("sentiment", {"text": "a", "label": ["0", "1"]}, r"row 2: label: a row has several labels \(0, 1\); bench classifies into one"),
        ("sentiment", {"text": b"\xff", "label": 0}, "row 2: text: bytes that are not UTF-8"),
        ("ner", {"words": ["a", None], "tags": ["O", "O"]}, "row 2: words: item 2 of 2 is missing"),
        ("translation", {"source": "a", "target": {"de": "b"}}, "row 2: target: an object with de, not a text"),
        ("translation", {"source": "a", "target": []}, "row 2: target: an empty list; give a text"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(family, row, words):
    good = {
        "sentiment": {"text": "a", "label": 0},
        "ner": {"words": ["a"], "tags": ["O"]},
        "qa": {"question": "q", "context": "c", "answers": {"text": [], "answer_start": []}},
        "translation": {"source": "a", "target": "b"},
    }[family]
    labels = ("neg", "pos") if family == "sentiment" else None
    with pytest.raises(BenchError, match=words):
        splits(family, {"train": [good, row], "validation": [good], "test": [good]}, labels=labels)


def test_a_missing_column_says_which_there_are():
    with pytest.raises(
        BenchError, match=r"no column 'label' .its polarity.; the data has: text, stars; say which of them it is under `columns:`"
    ):
        splits("sentiment", {"all": [{"text": "a", "stars": 1}] * 9})


def test_pairs_keep_their_second_text(tmp_path):
    (tmp_path / "pairs.tsv").write_text("a\tb\tsame\n" + "c\td\tother\n" * 9 + "e\tf\tsame\n" * 9)
    source = FileSource("tsv", {"all": str(tmp_path / "pairs.tsv")}, {"header": False})
    task = Task("t", "text-classification", source, columns={"text": 0, "text_pair": 1, "label": 2})
    family = registry.family("text-classification")
    rows = [row for part in load_splits(task, family).values() for row in part]
    (row,) = [row for row in rows if row["text"] == "a"]
    assert family.example(row, task) == {"text": "a", "text_pair": "b", "label": "same"}


def test_groups_stay_together():
    rows = {
        "all": [
            {"question": "q", "context": f"c{n // 3}", "answers": {"text": [], "answer_start": []}, "group": n // 3}
            for n in range(60)
        ]
    }
    made = splits("qa", rows)
    groups = [{row["group"] for row in made[name]} for name in ("train", "validation", "test")]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])


def test_entity_types_get_both_letters():
    rows = {"train": [{"words": ["a", "b"], "tags": ["B-LOC", "I-PER"]}]}
    task, family = make("ner", rows)
    assert family.labels({"train": rows["train"]}, task) == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_trivial_answers():
    task, family = make("sentiment", TEXTS)
    assert family.trivial([{"label": "a"}, {"label": "b"}, {"label": "b"}], [{}, {}], task) == ["b", "b"]
    ner, family = make("ner", {})
    assert family.trivial([], [{"words": ["a", "b"]}], ner) == [["O", "O"]]
    qa, family = make("qa", {})
    answered, empty = {"answers": {"text": ["x"]}}, {"answers": {"text": []}}
    assert family.trivial([answered, empty], [{"context": "One. Two."}], qa) == ["One."]
    assert family.trivial([answered, empty, empty], [{"context": "One. Two."}], qa) == [""]
    translation, family = make("translation", {})
    assert family.trivial([], [{"source": "a"}], translation) == ["a"]


def test_several_references_count():
    task, family = make("translation", {}, options={"target_language": "de"})
    row = family.prepare({"source": "a b c d", "target": ["x", "ein Haus am See dort"]}, task)
    metrics = family.score(["ein Haus am See dort"], [family.reference(row, task)], task)
    assert metrics["bleu"] == pytest.approx(100) and "tok:13a" in metrics["bleu_signature"]


def test_chinese_is_tokenised_as_chinese():
    task, family = make("translation", {}, options={"target_language": "zh"})
    assert "tok:zh" in family.score(["你好"], [["你好"]], task)["bleu_signature"]
