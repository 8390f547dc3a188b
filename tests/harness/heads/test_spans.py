"""Windows over long contexts: they lose nothing, answers are found at their positions, the best of all windows wins."""

import random

import numpy as np
import pytest

from harness.heads.spans import SpanHead, Window, best_span
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

KINDS = ["bert", "roberta", "gpt2", "llama", "t5", "bart"]


def make_head(checkpoints, kind, **recipe):
    values = {"max_length": 40, "doc_stride": 10, **recipe}
    return SpanHead(Pretrained(resolve(str(checkpoints(kind))), METHODS["full"]), Recipe(**values), None, {})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stride", [0, 10, 500])
def test_every_character_of_the_context_is_in_a_window(checkpoints, kind, stride):
    generator = random.Random(0)
    words = "the cat sees lisbon anna house garden .".split()
    contexts = [" ".join(generator.choice(words) for _ in range(length)) for length in (1, 7, 60, 200)]
    head = make_head(checkpoints, kind, doc_stride=stride)
    questions = ["where ?", "who sees the cat ?", "the " * 100, ""]
    examples = [
        {"question": q, "context": c, "answers": {"text": [], "answer_start": []}}
        for q, c in zip(questions, contexts, strict=True)
    ]
    features = head.encode(examples, training=False)
    for number, context in enumerate(contexts):
        covered = set()
        for feature in features:
            if feature.example == number:
                window = feature.extra["window"]
                assert feature.length <= 40
                covered |= {place for token in window.tokens for place in range(*window.offsets[token])}
        missing = [place for place in range(len(context)) if place not in covered and not context[place].isspace()]
        assert not missing, (kind, number, missing[:10])


@pytest.mark.parametrize("kind", KINDS)
def test_the_labelled_span_is_the_answer(checkpoints, kind):
    context = "the dog is bad . " * 20 + "anna likes the cat in lisbon . " + "the house is good . " * 20
    start = context.index("lisbon")
    head = make_head(checkpoints, kind)
    example = {"question": "where ?", "context": context, "answers": {"text": ["lisbon"], "answer_start": [start]}}
    features = head.encode([example], training=True)
    found = 0
    for feature in features:
        window = feature.extra["window"]
        first, last = feature.inputs["start_positions"], feature.inputs["end_positions"]
        if first == window.null:
            assert last == window.null
            continue
        found += 1
        text = context[window.offsets[first][0] : window.offsets[last][1]]
        assert text.strip() == "lisbon"
        # A model that is sure of these two tokens gives this answer.
        scores = np.full(feature.length, -10.0)
        starts, ends = scores.copy(), scores.copy()
        starts[first] = ends[last] = 10.0
        begin, stop, score = best_span(window, starts, ends, 20, 30)
        assert context[begin:stop].strip() == "lisbon" and score == 20.0
    assert found >= 1


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_an_answer_of_unknown_position_is_not_trained_on(checkpoints, kind):
    """Neither a position nor "no answer" would be right: its rows are left out of training only."""
    context = "the dog is bad . " * 20 + "anna likes the cat in lisbon ."
    head = make_head(checkpoints, kind)

    def example(*answers):
        texts, starts = zip(*answers, strict=True) if answers else ((), ())
        return {"question": "where ?", "context": context, "answers": {"text": texts, "answer_start": starts}}

    place = context.index("lisbon")
    examples = [
        example(("lisbon", place)),
        example(("lisbon", -1)),
        example(("oslo", -1), ("lisbon", place)),
        example(),
    ]
    features = head.encode(examples, training=True)
    by_example = [[one for one in features if one.example == number] for number in range(4)]
    spans = [[(one.inputs["start_positions"], one.inputs["end_positions"]) for one in part] for part in by_example]
    assert spans[1] == [] and spans[0] == spans[2] and len(spans[3]) == len(spans[0])
    assert any(start != one.extra["window"].null for one, (start, _) in zip(by_example[0], spans[0], strict=True))
    assert all(start == one.extra["window"].null for one, (start, _) in zip(by_example[3], spans[3], strict=True))
    assert {one.example for one in head.encode(examples, training=False)} == {0, 1, 2, 3}


def window(tokens=6):
    return Window.of([(0, 0)] + [(2 * n, 2 * n + 1) for n in range(tokens)], [False] + [True] * tokens, 0)


def test_best_span_is_the_best_of_all_valid_pairs():
    generator = np.random.default_rng(0)
    for _ in range(200):
        starts, ends = generator.normal(size=7), generator.normal(size=7)
        begin, stop, score = best_span(window(), starts, ends, 20, 3)
        pairs = [(starts[1 + i] + ends[1 + j], 2 * i, 2 * j + 1) for i in range(6) for j in range(i, min(6, i + 3))]
        assert (score, begin, stop) == pytest.approx(max(pairs))


def test_a_window_without_a_valid_pair_still_answers():
    starts, ends = np.array([0, 0, 0, 0, 0, 0, 9.0]), np.array([0, 9.0, 0, 0, 0, 0, 0])
    begin, stop, _ = best_span(window(), starts, ends, 1, 30)
    assert (begin, stop) in [(0, 1), (10, 11)]


def test_no_answer_is_predicted_only_if_training_has_one(checkpoints):
    answerable = {"question": "where ?", "context": "in lisbon", "answers": {"text": ["lisbon"], "answer_start": [3]}}
    without = {"question": "when ?", "context": "in lisbon", "answers": {"text": [], "answer_start": []}}
    head = make_head(checkpoints, "bert")
    features = head.encode([answerable], training=True)
    zeros = np.zeros(features[0].length)
    sure = zeros.copy()
    sure[features[0].extra["window"].null] = 9.0
    assert head.decode(features, [(sure, sure)], 1)[0]["text"] != ""
    head.encode([answerable, without], training=True)
    assert head.decode(features, [(sure, sure)], 1)[0]["text"] == ""
    assert head.decode(features, [(zeros, zeros)], 1)[0]["text"] != ""


def test_the_best_window_wins_and_one_low_null_score_is_enough_for_an_answer(checkpoints):
    head = make_head(checkpoints, "bert")
    head.may_abstain = True
    context = "the dog is bad . " * 20
    features = head.encode(
        [{"question": "where ?", "context": context, "answers": {"text": [], "answer_start": []}}], training=False
    )
    outputs = []
    for number, feature in enumerate(features):
        starts = np.zeros(feature.length)
        starts[feature.extra["window"].null] = 5.0 if number else -5.0
        starts[feature.extra["window"].tokens[3]] = 1.0 + number * 0.1
        outputs.append((starts, starts))
    answer = head.decode(features, outputs, 1)[0]
    last = features[-1].extra["window"]
    assert answer["null_score"] == -10.0
    assert answer["start"] == last.offsets[last.tokens[3]][0] and answer["text"]
