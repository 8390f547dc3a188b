"""Text classification: news lines on eight topics, with test words that do not occur in training."""

import random

from .grammar import Row, build, fill
from .lexicon_names import FIRST_NAMES, PLACES
from .lexicon_topics import AMBIGUOUS, TOPICS

VERSION = 1
PLAN = {
    "train": {"familiar": 700, "one-clue": 250, "ambiguous": 200, "distraction": 250},
    "validation": {"familiar": 120, "one-clue": 40, "ambiguous": 40, "distraction": 40},
    "test": {"familiar": 50, "unseen-words": 110, "one-clue": 70, "ambiguous": 70, "distraction": 80},
}
TEMPLATES = {
    "familiar": [
        "everyone talked about the {a} and the {b}", "the {a} came before the {b}", "a report on the {a}, the {b} and the {c}",
        "{name} wrote a page about the {a} and every {b}", "one {a}, one {b} and a long evening in {place}",
        "the {a} surprised even those who knew the {b}", "after the {a} came another {b}", "no {a} without a {b}, says {name}",
    ],
    "one-clue": [
        "on {day} the evening paper from {place} asked {name} about the {a}",
        "{name} waited in {place} until somebody at last mentioned the {a}",
        "people in {place} still remember the {a} of last {day}", "nobody told {name} why the {a} mattered so much",
        "in the end it was only one more {a}, said {name} from {place}",
    ],
    "ambiguous": [
        "the {x} and the {a} made the news in {place}", "first a {x}, then a {a}", "{name} wrote about the {x} and the {a}",
        "the {a} had little to do with the {x}", "a {x}, said {name}, is nothing without a {a}",
    ],
    "distraction": [
        "forget the {o}, today it is all about the {a}", "the talk was not about the {o} but about the {a} and the {b}",
        "with the {o} out of the way, {name} turned to the {a} and the {b}", "the {a} is news, the {o} is not",
        "it began with a {o}, but the story is the {a} and the {b}", "not the {o}, the {a} was what {place} wanted",
    ],
}  # fmt: skip
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def make(rng: random.Random, split: str, phenomenon: str) -> Row:
    """One news line. In the test split most clues are words that do not occur in training."""
    label = rng.choice(list(TOPICS))
    kind = "familiar" if phenomenon == "unseen-words" else phenomenon
    held_out = phenomenon == "unseen-words" or (split == "test" and kind != "familiar" and rng.random() < 0.6)
    words = TOPICS[label][held_out]
    other = rng.choice([topic for topic in TOPICS if topic != label])
    slots = {"a": words, "b": words, "c": words, "o": TOPICS[other][held_out], "name": FIRST_NAMES[0], "place": PLACES[0],
             "day": DAYS, "x": [word for word, topics in AMBIGUOUS.items() if label in topics]}  # fmt: skip
    return {"text": fill(rng, rng.choice(TEMPLATES[kind]), slots) + ".", "label": label}


def generate() -> dict[str, list[Row]]:
    """Rows `{id, text, label, phenomenon}` by split; labels are the keys of `lexicon_topics.TOPICS`."""
    return build("topics", PLAN, make, lambda row: row["text"])
