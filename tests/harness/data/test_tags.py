"""Tagging schemes: each is recognised and gives the same IOB2."""

import random

import pytest

from harness.data.tags import SCHEMES, to_iob2
from harness.errors import BenchError


def encode(length, entities, scheme):
    """Tags of a sentence from its entities (start, end, type), in the plainest way that the scheme has."""
    letters = {ours: theirs for theirs, ours in SCHEMES[scheme].items()}
    tags = ["O"] * length
    ends = {}
    for start, end, kind in entities:
        for at in range(start, end):
            if "E" in letters:
                role = "S" if end - start == 1 else "B" if at == start else "E" if at == end - 1 else "I"
            elif scheme == "iob1":
                role = "B" if at == start and ends.get(start) == kind else "I"
            else:
                role = "B" if at == start and scheme == "iob2" else "I"
            tags[at] = f"{letters[role]}-{kind}"
        ends[end] = kind
    return tags


def sentences(rng, count=40):
    """Random sentences as (length, entities); some entities touch, with and without the same type."""
    made = []
    for _ in range(count):
        length, at, entities = rng.randint(1, 12), 0, []
        while at < length:
            size = min(rng.randint(1, 3), length - at)
            if rng.random() < 0.5:
                entities.append((at, at + size, rng.choice(["PER", "ORG-X"])))
            at += size
        made.append((length, entities))
    return made


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "io"])
def test_round_trip_of_random_sentences(scheme):
    for seed in range(20):
        made = sentences(random.Random(seed))
        found = to_iob2([encode(length, entities, scheme) for length, entities in made])
        assert found.scheme == scheme
        assert found.tags == [encode(length, entities, "iob2") for length, entities in made]
        assert found.entities == sum(len(entities) for _, entities in made)
        assert found.irregular == 0


def test_io_joins_touching_entities():
    found = to_iob2([["I-PER", "I-PER", "I-ORG", "O", "I-PER"]])
    assert found == ([["B-PER", "I-PER", "B-ORG", "O", "B-PER"]], "io", 3, 0, ())


def test_bare_types_with_a_dash_need_the_scheme_stated():
    tags = [["person-actor", "person-actor", "O", "art-film"]]
    assert to_iob2(tags, "io").tags == [["B-person-actor", "I-person-actor", "O", "B-art-film"]]
    with pytest.raises(BenchError, match="row 1, token 1: 'person-actor' is no tag"):
        to_iob2(tags)


def test_letters_without_a_type():
    assert to_iob2([["O", "B", "I", "I", "B"]]) == ([["O", "B", "I", "I", "B"]], "iob2", 2, 0, ())


@pytest.mark.parametrize(
    ("tags", "scheme", "expected", "irregular"),
    [
        ("B-X I-X O B-X O B-X I-X O I-X", "iob2", "B-X I-X O B-X O B-X I-X O B-X", 1),
        ("I-X I-X O I-X B-X O I-X O B-X", "iob1", "B-X I-X O B-X B-X O B-X O B-X", 1),
        ("B-X E-X O S-X O S-X B-X I-X O", "bioes", "B-X I-X O B-X O B-X B-X I-X O", 1),
        ("B-X M-Y E-Y S-X S-X S-X S-X", "bmes", "B-X B-Y I-Y B-X B-X B-X B-X", 2),
        ("S-X I-X S-X S-X", "bioes", "B-X B-X B-X B-X", 1),
        ("B-X I-Y B-X B-X", "iob2", "B-X B-Y B-X B-X", 1),
    ],
)
def test_irregular_sequences_are_counted_and_read_as_conlleval_does(tags, scheme, expected, irregular):
    found = to_iob2([tags.split()])
    assert (found.scheme, found.irregular) == (scheme, irregular)
    assert found.tags == [expected.split()]


def test_no_entities_at_all():
    assert to_iob2([["O", "O"], []]) == ([["O", "O"], []], "iob2", 0, 0, ())


def test_a_stated_scheme_is_enforced():
    assert to_iob2([["I-X", "O"]], "bio") == ([["B-X", "O"]], "iob2", 1, 1, ("row 1, token 1",))
    with pytest.raises(BenchError, match="row 1, token 2: a tag with S- is not of scheme iob2"):
        to_iob2([["B-X", "S-X"]], "IOB2")
    with pytest.raises(BenchError, match="unknown tagging scheme 'biose'; did you mean 'bioes'"):
        to_iob2([["O"]], "biose")


@pytest.mark.parametrize("tag", ["", "o", "B-", "BX", "X-PER", "-X-"])
def test_values_that_are_not_tags(tag):
    with pytest.raises(BenchError, match="is no tag"):
        to_iob2([["O", tag]])


def test_the_places_of_the_first_irregular_entities_are_reported():
    rows = [["O", "I-X"], ["B-X", "I-X", "I-Y"], *[["I-X"]] * 9]
    found = to_iob2(rows, "iob2", where=lambda row, token: f"{row}/{token}")
    assert found.irregular == 11 and found.irregular_at == ("0/1", "1/2", "2/0", "3/0", "4/0")
    # An entity without its end is told where it stops.
    unclosed = to_iob2([["B-X", "M-X", "O", "S-X", "B-X"]], "bmes", where=lambda row, token: f"{row}/{token}")
    assert unclosed.irregular_at == ("0/1", "0/4")
    assert "irregular_at" not in to_iob2([["B-X", "I-X"]]).report()
