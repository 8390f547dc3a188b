"""English-German noun phrases and clauses: one choice of words, written out in both languages.

The German covers strong, weak and mixed adjective endings, weak nouns, the dative plural in -n, contracted
prepositions, the verb in second position in main clauses and last in subordinate ones, and separable prefixes.
"""

import random
from dataclasses import dataclass, field

from . import lexicon_german as lexicon
from .lexicon_german import Noun, Verb

_GENDERS = ("m", "f", "n", "p")
_DER = {"nom": "der die das die", "acc": "den die das die", "dat": "dem der dem den"}
_DIESER = {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en"}
_EIN = {"nom": "- e - e", "acc": "en e - e", "dat": "em er em en"}
_WEAK = {"nom": "e e e en", "acc": "en e e en", "dat": "en en en en"}
_MIXED = {"nom": "er e es en", "acc": "en e es en", "dat": "en en en en"}
_STRONG = {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en"}
_ADJECTIVE = {"der": _WEAK, "dieser": _WEAK, "ein": _MIXED, "strong": _STRONG}
_CONTRACTED = {"in dem": "im", "in das": "ins"}


def _cell(table: dict[str, str], case: str, gender: str) -> str:
    return table[case].split()[_GENDERS.index(gender)].replace("-", "")


def article(case: str, gender: str) -> str:
    """The definite article, which is also the relative pronoun in the nominative and accusative."""
    return _cell(_DER, case, gender)


@dataclass
class Phrase:
    """A noun phrase; `relative` is a relative clause about it, as text in both languages."""

    noun: Noun
    determiner: str = "the"
    adjective: str = ""
    plural: bool = False
    relative: tuple[str, str] | None = None

    @property
    def gender(self) -> str:
        """m, f, n, or p for every plural."""
        return "p" if self.plural else self.noun.gender

    def english(self) -> str:
        """The phrase in English."""
        words = [self.determiner, self.adjective, self.noun.en_plural if self.plural else self.noun.en]
        return " ".join(filter(None, words)) + (f" that {self.relative[0]}" if self.relative else "")

    def german(self, case: str) -> str:
        """The phrase in German in case nom, acc or dat."""
        stem, declension = (lexicon.PLURAL if self.plural else lexicon.SINGULAR)[self.determiner]
        endings = {"der": _DER, "dieser": _DIESER, "ein": _EIN}.get(declension)
        words = [stem + (_cell(endings, case, self.gender) if endings else "")]
        if self.adjective:
            stem, ending = lexicon.ADJECTIVES[self.adjective][0], _cell(_ADJECTIVE[declension], case, self.gender)
            words.append(stem + (ending[1:] if stem.endswith("e") else ending))
        words.append(self._noun(case))
        return " ".join(filter(None, words)) + (f", {self.relative[1]}," if self.relative else "")

    def _noun(self, case: str) -> str:
        if not self.plural:
            return self.noun.de if case == "nom" else self.noun.oblique
        plural = self.noun.de_plural
        return plural + "n" if case == "dat" and plural[-1] not in "ns" else plural


@dataclass
class Clause:
    """Subject, verb and what follows it. `tense`: present, past, perfect or the name of a modal verb."""

    subject: Phrase
    verb: Verb
    tense: str
    objects: list[Phrase] = field(default_factory=list)
    location: str = "in"  # the preposition of a place
    adverb: tuple[str, str] | None = None
    company: tuple[str, Phrase] | None = None

    def english(self, front: bool = False) -> str:
        """The clause in English; `front` puts the adverb first."""
        base, third, past, participle = self.verb.en
        plural = self.subject.plural
        verb = {
            "present": base if plural else third,
            "past": past,
            "perfect": f"{'have' if plural else 'has'} {participle}",
        }
        words = [self.subject.english(), verb.get(self.tense, f"{self.tense} {base}")]
        if self.verb.frame in "lg":
            words.append("into" if self.verb.frame == "g" else self.location)
        words += [phrase.english() for phrase in self.objects]
        words += [self.company[0], self.company[1].english()] if self.company else []
        adverb = [self.adverb[0]] if self.adverb else []
        return " ".join(adverb + words if front else words + adverb)

    def german(self, order: str = "main", gap: str = "") -> str:
        """The clause in German; `order` is main, front (the adverb first), inverted (the subject after the verb) or last.

        `gap` leaves out what a relative pronoun stands for: `subject` or `object`.
        """
        finite, end = self._verbs(order == "last")
        subject = [] if gap == "subject" else [self.subject.german("nom")]
        middle = [] if gap == "object" else self._objects()
        adverb = [self.adverb[1]] if self.adverb else []
        if self.company:
            preposition, case = lexicon.COMPANY[self.company[0]]
            middle.append(f"{preposition} {self.company[1].german(case)}")
        orders = {
            "main": subject + [finite] + adverb + middle + end,
            "front": adverb + [finite] + subject + middle + end,
            "inverted": [finite] + subject + adverb + middle + end,
            "last": subject + adverb + middle + end + [finite],
        }
        return " ".join(orders[order])

    def _objects(self) -> list[str]:
        frame = self.verb.frame
        if frame in "lg":
            case = "dat" if frame == "l" else "acc"
            text = f"{'in' if frame == 'g' else lexicon.LOCATIONS[self.location]} {self.objects[0].german(case)}"
            for long, short in _CONTRACTED.items():
                text = text.replace(f"{long} ", f"{short} ") if text.startswith(f"{long} ") else text
            return [text]
        return [phrase.german({"a": "acc", "d": "dat"}[case]) for phrase, case in zip(self.objects, frame, strict=True)]

    def _verbs(self, last: bool) -> tuple[str, list[str]]:
        """The finite verb and what stands at the end of the clause."""
        verb, plural = self.verb, self.subject.plural
        if self.tense == "perfect":
            forms = {"haben": ("hat", "haben"), "sein": ("ist", "sind")}[verb.auxiliary]
            return forms[plural], [verb.participle]
        if self.tense in lexicon.MODALS:
            return lexicon.MODALS[self.tense][plural], [verb.prefix + verb.infinitive]
        if self.tense == "present":
            finite = verb.infinitive if plural else verb.present
        else:
            finite = verb.past + ("" if not plural else "n" if verb.past.endswith("e") else "en")
        if last:
            return verb.prefix + finite, []
        return finite, [verb.prefix] if verb.prefix else []


def phrase(rng: random.Random, kind: str, negated: bool = False) -> Phrase:
    """A random noun phrase of a kind in lexicon.KINDS, with no rare noun; `negated` allows the determiner `no`."""
    kind = rng.choice(lexicon.KINDS[kind])
    plural = rng.random() < 0.3
    determiners = [word for word in (lexicon.PLURAL if plural else lexicon.SINGULAR) if negated or word != "no"]
    adjective = "" if rng.random() < 0.5 else rng.choice(lexicon.FITTING[kind])
    return Phrase(rng.choice(lexicon.NOUNS[kind][0]), rng.choice(["the", "the", *determiners]), adjective, plural)


def clause(rng: random.Random, tense: str, verbs: list[Verb], adverb: bool = False, company: bool = False) -> Clause:
    """A random clause with a person as its subject; all its nouns differ. Only a direct object may be negated."""
    verb = rng.choice(verbs)
    company = company and verb.frame == "a"
    kinds = ["person"] * len(verb.frame) + [verb.kind] + ["person"] * company
    while True:
        made = [phrase(rng, kind, kind == verb.kind and number == len(verb.frame) and "a" in verb.frame)
                for number, kind in enumerate(kinds)]  # fmt: skip
        if len({one.noun.en for one in made}) == len(made):
            break
    when = tense if tense in lexicon.ADVERBS else "present"
    return Clause(
        made[0], verb, tense, made[1 : 1 + len(verb.frame)], rng.choice(list(lexicon.LOCATIONS)),
        rng.choice(list(lexicon.ADVERBS[when].items())) if adverb else None,
        (rng.choice(list(lexicon.COMPANY)), made[-1]) if company else None,
    )  # fmt: skip
