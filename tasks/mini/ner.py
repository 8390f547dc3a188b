"""Named entities PER, ORG and LOC in IOB2, with unseen names, and names whose type only the context shows."""

import random
import re

from .grammar import Row, build
from .lexicon_names import (
    ENDINGS,
    FIRMS,
    FIRST_NAMES,
    INSTITUTIONS,
    NAME_OR_WORD,
    PERSON_OR_PLACE,
    PLACES,
    SURNAMES,
)  # fmt: skip

VERSION = 1
PLAN = {
    "train": {"known": 700, "ambiguous": 300, "long": 150, "no-name": 150},
    "validation": {"known": 110, "ambiguous": 60, "long": 30, "no-name": 30},
    "test": {"known": 50, "unseen": 110, "ambiguous-left": 70, "ambiguous-right": 60, "long": 60, "no-name": 50},
}
KNOWN = [
    "{PER} moved from {LOC} to {LOC} to work for {ORG} .", "the manager of {ORG} met {PER} in {LOC} .",
    "shares in {ORG} rose after {PER} resigned .", "the train from {LOC} to {LOC} was late again .",
    "doctor {PER} opened a clinic near {LOC} .", "workers at {ORG} thanked {PER} .", "yesterday {PER} and {PER} flew to {LOC} .",
    "{ORG} hired {PER} , who was born in {LOC} .", "{LOC} is colder than {LOC} in winter .", "{ORG} sold its office in {LOC} .",
    "a letter from {PER} reached {ORG} on Monday .", "the streets of {LOC} were empty when {PER} arrived .",
]  # fmt: skip
# A name of a place (PLACE, or CLUB for the team named after it), or a name of two kinds (HE for the person, TOWN).
LEFT = [
    "the striker left {CLUB} for {CLUB} after one season .", "the goalkeeper of {CLUB} saved two penalties .",
    "the train to {PLACE} stops twice .", "they rented a flat in {PLACE} .", "the referee warned {CLUB} twice .",
    "my friend {HE} sings in a choir .", "the road to {TOWN} was closed .", "she thanked {HE} for the flowers .",
    "fans of {CLUB} travelled to {PLACE} .", "the mayor of {TOWN} wrote to {HE} .",
]  # fmt: skip
RIGHT = [
    "{CLUB} signed a striker .", "{CLUB} beat {CLUB} by two goals .", "{PLACE} lies on a river .", "{HE} laughed and sat down .",
    "{TOWN} has a famous old harbour .", "{CLUB} lost the match in the last minute .", "{HE} is a tall woman with red hair .",
    "{PLACE} has two airports and a zoo .", "{TOWN} was flooded last spring .", "{CLUB} dismissed its coach .",
]  # fmt: skip
LONG = [
    "she studies at the {LONGORG} .", "the {LONGORG} invited {LONGPER} .", "{LONGPER} left the {LONGORG} for {LOC} .",
    "the report of the {LONGORG} praised {LONGPER} .", "a spokesman for the {LONGORG} flew to {LOC} .",
    "among the guests were {PER} , {LONGPER} and {PER} .",
]  # fmt: skip
NO_NAME = [
    "{WORD} were cheaper this year .", "{WORD} are no reason to worry .", "{WORD} and long walks , that was all .",
    "the manager met the doctor in the old town .", "{WORD} reached {PER} on Monday .", "fans thanked the coach in July .",
    "{WORD} made {LOC} famous .",
]  # fmt: skip
TYPES = {"CLUB": "ORG", "PLACE": "LOC", "HE": "PER", "TOWN": "LOC", "LONGORG": "ORG", "LONGPER": "PER", "WORD": "O"}


def name(rng: random.Random, kind: str, held_out: bool) -> str:
    """A name (or a plain word, for WORD) of one of the slot kinds."""
    first, last, place = rng.choice(FIRST_NAMES[held_out]), rng.choice(SURNAMES[held_out]), rng.choice(PLACES[held_out])
    firm = rng.choice(FIRMS[held_out])
    if kind == "PER":
        return rng.choice([first, last, f"{first} {last}", f"{first} {last}"])
    if kind == "ORG":
        return rng.choice([firm, f"{firm} {rng.choice(ENDINGS)}", f"{last} {rng.choice(ENDINGS)}"])
    if kind == "LONGPER":
        other = rng.choice([word for word in FIRST_NAMES[held_out] if word != first])
        return rng.choice([f"{first} {other} {last}", f"{first} van {last}", f"{first} {last} Junior"])
    if kind == "LONGORG":
        return rng.choice([f"{rng.choice(INSTITUTIONS)} of {place}", f"{place} {rng.choice(INSTITUTIONS)}",
                           f"{firm} {last} and Sons"])  # fmt: skip
    if kind in ("HE", "TOWN"):
        return rng.choice(PERSON_OR_PLACE)
    if kind == "WORD":
        return " ".join(rng.choice(list(NAME_OR_WORD.items())))
    return place


def tag(rng: random.Random, template: str, held_out: bool) -> Row:
    """Fill a template of blank-separated tokens. Return `{words, tags}` of equal length, tags in IOB2."""
    words, tags, used = [], [], []
    for token in template.split():
        slot = re.fullmatch(r"\{(\w+)\}", token)
        if not slot:
            words.append(token)
            tags.append("O")
            continue
        text = name(rng, slot[1], held_out)
        while text in used:
            text = name(rng, slot[1], held_out)
        used.append(text)
        kind = TYPES.get(slot[1], slot[1])
        for number, word in enumerate(text.split()):
            words.append(word if kind != "O" or not words else word.lower())
            tags.append("O" if kind == "O" else f"{'I' if number else 'B'}-{kind}")
    words[0] = words[0][:1].upper() + words[0][1:]
    return {"words": words, "tags": tags}


def templates(phenomenon: str) -> list[str]:
    """The sentence patterns of a phenomenon."""
    return {"known": KNOWN, "unseen": KNOWN, "ambiguous": LEFT + RIGHT, "ambiguous-left": LEFT, "ambiguous-right": RIGHT,
            "long": LONG, "no-name": NO_NAME}[phenomenon]  # fmt: skip


def make(rng: random.Random, split: str, phenomenon: str) -> Row:
    """One sentence. In the test split most names are new, unless the phenomenon is `known`."""
    held_out = phenomenon == "unseen" or (split == "test" and phenomenon != "known" and rng.random() < 0.6)
    return tag(rng, rng.choice(templates(phenomenon)), held_out)


def generate() -> dict[str, list[Row]]:
    """Rows `{id, words, tags, phenomenon}` by split."""
    return build("ner", PLAN, make, lambda row: " ".join(row["words"]))
