"""Translation from English to German by a synchronous grammar: agreement, word order, rare nouns, new combinations."""

import random
from collections.abc import Sequence
from dataclasses import replace

from . import german
from . import lexicon_german as lexicon
from .grammar import Row, build, sentence

VERSION = 1
PLAN = {
    "train": {"agreement": 450, "word-order": 270, "subordinate": 270, "separable-modal": 270, "rare-nouns": 150},
    "validation": {"agreement": 70, "word-order": 40, "subordinate": 40, "separable-modal": 40, "rare-nouns": 20},
    "test": {"agreement": 60, "word-order": 60, "subordinate": 60, "separable-modal": 60, "rare-nouns": 60,
             "new-combinations": 60},
}  # fmt: skip
SEPARABLE = [verb for verb in lexicon.VERBS if verb.prefix]
SIMPLE = [verb for verb in lexicon.VERBS if not verb.prefix]
TRANSITIVE = [verb for verb in lexicon.VERBS if verb.frame == "a"]
Pair = tuple[str, str]


def agreement(rng: random.Random) -> Pair:
    """A clause in its basic order, or a sentence that ascribes a property."""
    if rng.random() < 0.15:
        kind = rng.choice(list(lexicon.NOUNS))
        subject = replace(german.phrase(rng, rng.choice([kind] if kind != "animal" else ["living"])), adjective="")
        adjective = rng.choice(["old", "small", "big", "quiet", "beautiful", "dark", "clean"])
        past = rng.random() < 0.5
        is_, ist = [("is", "ist"), ("are", "sind"), ("was", "war"), ("were", "waren")][2 * past + subject.plural]
        return (
            f"{subject.english()} {is_} {adjective}",
            f"{subject.german('nom')} {ist} {lexicon.ADJECTIVES[adjective][1]}",
        )
    one = german.clause(rng, rng.choice(["present", "past"]), SIMPLE, rng.random() < 0.3, rng.random() < 0.3)
    return one.english(), one.german()


def word_order(rng: random.Random, tenses: tuple[str, ...] = ("present", "past", "perfect")) -> Pair:
    """A clause with an adverb first and the verb second."""
    one = german.clause(rng, rng.choice(tenses), SIMPLE, adverb=True, company=rng.random() < 0.2)
    return one.english(front=True), one.german("front")


def subordinate(rng: random.Random, tenses: tuple[str, ...] = ("present", "past"), verbs: list | None = None) -> Pair:
    """A clause with its verb last: after a conjunction, after `that`, or relative."""
    tense = rng.choice(tenses)
    inner = german.clause(rng, tense, verbs or SIMPLE)
    kind = rng.choice(["conjunction", "first", "saying", "relative"])
    when = "past" if tense == "past" else "present"
    if kind == "saying":
        says, sagt = rng.choice(list(lexicon.SAYING[when].items()))
        who = replace(german.phrase(rng, "person"), plural=False, determiner="the")
        return (
            f"{who.english()} {says} that {inner.english()}",
            f"{who.german('nom')} {sagt}, dass {inner.german('last')}",
        )
    outer = german.clause(rng, when, [verb for verb in SIMPLE if verb.frame in "ald"])
    if kind == "relative":
        return relative(rng, outer, german.clause(rng, tense, [verb for verb in verbs or SIMPLE if verb.frame == "a"]))
    that, dass = rng.choice(list(lexicon.CONJUNCTIONS.items()))
    if kind == "first":
        return (
            f"{that} {inner.english()}, {outer.english()}",
            f"{dass} {inner.german('last')}, {outer.german('inverted')}",
        )
    return f"{outer.english()} {that} {inner.english()}", f"{outer.german()}, {dass} {inner.german('last')}"


def relative(rng: random.Random, outer: german.Clause, inner: german.Clause) -> Pair:
    """The clause `outer`, with `inner` as a relative clause of its subject."""
    head = outer.subject
    if rng.random() < 0.5 or inner.verb.kind == "thing":
        inner = replace(inner, subject=head)
        english = inner.english().removeprefix(head.english()).strip()
        text = f"{german.article('nom', head.gender)} {inner.german('last', gap='subject')}"
    else:
        english = inner.english().removesuffix(inner.objects[0].english()).strip()
        text = f"{german.article('acc', head.gender)} {inner.german('last', gap='object')}"
    whole = replace(outer, subject=replace(head, relative=(english, text)))
    return whole.english(), whole.german()


def separable_modal(rng: random.Random) -> Pair:
    """A separable verb, a modal verb or a perfect: a part of the verb is at the end of the clause."""
    tense = rng.choice(["present", "past", "perfect", *lexicon.MODALS])
    one = german.clause(rng, tense, SEPARABLE if tense not in lexicon.MODALS else lexicon.VERBS, rng.random() < 0.3)
    return one.english(), one.german()


def new_combinations(rng: random.Random) -> Pair:
    """Combinations that do not occur in training: verb-last with a perfect, a modal or a prefix; a modal after an adverb."""
    kind = rng.randrange(3)
    if kind == 0:
        return subordinate(rng, ("perfect", *lexicon.MODALS))
    if kind == 1:
        return subordinate(rng, verbs=SEPARABLE)
    return word_order(rng, tuple(lexicon.MODALS))


def rare_nouns(rng: random.Random, revealing: bool, kinds: Sequence[str] = tuple(lexicon.NOUNS)) -> Pair:
    """A clause with a rare noun; unless `revealing` (its gender), only in the plural or in a dative."""
    kind = rng.choice(kinds)
    noun = rng.choice(lexicon.NOUNS[kind][1])
    if revealing:
        adjective = rng.choice(["", *lexicon.FITTING[kind]])
        rare = german.Phrase(noun, rng.choice(["the", "a", "this", "every", "my"]), adjective)
    else:
        rare = german.Phrase(noun, "the", "", plural=rng.random() < 0.4)
    if kind == "place":
        verbs = [verb for verb in SIMPLE if verb.frame == ("g" if revealing else "l")]
        one = german.clause(rng, "present", verbs)
        one = replace(one, objects=[rare], location="in")
    elif not revealing and not rare.plural and kind in ("person", "animal"):
        verbs = [verb for verb in SIMPLE if verb.frame == "d" and (kind == "person" or verb.kind == "living")]
        one = replace(german.clause(rng, "present", verbs), objects=[rare])
    elif not revealing and not rare.plural:
        return f"{rare.english()} stands here", f"{rare.german('nom')} steht hier"
    else:
        verbs = [verb for verb in TRANSITIVE if not verb.prefix and kind in lexicon.KINDS[verb.kind]]
        one = replace(german.clause(rng, "present", verbs), objects=[rare])
    return one.english(), one.german()


KINDS = {"agreement": agreement, "word-order": word_order, "subordinate": subordinate, "separable-modal": separable_modal,
         "new-combinations": new_combinations}  # fmt: skip


def finish(text: str) -> str:
    """Turn a clause into a sentence: a capital first, no comma before the full stop."""
    return sentence(text.replace(",,", ",").rstrip(",")) + "."


def make(rng: random.Random, split: str, phenomenon: str) -> Row:
    """One sentence pair."""
    if phenomenon == "rare-nouns":
        every = [kind for kind, (_, rare) in lexicon.NOUNS.items() for _ in rare]  # each noun as often as the next
        english, german_text = rare_nouns(rng, split == "test", every)
    else:
        english, german_text = KINDS[phenomenon](rng)
    return {"source": finish(english), "target": finish(german_text)}


def generate() -> dict[str, list[Row]]:
    """Rows `{id, source, target, phenomenon}` by split; `source` is English, `target` German."""
    return build("translation", PLAN, make, lambda row: row["source"])
