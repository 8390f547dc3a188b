"""Sentiment: reviews whose polarity depends on negation, contrast and point of view, not only on single words."""

import random

from .grammar import Row, build, fill
from .lexicon_opinions import OPPOSITE, OUTCOMES, PEOPLE, THINGS, adjectives

VERSION = 1
PLAN = {
    "train": {"simple": 800, "negation": 300, "contrast": 300, "point-of-view": 200, "change": 200},
    "validation": {"simple": 60, "negation": 60, "contrast": 60, "point-of-view": 30, "change": 30},
    "test": {"simple": 50, "unseen-words": 80, "negation": 90, "contrast": 90, "point-of-view": 70, "change": 70},
}
# `good` has the polarity of the label, `bad` the opposite; `end` is what the writer did about it.
# The first list of each kind is for all splits, the second for the test split only.
TEMPLATES = {
    "simple": (
        [
            "the {thing} was {good}",
            "what a {good} {thing}",
            "the {thing} was {good} and {good2}",
            "a {good} {thing}, {end}",
            "we had a {good} {thing} on {day}",
            "I found the {thing} really {good}",
            "honestly, {end}",
        ],
        ["the {thing} turned out {good}", "{good}, {good2}, that is the {thing} in two words"],
    ),
    "negation": (
        [
            "the {thing} was not {bad}",
            "the {thing} was never {bad}",
            "I did not find the {thing} {bad}",
            "it was not a {bad} {thing}",
            "no {bad} {thing} this time",
            "the {thing} was not {bad} at all",
        ],
        [
            "the {thing} was anything but {bad}",
            "the {thing} was far from {bad}",
            "the {thing} was by no means {bad}",
            "nobody could call the {thing} {bad}",
        ],
    ),
    "contrast": (
        [
            "the {thing} was {bad}, but the {other} was {good} and {end}",
            "the {thing} was {bad} at first, but {end}",
            "although the {thing} was {bad}, {end}",
            "{end}, although the {thing} was {bad}",
            "the {thing} was not {good}, but {end}",
        ],
        [
            "despite the {bad} {thing}, {end}",
            "{end}, even though the {thing} was {bad}",
            "the {thing} may have been {bad}, yet {end}",
            "granted, the {thing} was {bad}; still, {end}",
        ],
    ),
    "point-of-view": (
        [
            "{person} called the {thing} {bad}, but I found it {good}",
            "{person} said it was {bad}, I say it was {good}",
            "I found the {thing} {good}, but {person} called it {bad}",
        ],
        [
            "for {person} the {thing} was {bad}, for me it was {good}",
            "unlike {person}, who found it {bad}, I call it {good}",
            "to me it was a {good} {thing}, whatever {person} says about a {bad} one",
        ],
    ),
    "change": (
        [
            "I expected a {bad} {thing}, but it was {good}",
            "the {thing} used to be {bad}, now it is {good}",
            "it is a {good} {thing} now, last year it was {bad}",
        ],
        [
            "once {bad}, the {thing} has become {good}",
            "the {thing} is {good} again after a {bad} year",
            "we feared a {bad} {thing} and got a {good} one",
        ],
    ),
}
DAYS = "Monday Tuesday Friday Saturday Sunday".split()


def slots(domain: str, polarity: str, held_out: bool) -> dict[str, list[str]]:
    """The words for a template that expresses `polarity` about a thing of `domain`."""
    good = adjectives(domain, polarity, held_out)
    bad = adjectives(domain, OPPOSITE[polarity], held_out)
    things = THINGS[domain]
    return {"thing": things, "other": things, "good": good, "good2": good, "bad": bad, "person": PEOPLE, "day": DAYS,
            "end": OUTCOMES[polarity][held_out]}  # fmt: skip


def make(rng: random.Random, split: str, phenomenon: str) -> Row:
    """One review. In the test split half of the templates and a third of the words are new."""
    label = rng.choice(["negative", "positive"])
    domain = rng.choice(list(THINGS))
    unseen = phenomenon == "unseen-words"
    kind = "simple" if unseen else phenomenon
    new_words = unseen or (split == "test" and kind != "simple" and rng.random() < 0.35)
    new_form = split == "test" and rng.random() < 0.5
    text = fill(rng, rng.choice(TEMPLATES[kind][new_form]), slots(domain, label, new_words))
    return {"text": text + rng.choice([".", ".", "!"]), "label": label}


def generate() -> dict[str, list[Row]]:
    """Rows `{id, text, label, phenomenon}` by split; labels are `negative` and `positive`."""
    return build("sentiment", PLAN, make, lambda row: row["text"].rstrip(".!"))
