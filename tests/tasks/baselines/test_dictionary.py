"""Copy, IBM Model 1 against a plain implementation of its definition, and the dictionary by hand."""

import random
from collections import defaultdict

import pytest
import toy

from harness import registry
from tasks.baselines import dictionary as module
from tasks.baselines.alignment import translations
from tasks.baselines.copy import Copy
from tasks.baselines.dictionary import Dictionary, written

TASK = toy.task(toy.pairs, "translation")


def plain(sources, targets, rounds):
    """IBM Model 1 as Koehn (2010, figure 4.3) writes it, with the empty word 0; t(target | source)."""
    words = {word for target in targets for word in target}
    chance = defaultdict(lambda: 1 / len(words))
    for _ in range(rounds):
        count, total = defaultdict(float), defaultdict(float)
        for source, target in zip(sources, targets, strict=True):
            for word in target:
                norm = sum(chance[word, other] for other in [0, *source])
                for other in [0, *source]:
                    count[word, other] += chance[word, other] / norm
                    total[other] += chance[word, other] / norm
        chance = defaultdict(float, {(word, other): count[word, other] / total[other] for word, other in count})
    return chance


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_model_1_is_what_its_definition_gives(rounds):
    chance = random.Random(0)
    sources = [[chance.randint(1, 6) for _ in range(chance.randint(0, 5))] for _ in range(30)]
    targets = [[chance.randint(0, 5) for _ in range(chance.randint(0, 5))] for _ in range(30)]
    found, wanted = translations(sources, targets, rounds), plain(sources, targets, rounds)
    for source, (target, probability) in found.items():
        assert probability == pytest.approx(wanted[target, source])
        assert probability == pytest.approx(max(wanted[word, source] for word in range(6)))
    assert set(found) == {word for source, target in zip(sources, targets, strict=True) if target for word in source}


def test_one_round_by_hand():
    # das=1 Haus=2 Buch=3; the=0 house=1 book=2. Each target word divides itself over three words (with the empty one).
    found = translations([[1, 2], [1, 3]], [[0, 1], [0, 2]], 1)
    # das: the 1/3 + 1/3, house 1/3, book 1/3; Haus: the and house 1/3 each, and the smaller number is taken.
    assert found == {1: (0, pytest.approx(0.5)), 2: (0, pytest.approx(0.5)), 3: (0, pytest.approx(0.5))}


def test_more_rounds_find_the_words():
    found = translations([[1, 2], [1, 3], [1]], [[0, 1], [0, 2], [0]], 20)
    assert {source: target for source, (target, _) in found.items()} == {1: 0, 2: 1, 3: 2}


def test_nothing_to_learn_from():
    assert translations([], []) == {} and translations([[1]], [[]]) == {}


def pairs(*texts):
    return [{"source": source, "target": [target]} for source, target in texts]


TRAIN = pairs(
    ("the dog sleeps .", "Der Hund schläft ."),
    ("the cat sleeps .", "Die Katze schläft ."),
    ("a dog eats .", "Ein Hund frisst ."),
    ("a cat eats .", "Eine Katze frisst ."),
    ("the dog eats .", "Der Hund frisst ."),
)


def test_word_for_word():
    found = Dictionary().fit(TRAIN, [], TASK, 0)
    assert found.predict([{"source": "A Dog sleeps , the zebra eats !"}]) == ["Ein Hund schläft , Der zebra frisst !"]
    assert found.parameters == 6 and found.choice == {"model": "IBM Model 1", "rows": 5}


def test_words_are_written_as_inside_of_sentences():
    assert written([["Das", "Haus"], ["ein", "Haus"], ["Das", "das", "DAS", "das"]]) == {
        "das": "das", "haus": "Haus", "ein": "ein",
    }  # fmt: skip
    small = [{**row, "target": [row["target"][0].lower()]} for row in TRAIN]
    assert Dictionary().fit(small, [], TASK, 0).predict([{"source": "the dog"}]) == ["der hund"]


def test_scripts_without_blanks():
    chinese = pairs(
        ("the dog sleeps in the house", "那只狗在屋子里睡觉了没有人看见它"),
        ("the dog", "狗狗狗狗狗狗狗狗狗狗狗狗狗狗狗狗"),
    )
    assert " " not in Dictionary().fit(chinese, [], TASK, 0).predict([{"source": "the dog sleeps"}])[0]
    back = [{"source": row["target"][0], "target": [row["source"]]} for row in chinese]
    (found,) = Dictionary().fit(back, [], TASK, 0).predict([{"source": "狗睡"}])
    assert len(found.split()) == 2


def test_a_large_set_is_read_in_part(monkeypatch):
    monkeypatch.setattr(module, "PAIRS", 40)
    found = Dictionary().fit(TRAIN * 4, [], TASK, 0)
    assert found.choice["rows"] < 10


def test_copy_is_the_trivial_answer():
    found = Copy().fit(TRAIN, [], TASK, 0).predict(TRAIN)
    assert found == registry.family("translation").trivial(TRAIN, TRAIN, TASK) and found[0] == "the dog sleeps ."
