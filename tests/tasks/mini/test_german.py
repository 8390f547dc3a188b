"""The German of the translation task against forms written by hand."""

import pytest

from tasks.mini import lexicon_german as lexicon
from tasks.mini import translation
from tasks.mini.german import Clause, Phrase

NOUNS = {noun.en: noun for common, rare in lexicon.NOUNS.values() for noun in common + rare}
VERBS = {verb.en[0]: verb for verb in lexicon.VERBS}

PHRASES = [
    ("the", "old", "man", False, "der alte Mann", "den alten Mann", "dem alten Mann"),
    ("a", "old", "man", False, "ein alter Mann", "einen alten Mann", "einem alten Mann"),
    ("the", "young", "woman", False, "die junge Frau", "die junge Frau", "der jungen Frau"),
    ("my", "young", "woman", False, "meine junge Frau", "meine junge Frau", "meiner jungen Frau"),
    ("a", "small", "child", False, "ein kleines Kind", "ein kleines Kind", "einem kleinen Kind"),
    ("this", "small", "child", False, "dieses kleine Kind", "dieses kleine Kind", "diesem kleinen Kind"),
    ("every", "", "boy", False, "jeder Junge", "jeden Jungen", "jedem Jungen"),
    ("a", "clever", "student", False, "ein kluger Student", "einen klugen Studenten", "einem klugen Studenten"),
    ("the", "", "neighbour", False, "der Nachbar", "den Nachbarn", "dem Nachbarn"),
    ("his", "big", "bear", False, "sein großer Bär", "seinen großen Bären", "seinem großen Bären"),
    ("our", "tired", "queen", False, "unsere müde Königin", "unsere müde Königin", "unserer müden Königin"),
    ("a", "expensive", "coat", False, "ein teurer Mantel", "einen teuren Mantel", "einem teuren Mantel"),
    ("a", "dark", "house", False, "ein dunkles Haus", "ein dunkles Haus", "einem dunklen Haus"),
    ("no", "red", "flower", False, "keine rote Blume", "keine rote Blume", "keiner roten Blume"),
    ("the", "old", "man", True, "die alten Männer", "die alten Männer", "den alten Männern"),
    ("two", "new", "car", True, "zwei neue Autos", "zwei neue Autos", "zwei neuen Autos"),
    ("", "small", "girl", True, "kleine Mädchen", "kleine Mädchen", "kleinen Mädchen"),
    ("no", "poor", "teacher", True, "keine armen Lehrer", "keine armen Lehrer", "keinen armen Lehrern"),
    ("these", "", "apple", True, "diese Äpfel", "diese Äpfel", "diesen Äpfeln"),
    ("three", "black", "bird", True, "drei schwarze Vögel", "drei schwarze Vögel", "drei schwarzen Vögeln"),
]  # fmt: skip


@pytest.mark.parametrize(("determiner", "adjective", "noun", "plural", "nominative", "accusative", "dative"), PHRASES)
def test_noun_phrases(determiner, adjective, noun, plural, nominative, accusative, dative):
    phrase = Phrase(NOUNS[noun], determiner, adjective, plural)
    assert [phrase.german(case) for case in ("nom", "acc", "dat")] == [nominative, accusative, dative]


WOMAN, BOY, DOCTOR = Phrase(NOUNS["woman"]), Phrase(NOUNS["boy"]), Phrase(NOUNS["doctor"])
BOYS = Phrase(NOUNS["boy"], plural=True)
CLAUSES = [
    (Clause(BOY, VERBS["call"], "present", [DOCTOR]), "main", "the boy calls the doctor", "der Junge ruft den Arzt an"),
    (Clause(BOY, VERBS["call"], "present", [DOCTOR]), "last", None, "der Junge den Arzt anruft"),
    (Clause(BOYS, VERBS["call"], "past", [DOCTOR]), "main", "the boys called the doctor", "die Jungen riefen den Arzt an"),
    (Clause(BOYS, VERBS["invite"], "past", [DOCTOR]), "last", None, "die Jungen den Arzt einluden"),
    (Clause(BOY, VERBS["call"], "must", [DOCTOR]), "main", "the boy must call the doctor", "der Junge muss den Arzt anrufen"),
    (Clause(BOYS, VERBS["call"], "must", [DOCTOR]), "last", None, "die Jungen den Arzt anrufen müssen"),
    (Clause(BOY, VERBS["invite"], "perfect", [WOMAN]), "main", "the boy has invited the woman",
     "der Junge hat die Frau eingeladen"),
    (Clause(BOYS, VERBS["follow"], "perfect", [WOMAN]), "last", None, "die Jungen der Frau gefolgt sind"),
    (Clause(WOMAN, VERBS["help"], "past", [BOY]), "main", "the woman helped the boy", "die Frau half dem Jungen"),
    (Clause(WOMAN, VERBS["give"], "present", [BOY, Phrase(NOUNS["key"], "a")]), "inverted", "the woman gives the boy a key",
     "gibt die Frau dem Jungen einen Schlüssel"),
    (Clause(WOMAN, VERBS["sit"], "present", [Phrase(NOUNS["garden"], "the", "old")]), "main",
     "the woman sits in the old garden", "die Frau sitzt im alten Garten"),
    (Clause(WOMAN, VERBS["go"], "past", [Phrase(NOUNS["house"])]), "main", "the woman went into the house",
     "die Frau ging ins Haus"),
    (Clause(WOMAN, VERBS["go"], "past", [Phrase(NOUNS["forest"], "a")]), "main", "the woman went into a forest",
     "die Frau ging in einen Wald"),
    (Clause(WOMAN, VERBS["see"], "past", [BOY], adverb=("yesterday", "gestern")), "front", "the woman saw the boy yesterday",
     "gestern sah die Frau den Jungen"),
    (Clause(WOMAN, VERBS["buy"], "present", [Phrase(NOUNS["book"])], company=("for", BOYS)), "main",
     "the woman buys the book for the boys", "die Frau kauft das Buch für die Jungen"),
    (Clause(WOMAN, VERBS["see"], "present", [BOY], company=("with", Phrase(NOUNS["friend"], plural=True))), "main", None,
     "die Frau sieht den Jungen mit den Freunden"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "order", "english", "german"), CLAUSES)
def test_clauses(clause, order, english, german):
    assert clause.german(order) == german
    assert english is None or clause.english() == english


def test_relative_clauses_agree():
    import random

    outer = Clause(BOY, VERBS["sleep"], "present", [Phrase(NOUNS["garden"])])
    inner = Clause(WOMAN, VERBS["see"], "present", [DOCTOR])
    made = {translation.relative(random.Random(seed), outer, inner) for seed in range(20)}
    assert made == {
        ("the boy that sees the doctor sleeps in the garden", "der Junge, der den Arzt sieht, schläft im Garten"),
        ("the boy that the woman sees sleeps in the garden", "der Junge, den die Frau sieht, schläft im Garten"),
    }


def test_every_sentence_is_written_out():
    for rows in translation.generate().values():
        for row in rows:
            assert (
                row["source"].endswith(".")
                and row["target"].endswith(".")
                and "  " not in row["source"] + row["target"]
            )
            assert row["source"][0].isupper() and row["target"][0].isupper() and " ," not in row["target"]
            assert (
                " a a" not in row["source"] and " a o" not in row["source"] and "{" not in row["source"] + row["target"]
            )
