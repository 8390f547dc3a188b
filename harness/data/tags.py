"""Tagging schemes of named entities, and their conversion to IOB2.

IOB1 (Ramshaw and Marcus 1995) uses `B-` only if an entity touches another one of its type; IOB2 (Tjong Kim Sang and Veenstra
1999) on every first token. BIOES, BMES and BILOU also mark last and single tokens. IO has no `B-`: touching entities of one type
cannot be told apart and are read as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.errors import BenchError, unknown
from harness.finding import first
from harness.safe_text import short

# scheme → its letters → their equivalents in BIOES
SCHEMES = {
    "iob2": {"B": "B", "I": "I"},
    "iob1": {"B": "B", "I": "I"},
    "io": {"I": "I"},
    "bioes": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "bmes": {"B": "B", "M": "I", "E": "E", "S": "S"},
    "bilou": {"B": "B", "I": "I", "L": "E", "U": "S"},
}
LETTERS = frozenset("BIMELSU")
ALIASES = {"bio": "iob2", "iobes": "bioes"}

Where = Callable[[int, int], str]
Parsed = tuple[str, str] | None  # (letter, type); None for O


class Converted(NamedTuple):
    """Tag sequences in IOB2, and what the conversion observed.

    Attributes:
        tags: One list for each sentence.
        scheme: The scheme of the input.
        entities: The number of entities.
        irregular: The number of entities that break the scheme's rules (`I-` after `O` in IOB2, no `E-` at the end in BIOES).
        irregular_at: The places of the first of them.
    """

    tags: list[list[str]]
    scheme: str
    entities: int
    irregular: int
    irregular_at: tuple[str, ...] = ()

    def report(self) -> dict[str, Any]:
        """Return the entries for the report of a reader or a family."""
        counts = {"scheme": self.scheme, "entities": self.entities, "irregular": self.irregular}
        return counts | ({"irregular_at": list(self.irregular_at)} if self.irregular_at else {})


def to_iob2(sequences: Sequence[Sequence[str]], scheme: str = "auto", where: Where | None = None) -> Converted:
    """Convert tags of any scheme to IOB2.

    Irregular sequences are read as conlleval reads them: a token that continues nothing begins an entity.

    Args:
        sequences: A list of tags for each sentence: `O`, `B-PER`, `I-PER`, ... or bare letters (`B`, `I`, `O`). Scheme `io` also
            takes bare types (`person`, `O`).
        scheme: A key of `SCHEMES`, `bio` (= iob2), or `auto` to detect it from the letters and their order.
        where: (index of the sentence, index of the token) → the place that an error names.
    """
    where = where or (lambda row, token: f"row {row + 1}, token {token + 1}")
    stated = ALIASES.get(scheme.lower(), scheme.lower())
    if stated != "auto" and stated not in SCHEMES:
        raise unknown("tagging scheme", scheme, ["auto", *SCHEMES, *ALIASES])
    first_places: dict[str, tuple[int, int]] = {}  # in the order of the file
    for i, tags in enumerate(sequences):
        for j, tag in enumerate(tags):
            first_places.setdefault(tag, (i, j))
    bare_types = stated == "io" and not any(tag.startswith("I-") for tag in first_places)
    meaning = {
        tag: _parse(tag, bare_types, lambda place=place: where(*place)) for tag, place in first_places.items()
    }
    letters: dict[str, str] = {}  # letter → its first place
    for tag, place in first_places.items():
        if meaning[tag]:
            letters.setdefault(meaning[tag][0], where(*place))
    candidates = _fitting_schemes(letters) if stated == "auto" else [stated]
    for letter, place in letters.items():
        if letter not in SCHEMES[candidates[0]]:
            raise BenchError(f"{place}: a tag with {letter}- is not of scheme {stated}; try scheme: auto")
    parsed = [[meaning[tag] for tag in tags] for tags in sequences]
    best = min((_convert(parsed, name, where) for name in candidates), key=lambda result: result.irregular)
    if stated == "auto" and best.irregular * 2 > best.entities:
        raise BenchError(
            f"{next(iter(letters.values()))}: from here on {best.irregular} of {best.entities} entities break the "
            f"rules of {best.scheme}, the nearest scheme; mend the tags, or state `scheme` ({', '.join(SCHEMES)})"
        )
    return best


def _parse(tag: str, bare_types: bool, place: Callable[[], str]) -> Parsed:
    if tag == "O":
        return None
    if bare_types and tag:
        return "I", tag
    if tag[:1] in LETTERS and tag[1:2] in ("", "-", "_") and len(tag) != 2:
        return tag[0], tag[2:]
    raise BenchError(
        f"{place()}: {short(tag)!r} is no tag such as O or B-PER; check the column, name numbers under `labels`, or state "
        "scheme: io for bare types"
    )


def _fitting_schemes(letters: Mapping[str, str]) -> list[str]:
    """Return the schemes that have all letters: those with the fewest letters, IOB2 before IOB1."""
    for count, (letter, place) in enumerate(letters.items(), start=1):
        seen = set(list(letters)[:count])
        if not any(seen <= scheme.keys() for scheme in SCHEMES.values()):
            others = ", ".join(sorted(seen - {letter}))
            raise BenchError(f"{place}: a tag with {letter}- after tags with {others}: no scheme has them all; mend the tags")
    fitting = [name for name in SCHEMES if letters.keys() <= SCHEMES[name].keys()] if letters else ["iob2"]
    fewest = min(len(SCHEMES[name]) for name in fitting)
    return [name for name in fitting if len(SCHEMES[name]) == fewest]


def _breaks_rule(scheme: str, letter: str, touches: bool) -> bool:
    """Whether an entity must not begin with this letter; `touches`: it directly follows one of its type."""
    if scheme == "iob1":
        return letter == "B" and not touches
    return scheme != "io" and letter in ("I", "E")


def _convert(parsed: Sequence[Sequence[Parsed]], scheme: str, where: Where) -> Converted:
    letters = SCHEMES[scheme]
    marks_ends = "E" in letters.values()
    # tag → letter in BIOES, type, and how IOB2 writes the first and the other tokens
    forms: dict[Parsed, tuple[str, str, str, str]] = {}
    for tag in {tag for tags in parsed for tag in tags if tag is not None}:
        suffix = f"-{tag[1]}" if tag[1] else ""
        forms[tag] = letters[tag[0]], tag[1], f"B{suffix}", f"I{suffix}"
    converted, entities = [], 0
    irregular: list[tuple[int, int]] = []  # row and token of each entity that breaks the rules
    for index, tags in enumerate(parsed):
        if not any(tags):
            converted.append(["O"] * len(tags))
            continue
        row: list[str] = []
        previous: str | None = None  # type of the previous token; None outside of an entity
        unfinished = False  # the previous token does not end its entity
        counted = False  # the current entity is already counted as irregular
        for token, tag in enumerate([*tags, None]):
            if tag is None:
                if marks_ends and unfinished and not counted:
                    irregular.append((index, token - 1))
                previous, unfinished = None, False
                row.append("O")
                continue
            letter, kind, begin, inside = forms[tag]
            if letter in ("I", "E") and previous == kind and (unfinished or not marks_ends):
                row.append(inside)
            else:
                if marks_ends and unfinished and not counted:
                    irregular.append((index, token - 1))
                entities += 1
                counted = _breaks_rule(scheme, letter, touches=previous == kind)
                if counted:
                    irregular.append((index, token))
                row.append(begin)
            unfinished = letter in ("B", "I")
            previous = kind
        converted.append(row[:-1])
    return Converted(converted, scheme, entities, len(irregular), first(where(*place) for place in irregular))
