"""Frequent tags by hand."""

import toy

from harness import registry
from tasks.baselines.frequent_tag import FrequentTag, valid
from tasks.baselines.majority import AllO

TASK = toy.task(toy.names, "ner")


def rows(*sentences):
    return [{"words": words.split(), "tags": tags.split()} for words, tags in sentences]


TRAIN = rows(
    ("Paris likes Rome", "B-PER O B-LOC"),
    ("Paris , in Paris", "B-LOC O O B-LOC"),
    ("New York", "B-LOC I-LOC"),
    ("York", "B-ORG"),
    ("us", "O"),
    ("US US", "B-LOC B-LOC"),
)


def tags(words):
    (found,) = FrequentTag().fit(TRAIN, [], TASK, 0).predict([{"words": words.split()}])
    return found


def test_the_most_frequent_tag_of_a_word():
    assert tags("Paris likes Rome") == ["B-LOC", "O", "B-LOC"]  # 2 times B-LOC, 1 time B-PER


def test_equally_frequent_the_first_in_the_alphabet():
    assert tags("New York") == ["B-LOC", "B-ORG"]  # York: B-ORG and I-LOC, once each


def test_a_word_in_another_case_goes_by_its_lower_case_an_unknown_one_is_o():
    assert tags("us US Us ROME Berlin") == [
        "O",
        "B-LOC",
        "B-LOC",
        "B-LOC",
        "O",
    ]  # us in any case: 2 times B-LOC, once O


def test_what_was_learned_is_counted():
    found = FrequentTag().fit(TRAIN, [], TASK, 0)
    # Paris likes Rome , in New York us US, and the same in lower case with one us
    assert found.parameters == 9 + 8


def test_tags_become_valid():
    assert valid("I-X I-X O I-X B-Y I-X I-X".split()) == "B-X I-X O B-X B-Y B-X I-X".split()
    assert valid([]) == []


def test_all_o_is_the_trivial_answer():
    found = AllO().fit(TRAIN, [], TASK, 0).predict(TRAIN)
    assert found == registry.family("ner").trivial(TRAIN, TRAIN, TASK)
    assert found[0] == ["O", "O", "O"]
