"""Majority and TF-IDF regression against results by hand and by scikit-learn itself."""

import pytest
import toy
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from harness import registry
from harness.task_data import load_splits
from tasks.baselines.linear import STRENGTHS, TfidfRegression
from tasks.baselines.majority import Majority

TASK = toy.task()


def rows(*pairs):
    return [{"text": text, "label": label} for text, label in pairs]


def test_majority_is_the_commonest_class_of_train_and_the_trivial_answer():
    train = rows(("a", "x"), ("b", "y"), ("c", "y"), ("d", "z"))
    found = Majority().fit(train, rows(("a", "x"), ("a", "x")), TASK, 0)
    assert found.predict(rows(("q", ""), ("r", ""))) == ["y", "y"] and found.parameters == 0
    assert found.predict(train) == registry.family("sentiment").trivial(train, train, TASK)


def test_equally_common_classes_the_first():
    assert Majority().fit(rows(("a", "y"), ("b", "x")), [], TASK, 0).predict(rows(("", ""))) == ["y"]


def test_words_decide():
    train = rows(*[("a good film", "pos"), ("a bad film", "neg")] * 5)
    found = TfidfRegression().fit(train, train, TASK, 0)
    assert found.predict(rows(("good", ""), ("Bad !", ""), ("so very good", ""))) == ["pos", "neg", "pos"]
    # a, good, film, bad, "a good", "good film", "a bad", "bad film"; two classes need one weight each, and one constant.
    assert found.parameters == 8 + 1


def test_pairs_of_words_decide_where_words_cannot():
    train = rows(*[("not good but bad", "neg"), ("not bad but good", "pos")] * 5)
    found = TfidfRegression().fit(train, train, TASK, 0)
    assert found.predict(rows(("not good", ""), ("not bad", ""))) == ["neg", "pos"]


def test_the_strength_is_the_one_with_the_best_validation_of_equal_ones_the_smallest():
    from sklearn.feature_extraction.text import TfidfVectorizer

    task = registry.tasks()["mini-sentiment"]
    splits = {name: found[:150] for name, found in load_splits(task, registry.family("sentiment")).items()}
    found = TfidfRegression().fit(splits["train"], splits["validation"], task, 0)
    texts = {split: [row["text"] for row in part] for split, part in splits.items()}
    labels = {split: [row["label"] for row in part] for split, part in splits.items()}
    reached = {}
    for strength in STRENGTHS:
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        model = make_pipeline(vectorizer, LogisticRegression(C=strength, max_iter=1000))
        model.fit(texts["train"], labels["train"])
        reached[strength] = model.score(texts["validation"], labels["validation"]), model.predict(texts["test"])
    best = max(reached, key=lambda strength: (reached[strength][0], -strength))
    assert len({score for score, _ in reached.values()}) > 1  # else nothing is chosen
    assert found.choice["C"] == best and found.choice["unit"] == "word"
    assert found.predict(splits["test"]) == list(reached[best][1])


def test_the_second_text_has_weights_of_its_own():
    train = [
        {"text": one, "text_pair": other, "label": "same" if other == "up" else "other"}
        for one, other in [("up", "down"), ("down", "up")] * 6
    ]
    found = TfidfRegression().fit(train, train, TASK, 0)
    assert found.predict([{"text": "left", "text_pair": "up"}, {"text": "left", "text_pair": "down"}]) == [
        "same",
        "other",
    ]


def test_scripts_without_blanks_are_cut_into_characters():
    train = rows(
        *[("这部电影的故事非常好看而且演员也很不错", "pos"), ("这部电影的故事非常难看而且演员也很糟糕", "neg")] * 4
    )
    found = TfidfRegression().fit(train, train, TASK, 0)
    assert found.choice["unit"] == "character"
    assert found.predict(rows(("好看", ""), ("难看", ""))) == ["pos", "neg"]


@pytest.mark.parametrize("texts", [("...", "!"), ("", "")])
def test_without_words_it_is_the_majority(texts):
    train = rows((texts[0], "x"), (texts[1], "y"), (texts[0], "y"))
    assert TfidfRegression().fit(train, train, TASK, 0).predict(rows(("any", ""))) == ["y"]
