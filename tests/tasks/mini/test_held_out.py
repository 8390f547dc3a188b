"""What training must not show and pre-training must: the held-out words."""

import re

import pytest

from tasks.mini import (
    corpus,
    lexicon_german,
    lexicon_names,
    lexicon_opinions,
    lexicon_topics,
    ner,
    qa,
    sentiment,
    topics,
    translation,
)


def words(texts) -> set[str]:
    """All words, as written and in lower case."""
    found = {word for text in texts for word in re.findall(r"[\w&-]+", text)}
    return found | {word.lower() for word in found}


@pytest.fixture(scope="module")
def documents():
    """Part of the pre-training text."""
    return list(corpus.documents(12_000))


@pytest.fixture(scope="module")
def seen(documents):
    """Words of the pre-training text."""
    return words(" ".join(document) for document in documents)


OPINIONS = {
    word for kinds in lexicon_opinions.ADJECTIVES.values() for _, held_out in kinds.values() for word in held_out
}
TOPIC_WORDS = {word for _, held_out in lexicon_topics.TOPICS.values() for word in held_out}
NAMES = {
    word
    for _, held_out in (lexicon_names.FIRST_NAMES, lexicon_names.SURNAMES, lexicon_names.PLACES)
    for word in held_out
}


@pytest.mark.parametrize(
    ("task", "held_out", "text"),
    [
        (sentiment, OPINIONS, lambda row: row["text"]),
        (topics, TOPIC_WORDS, lambda row: row["text"]),
        (ner, NAMES | set(lexicon_names.FIRMS[1]), lambda row: " ".join(row["words"])),
        (qa, NAMES, lambda row: row["context"] + row["question"]),
    ],
    ids=["sentiment", "topics", "ner", "qa"],
)
def test_held_out_words(task, held_out, text, seen):
    data = task.generate()
    for split in ("train", "validation"):
        assert not words(map(text, data[split])) & held_out
    assert len(words(map(text, data["test"])) & held_out) > 0.8 * len(held_out)
    assert held_out <= seen


def test_held_out_constructions_of_sentiment():
    train = " ".join(row["text"] for row in sentiment.generate()["train"])
    assert not re.search("anything but|far from|by no means|despite|unlike|once ", train, re.I)


def test_rare_nouns_occur_in_training_but_seldom_and_are_inflected_in_the_test(seen):
    data = translation.generate()
    rare = [noun for _, nouns in lexicon_german.NOUNS.values() for noun in nouns]
    train = [re.findall(r"\w+", row["target"]) for row in data["train"]]
    for noun in rare:
        forms = {noun.de, noun.de_plural, noun.de_plural + "n", noun.oblique}
        assert 1 <= sum(bool(forms & set(line)) for line in train) <= 20, noun
        assert {noun.oblique, noun.en} <= seen


def test_new_combinations_are_new():
    train = [row["source"] for row in translation.generate()["train"]]
    modal = " (can|must|should|may) "
    subordinate = "(because|although|while|that|Because|Although|While) "
    assert not any(re.search(modal, text) and re.search(subordinate, text) for text in train)
    test = [row["source"] for row in translation.generate()["test"] if row["phenomenon"] == "new-combinations"]
    assert sum(bool(re.search(modal, text) and re.search(subordinate, text)) for text in test) >= 10


def test_the_corpus_holds_no_test_text(documents):
    text = "\n".join(corpus.plain(line) for document in documents for line in [*document, " ".join(document)])
    lines = set(text.split("\n"))
    assert not lines & corpus.test_texts()
    assert len(corpus.test_texts()) > 2000


def test_the_corpus_is_reproducible_and_has_no_labels(documents):
    assert list(corpus.documents(50)) == documents[:50]
    assert next(iter(corpus.documents(1, seed=1))) != documents[0]
    text = " ".join(" ".join(document) for document in documents).lower()
    assert not re.search(r"positive|negative|b-per|\bpoli(tics)\b|label", text)
