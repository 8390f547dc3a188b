"""Unlabelled text for pre-training: English reviews, news lines, reports, and German sentences (not aligned).

All words of the lexica occur, also those held out of the training rows of the tasks, in contexts that show their
meaning: a review keeps its opinion, a news item its topic, and a report tells the same event twice or starts with an
unanswered question. No sentence of a test split occurs.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from . import ner, qa, sentiment, topics, translation
from .grammar import fill, sentence
from .lexicon_names import FIRST_NAMES, PLACES
from .lexicon_opinions import THINGS
from .lexicon_topics import AMBIGUOUS, TOPICS


class Document(list[str]):
    """A list of sentences, and the name of the function that made them."""

    kind: str = ""


# Words of the same opinion side by side, from which a model learns which belong together.
PRAISE = [
    "the {thing} was {good} and {good2}", "everything was {good}, {good2} and {good}", "so {good} and so {good2}",
    "{good} and {good2}", "{good}, {good2}, {good}: {end}", "the {thing} was {good} and the {other} was {good2}",
    "a {good} and {good2} {thing}", "the {thing} was {good}, {end}", "what a {good} {thing}, {end}", "{end} and {end}",
]  # fmt: skip


def review(rng: random.Random) -> list[str]:
    """Two to four sentences on things of one kind, all of one opinion."""
    domain, polarity = rng.choice(list(THINGS)), rng.choice(["negative", "positive"])
    slots, new = sentiment.slots(domain, polarity, False), sentiment.slots(domain, polarity, True)
    slots |= {slot: slots[slot] + new[slot] for slot in ("good", "good2", "bad", "end")}
    texts = []
    for _ in range(rng.randint(2, 4)):
        kinds = sentiment.TEMPLATES[rng.choice(list(sentiment.TEMPLATES))]
        template = rng.choice(PRAISE if rng.random() < 0.65 else [one for forms in kinds for one in forms])
        texts.append(fill(rng, template, slots) + rng.choice("..!"))
    return texts


def news(rng: random.Random) -> list[str]:
    """Two to four lines on one topic."""
    topic = rng.choice(list(TOPICS))
    words = TOPICS[topic][0] + TOPICS[topic][1]
    other = TOPICS[rng.choice([name for name in TOPICS if name != topic])]
    slots = {"a": words, "b": words, "c": words, "o": other[0] + other[1], "name": FIRST_NAMES[0] + FIRST_NAMES[1],
             "place": PLACES[0] + PLACES[1], "day": topics.DAYS, "x": [x for x, both in AMBIGUOUS.items() if topic in both]}  # fmt: skip
    kinds = [rng.choice(["familiar", "familiar", "familiar", *topics.TEMPLATES]) for _ in range(rng.randint(2, 4))]
    return [fill(rng, rng.choice(topics.TEMPLATES[kind]), slots) + "." for kind in kinds]


def gossip(rng: random.Random) -> list[str]:
    """One or two sentences with names, sometimes with blanks around punctuation, as in tokenised text."""
    texts = []
    for _ in range(rng.randint(1, 2)):
        kind = rng.choice(["known", "known", "ambiguous", "long", "no-name"])
        row = ner.tag(rng, rng.choice(ner.templates(kind)), rng.random() < 0.5)
        texts.append(" ".join(row["words"]))
    return texts if rng.random() < 0.3 else [re.sub(r" ([.,])", r"\1", text) for text in texts]


def report(rng: random.Random) -> list[str]:
    """A summary of an event or an unanswered question, followed by the event among others; or the other way round."""
    held_out = rng.random() < 0.5
    main = qa.event(rng, held_out, ways=(0, 1, 2))
    events = [main, *qa.others(rng, main, rng.choice([1, 2]), held_out, rng.random() < 0.5)]
    rng.shuffle(events)
    texts = [one.tell(rng) for one in events]
    if rng.random() < 0.2:
        position = events.index(main)
        texts[position : position + 1] = qa.coreference(rng, main)
    summaries = []
    for one in rng.sample(events, rng.choice([1, 1, 2])):
        said = replace(one, verb=one.verb if rng.random() < 0.5 else rng.choice(qa.EVENTS[one.kind][0]))
        summaries.append(summary(rng, said) if rng.random() < 0.7 else said.ask(rng.choice(qa.KINDS), said.verb)[0])
    return summaries + texts if rng.random() < 0.7 else texts + summaries


def summary(rng: random.Random, one: qa.Event) -> str:
    """A sentence on one part of the event, as a reader of the report would tell it."""
    verb = one.verb
    return sentence(
        rng.choice(
            [
                f"it was {one.person} who {verb.past} the {one.thing}.",
                f"{one.person} {verb.past} the {one.thing}.",
                f"it was a {one.thing} that {one.person} {verb.past}.",
                f"it was in {one.place} that the {one.thing} was {verb.participle}.",
                f"the {one.thing} was {verb.participle} in {one.place}.",
                f"it was {one.time} that {one.person} {verb.past} the {one.thing}.",
                f"{one.person} did {verb.base} the {one.thing} {one.time}.",
            ]
        )
    )


def clauses(rng: random.Random, language: int) -> list[str]:
    """One or two sentences of the translation grammar in one language (0 English, 1 German)."""
    texts = []
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.25:
            pair = translation.rare_nouns(rng, True)
        else:
            pair = translation.KINDS[rng.choice(list(translation.KINDS))](rng)
        texts.append(translation.finish(pair[language]))
    return texts


def english(rng: random.Random) -> list[str]:
    """English sentences of the translation grammar."""
    return clauses(rng, 0)


def german(rng: random.Random) -> list[str]:
    """German sentences of the translation grammar."""
    return clauses(rng, 1)


MAKERS: dict[Callable[[random.Random], list[str]], int] = {
    review: 24, news: 16, gossip: 12, report: 30, english: 12, german: 18,
}  # fmt: skip


def plain(text: str) -> str:
    """The words of a text in lower case, to compare texts."""
    return " ".join(re.findall(r"\w+", text.lower()))


def test_texts() -> set[str]:
    """All texts of the test splits, normalised by `plain`."""
    texts = [row["text"] for task in (sentiment, topics) for row in task.generate()["test"]]
    texts += [" ".join(row["words"]) for row in ner.generate()["test"]]
    texts += [row[key] for row in translation.generate()["test"] for key in ("source", "target")]
    texts += [row[key] for row in qa.generate()["test"] for key in ("question", "context")]
    return {plain(text) for text in texts}


def documents(count: int, seed: int = 0) -> Iterator[Document]:
    """Yield `count` documents, without those that repeat a text of a test split."""
    rng = random.Random(f"corpus/{seed}")
    forbidden = test_texts()
    while count:
        maker = rng.choices(list(MAKERS), list(MAKERS.values()))[0]
        document = Document(maker(rng))
        document.kind = maker.__name__
        if not any(plain(text) in forbidden for text in [*document, " ".join(document)]):
            count -= 1
            yield document
