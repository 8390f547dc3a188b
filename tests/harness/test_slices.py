"""Slices of a test split, from its predictions: classes as libraries count them, lengths, and slices of a family."""

import random
from types import SimpleNamespace

import pytest
from seqeval.metrics import classification_report
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from harness import registry
from harness.languages import count_words
from harness.predictions import LENGTH, length_buckets, prediction_lines, slice_scores
from harness.task import Task


def task(family, **options):
    return Task("t", family, None, options=options)


def labelled(count=200, names=("a", "b", "c"), **more):
    chance = random.Random(3)
    return [
        {
            "id": str(i),
            "prediction": chance.choice(names),
            "reference": chance.choice(names),
            "words": i % 9 + 1,
            **more,
        }
        for i in range(count)
    ]


def test_label_scores_equal_those_of_scikit_learn():
    rows = labelled()
    found = slice_scores(registry.family("sentiment"), task("sentiment"), rows)["label"]
    gold, ours = [row["reference"] for row in rows], [row["prediction"] for row in rows]
    for name, *parts in zip("abc", *precision_recall_fscore_support(gold, ours, labels=list("abc")), strict=True):
        one = found[name]
        assert [one["precision"], one["recall"], one["f1"], one["rows"]] == pytest.approx(parts)
        assert one["score"] == pytest.approx(100 * parts[2])


def test_a_label_that_is_only_predicted_is_no_slice_but_lowers_precision():
    rows = [{"id": "1", "prediction": "x", "reference": "a"}, {"id": "2", "prediction": "a", "reference": "a"}]
    found = slice_scores(registry.family("sentiment"), task("sentiment"), rows)
    assert found == {
        "label": {
            "a": {
                "rows": 2,
                "score": pytest.approx(200 / 3),
                "precision": 1.0,
                "recall": 0.5,
                "f1": pytest.approx(2 / 3),
            }
        }
    }


@pytest.mark.parametrize("mode", ["default", "strict"])
def test_entity_type_scores_equal_those_of_seqeval(mode):
    from seqeval.scheme import IOB2

    chance, tags = random.Random(1), ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "O"]
    rows = [
        {
            "id": str(i),
            "prediction": chance.choices(tags, k=8),
            "reference": ["B-PER", "I-PER", *chance.choices(["O", "B-LOC"], k=6)],
        }
        for i in range(60)
    ]
    found = slice_scores(registry.family("ner"), task("ner", mode=mode), rows)["entity type"]
    how = {"mode": "strict", "scheme": IOB2} if mode == "strict" else {}
    gold, ours = [row["reference"] for row in rows], [row["prediction"] for row in rows]
    report = classification_report(gold, ours, output_dict=True, zero_division=0, **how)
    assert set(found) == {"PER", "LOC"}
    for name, one in found.items():
        expected = [report[name][key] for key in ("precision", "recall", "f1-score", "support")]
        assert [one["precision"], one["recall"], one["f1"], one["rows"]] == pytest.approx(expected)


def test_length_buckets():
    assert length_buckets([1, 2, 3, 4, 5, 6, 7, 8]) == ["1-2"] * 2 + ["3-4"] * 2 + ["5-6"] * 2 + ["7-8"] * 2
    assert length_buckets([9, 1, 9, 9, 9, 2]) == ["9", "1-2", "9", "9", "9", "1-2"]
    assert length_buckets([4]) == ["4"] and length_buckets([5, 5]) == ["5", "5"]
    for seed in range(200):
        chance = random.Random(seed)
        lengths = [int(chance.paretovariate(1.1)) for _ in range(chance.randint(1, 60))]
        found = length_buckets(lengths)
        assert len(set(found)) <= 4 and found != [None]
        for length, name in zip(lengths, found, strict=True):
            low, _, high = name.partition("-")
            assert int(low) <= length <= int(high or low)
        shuffled = chance.sample(range(len(lengths)), len(lengths))
        assert [found[i] for i in shuffled] == length_buckets([lengths[i] for i in shuffled])


def test_each_length_bucket_is_scored_with_the_familys_metric():
    rows = labelled()
    found = slice_scores(registry.family("sentiment"), task("sentiment"), rows)[LENGTH]
    names = length_buckets([row["words"] for row in rows])
    assert list(found) == sorted(set(names), key=lambda name: int(name.split("-")[0]))
    assert sum(part["rows"] for part in found.values()) == len(rows)
    for name, part in found.items():
        own = [row for row, bucket in zip(rows, names, strict=True) if bucket == name]
        expected = accuracy_score([row["reference"] for row in own], [row["prediction"] for row in own])
        assert part["accuracy"] == pytest.approx(expected) and part["score"] == pytest.approx(100 * expected)


def test_old_lines_without_words_give_no_length_slices():
    rows = [{name: value for name, value in row.items() if name != "words"} for row in labelled()]
    assert set(slice_scores(registry.family("sentiment"), task("sentiment"), rows)) == {"label"}
    assert slice_scores(registry.family("sentiment"), task("sentiment"), []) == {}


class Own(type(registry.family("sentiment"))):
    """A third party's family, with slices of its own, no length, and a metric that is undefined on some parts."""

    def length(self, row, task):
        return None

    def slices(self, row, task):
        return {"domain": row["domain"]} if row["domain"] else {}

    def score(self, predictions, references, task):
        if "c" not in references:
            raise ValueError("undefined")
        return {"accuracy": float("nan") if "b" not in references else 0.5}


def test_a_family_defines_its_own_slices_and_an_undefined_metric_is_skipped(capsys):
    family, own = Own(), task("sentiment")
    rows = [
        {"id": str(i), "text": "a b c", "label": label, "domain": domain}
        for i, (label, domain) in enumerate([("b", "films"), ("c", "films"), ("c", "nan"), ("a", "bad"), ("a", None)])
    ]
    lines = list(prediction_lines(SimpleNamespace(task=own), family, rows, ["a"] * 5))
    assert lines[0] == {"id": "0", "prediction": "a", "reference": "b", "slices": {"domain": "films"}}
    assert lines[4] == {"id": "4", "prediction": "a", "reference": "a"}
    found = slice_scores(family, own, lines)
    assert found["domain"] == {"films": {"rows": 2, "score": 50.0, "accuracy": 0.5}}
    assert "no score of the slice 'bad'" in capsys.readouterr().err


def test_words_of_scripts_with_and_without_blanks():
    assert count_words("The cat's out, isn't it?") == 5
    assert count_words("我喜欢猫") == 4 and count_words("猫です") == 3 and count_words("iPhone 很好") == 3
    assert count_words("") == count_words("  ") == 0


def test_a_familys_length_counts_the_models_input():
    read = {
        "sentiment": {"text": "one two three", "text_pair": "four", "label": "x y z"},
        "ner": {"words": ["a", "b", "c", "d"], "tags": ["O"] * 4},
        "qa": {"question": "a b", "context": "c d", "answers": {"text": ["x y z"], "answer_start": [0]}},
        "translation": {"source": "a b c d", "target": ["x", "y"]},
    }
    for name, row in read.items():
        assert registry.family(name).length(row, task(name)) == 4
    assert registry.family("sentiment").length({"text": ""}, task("sentiment")) == 0
    assert registry.family("sentiment").length({}, task("sentiment")) is None
