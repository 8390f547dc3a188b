"""The additive metric of every family equals the metric of the task, on all rows and on any part of them."""

import random

import numpy as np
import pytest

from harness import registry
from harness.data.source import GeneratedSource
from harness.task import Task

CHANCE = random.Random(5)
WORDS = "the a cat dog house garden sees likes was".split()


def sentence():
    return " ".join(CHANCE.choice(WORDS) for _ in range(CHANCE.randint(0, 9)))


def noisy(text):
    return " ".join(word for word in text.split() if CHANCE.random() > 0.3)


def classes(count):
    return [CHANCE.choice("abc") for _ in range(count)], [CHANCE.choice("abc") for _ in range(count)]


def tags(count):
    pairs = [
        [[CHANCE.choice(["O", "B-X", "I-X", "B-Y", "I-Y"]) for _ in range(6)] for _ in range(2)] for _ in range(count)
    ]
    return [ours for ours, _ in pairs], [gold for _, gold in pairs]


def translations(count):
    golds = [[sentence() or "the", sentence() or "a"][: CHANCE.randint(1, 2)] for _ in range(count)]
    return [noisy(texts[0]) for texts in golds], golds


def answers(count, unanswerable):
    golds = [
        {"id": str(row), "answers": {"text": [] if unanswerable and row % 3 == 0 else ["the cat", sentence() or "dog"],
                                     "answer_start": []}}
        for row in range(count)
    ]  # fmt: skip
    for gold in golds:
        gold["answers"]["answer_start"] = [0] * len(gold["answers"]["text"])
    return [noisy((gold["answers"]["text"] or [""])[0]) for gold in golds], golds


CASES = [
    ("sentiment", classes, {}), ("text-classification", classes, {}), ("ner", tags, {}), ("ner", tags, {"mode": "strict"}),
    ("qa", lambda count: answers(count, False), {}), ("qa", lambda count: answers(count, True), {}),
    ("translation", translations, {}), ("translation", translations, {"tokenize": "char"}),
]  # fmt: skip

CASES += [
    (name, make, {**options, "metric": metric})
    for name, make, options in CASES
    if name != "sentiment" and "tokenize" not in options
    for metric in registry.family(name).metrics
]


@pytest.mark.parametrize(("name", "make", "options"), CASES)
def test_additive_metric_is_the_metric(name, make, options):
    family = registry.family(name)
    task = Task("t", name, GeneratedSource(lambda: {}, "x"), options=options)
    predictions, references = make(60)
    additive = family.additive(predictions, references, task)
    parts = [list(range(60)), list(range(20)), [3, 3, 3, 9, 11, 59]]
    if name == "qa" and any(not gold["answers"]["text"] for gold in references):
        parts = [[row for row in part if row < 60] for part in parts if any(row % 3 == 0 for row in part)]
    for rows in parts:
        golds = [references[row] for row in rows]
        if name == "qa":  # whose metric wants every question once
            golds = [{**gold, "id": str(place)} for place, gold in enumerate(golds)]
        metrics = family.score([predictions[row] for row in rows], golds, task)
        times = np.bincount(rows, minlength=60).astype(float)
        assert additive.resampled(times[None])[0] == pytest.approx(family.metric(task).score(metrics), abs=1e-9)


def test_every_builtin_family_has_an_additive_metric():
    assert {name for name, _, _ in CASES} >= {"sentiment", "text-classification", "ner", "qa", "translation"}
