"""Sliding windows by hand."""

import math

import pytest
import toy

from harness.data.source import GeneratedSource
from harness.task import Task
from tasks.baselines.passage import Passage, Span
from tasks.baselines.window import SlidingWindow
from tasks.baselines.words import WORD

CONTEXT = "The cat saw Anna in the garden. The dog saw Lisbon near the old house."


def best(question, length, width, context=CONTEXT):
    return Passage(question, context, WORD).best(length, width)


def test_weights_by_hand():
    # saw (twice in the context) weighs ln 1.5, dog (once) ln 2; "who" is not there.
    passage = Passage("Who saw the dog?", CONTEXT, WORD)
    the, saw, dog = math.log(1 + 1 / 4), math.log(1.5), math.log(2)
    assert passage.total == pytest.approx(the + saw + dog)
    assert passage.sums[-1] == pytest.approx(4 * the + 2 * saw + dog)


def test_the_piece_beside_the_question_s_words():
    # One word with two on each side: Lisbon has all of the question around it, Anna has no dog, and The is in the question.
    assert best("the dog saw", 1, 2) == Span("Lisbon", pytest.approx(1.0))
    assert best("house old", 1, 1) == Span("the", pytest.approx(0.5))
    # Where two pieces have the same around them at the same distance, the first is taken.
    assert best("dog saw", 1, 2).text == "The"


def test_a_piece_never_crosses_sentences_and_looks_at_its_own_only():
    assert best("garden", 2, 1).text == "in the"  # "The dog" is as near, in the next sentence
    assert best("garden dog", 7, 9).text != "garden. The dog saw Lisbon near the"


def test_nothing_in_common_is_the_first_piece_and_no_share():
    assert best("why", 2, 3) == Span("The cat", 0.0)
    assert best("why", 2, 3, "") == Span("", 0.0)
    assert best("cat", 9, 3, "cat") == Span("cat", 0.0)


def test_equal_weights_the_nearest_then_the_first():
    assert best("two", 1, 3, "one two three four").text == "one"
    assert best("one", 1, 3, "one two three four").text == "two"


def rows(count, length, none=0):
    """Answers of `length` words behind `key`."""
    made = []
    for number in range(count):
        words = [f"w{number}x{place}" for place in range(12)]
        words[4] = "key"
        text = " ".join(words)
        answer = " ".join(words[5 : 5 + length])
        row = {"id": str(number), "question": "where is the key", "context": text}
        made.append({**row, "answers": {"text": [answer], "answer_start": [text.index(answer)]}})
    for number in range(none):
        row = {"id": f"n{number}", "question": "what else", "context": "nothing of that is here at all"}
        made.append({**row, "answers": {"text": [], "answer_start": []}})
    return made


def task(**options):
    return Task("q", "qa", GeneratedSource(toy.questions, "q"), options=options)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_length_is_chosen_on_the_rows(length):
    # The first of two equally near pieces lies before the key, so that rows with it at the front tell the length.
    made = rows(20, length)
    for row in made:
        row["context"] = row["context"][row["context"].index("key") :]
        row["answers"] = {**row["answers"], "answer_start": [4]}
    found = SlidingWindow().fit(made[:15], made[15:], task(), 0)
    assert (
        found.choice["length"] == length and found.choice["threshold"] == 0.0 and found.choice["chosen_on_rows"] == 20
    )
    assert found.predict(made) == [row["answers"]["text"][0] for row in made]


def test_no_answer_where_little_of_the_question_is_found():
    made = rows(10, 2, none=10)
    found = SlidingWindow().fit(made, [], task(), 0)
    assert found.threshold > 0
    assert [bool(text) for text in found.predict(made)] == [True] * 10 + [False] * 10
    always = SlidingWindow().fit(made, [], task(unanswerable=False), 0)
    assert all(always.predict(made)) and always.threshold == 0
