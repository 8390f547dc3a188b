"""Extractive question answering over short reports of events, with distractors, paraphrase and no-answer questions."""

import random
from dataclasses import dataclass

from .grammar import Row, build, sentence
from .lexicon_events import COLOURS, EVENTS, MONTHS, WEEKDAYS, Verb
from .lexicon_names import FIRST_NAMES, PLACES, SURNAMES

VERSION = 1
KINDS = ["who", "what", "where", "when"]
PLAN = {
    "train": {"simple": 350, "distractor": 350, "paraphrase": 150, "coreference": 150, "unanswerable": 200},
    "validation": {"simple": 60, "distractor": 60, "paraphrase": 40, "coreference": 40, "unanswerable": 50},
    "test": {"simple": 60, "distractor": 90, "paraphrase": 70, "coreference": 60, "unanswerable": 70},
}


@dataclass
class Event:
    """Who did what to which thing, where and when; `kind` indexes EVENTS."""

    kind: int
    verb: Verb
    person: str
    thing: str
    place: str
    time: str

    def tell(self, rng: random.Random) -> str:
        """The report sentence, active or passive, with place and time in either order."""
        rest = [f"in {self.place}", self.time]
        rng.shuffle(rest)
        if rng.random() < 0.5:
            return sentence(f"{self.person} {self.verb.past} a {self.thing} {rest[0]} {rest[1]}.")
        return sentence(f"{rest[1]} a {self.thing} was {self.verb.participle} {rest[0]} by {self.person}.")

    def ask(self, kind: str, verb: Verb) -> tuple[str, str]:
        """A question about one part of the event, in the words of `verb`, and its answer."""
        if kind == "who":
            return f"Who {verb.past} the {self.thing}?", self.person
        if kind == "what":
            return f"What did {self.person} {verb.base}?", f"a {self.thing}"
        if kind == "where":
            return f"Where was the {self.thing} {verb.participle}?", self.place
        return f"When did {self.person} {verb.base} the {self.thing}?", self.time


def event(rng: random.Random, held_out: bool, kind: int | None = None, ways: tuple[int, ...] = (0, 1)) -> Event:
    """A random event, told with one of the `ways` of its verb."""
    kind = rng.randrange(len(EVENTS)) if kind is None else kind
    verbs, things = EVENTS[kind]
    person = rng.choice(FIRST_NAMES[held_out]) + rng.choice(["", " " + rng.choice(SURNAMES[held_out])])
    time = rng.choice([f"in {rng.choice(MONTHS)}", f"on {rng.choice(WEEKDAYS)}", f"in {rng.randrange(1900, 2030, 5)}"])
    thing = rng.choice(COLOURS) + " " + rng.choice(things)
    return Event(kind, verbs[rng.choice(ways)], person, thing, rng.choice(PLACES[held_out]), time)


def others(rng: random.Random, main: Event, count: int, held_out: bool, same_verb: bool) -> list[Event]:
    """Events that share no person, thing, place or time with `main` or with one another."""
    made = [main]
    while len(made) <= count:
        new = event(rng, held_out, main.kind if same_verb and len(made) == 1 else None)
        parts = {new.person.split()[0], new.thing, new.place, new.time}
        apart = all(parts.isdisjoint({old.person.split()[0], old.thing, old.place, old.time}) for old in made)
        if apart and (same_verb or new.kind != main.kind):
            made.append(new)
    return made[1:]


def make(rng: random.Random, split: str, phenomenon: str) -> Row | None:
    """One question with its context of two or three sentences."""
    test = split == "test"
    held_out = test and rng.random() < 0.6
    main = event(rng, held_out)
    kind = rng.choice(KINDS)
    verb = main.verb
    if phenomenon == "paraphrase":
        verbs = EVENTS[main.kind][0]
        verb = rng.choice([way for way in (verbs[2:] * 2 if test else []) + verbs[:2] if way != main.verb])
    crowd = others(rng, main, rng.choice([1, 1, 2]), held_out, phenomenon != "simple")
    told = [main, *crowd]
    rng.shuffle(told)
    texts = [one.tell(rng) for one in told]
    question, answer = main.ask(kind, verb)
    if phenomenon == "coreference":
        position = told.index(main)
        texts[position : position + 1] = coreference(rng, main)
    if phenomenon == "unanswerable":
        texts.pop(told.index(main))
        if len(texts) == 1:
            texts.append(others(rng, main, 2, held_out, False)[1].tell(rng))
        answer = ""
    context = " ".join(texts)
    if not answer:
        return {"question": question, "context": context, "answers": {"text": [], "answer_start": []}}
    start = context.lower().find(answer.lower())
    found = context[start : start + len(answer)]
    if start < 0 or context.lower().count(answer.lower()) > (2 if phenomenon == "coreference" else 1):
        return None
    return {"question": question, "context": context, "answers": {"text": [found], "answer_start": [start]}}


def coreference(rng: random.Random, main: Event) -> list[str]:
    """The event in two sentences; the second one only refers back to the person."""
    opening = rng.choice(
        [f"{main.person} came to {main.place} {main.time}.", f"{main.time} {main.person} went to {main.place}."]
    )
    follow = rng.choice(
        [
            f"there the visitor {main.verb.past} a {main.thing}.",
            f"on arrival the guest {main.verb.past} a {main.thing}.",
        ]
    )
    return [sentence(opening), sentence(follow)]


def generate() -> dict[str, list[Row]]:
    """Rows `{id, question, context, answers, group, phenomenon}` by split, in the layout of SQuAD 2.0."""
    data = build("qa", PLAN, make, lambda row: row["context"])
    return {split: [row | {"group": row["id"]} for row in rows] for split, rows in data.items()}
