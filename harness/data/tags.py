"""Tagging schemes of named entities, and their conversion to IOB2.

IOB1 (Ramshaw and Marcus 1995) writes `B-` only where an entity touches another of its type; IOB2 (Tjong Kim Sang and
Veenstra 1999) on every first token. BIOES, BMES and BILOU also mark the last token and the single one. IO has no `B-`:
entities of one type that touch cannot be told apart and are read as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.errors import BenchError, unknown
from harness.finding import first
from harness.safe_text import short

# scheme -> what its letters are called in BIOES
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
    """Tag sequences in IOB2 and what was found on the way.

    Attributes:
        entities: their number.
        irregular: of those, how many break the scheme's rules (such as `I-` after `O` in IOB2, or no `E-` at the end in BIOES).
        irregular_at: where the first of them do.
    """

    tags: list[list[str]]
    scheme: str
    entities: int
    irregular: int
    irregular_at: tuple[str, ...] = ()

    def report(self) -> dict[str, Any]:
        """What a reader or a family reports of it."""
        found = {"scheme": self.scheme, "entities": self.entities, "irregular": self.irregular}
        return found | ({"irregular_at": list(self.irregular_at)} if self.irregular_at else {})


def to_iob2(sequences: Sequence[Sequence[str]], scheme: str = "auto", where: Where | None = None) -> Converted:
    """Convert tags of any scheme to IOB2.

    Irregular sequences are read as conlleval reads them: a token that continues nothing begins an entity.

    Args:
        sequences: one list of tags for each sentence: `O`, `B-PER`, `I-PER`, ... or bare letters (`B`, `I`, `O`).
            Scheme `io` also takes bare types (`person`, `O`).
        scheme: a key of `SCHEMES`, `bio` (= iob2), or `auto`: told by the letters and by how they follow each other.
        where: (index of the sentence, index of the token) -> how an error calls the place.

    Raises:
        BenchError: tags of no scheme, of two schemes, or not of the stated one.
    """
    where = where or (lambda row, token: f"row {row + 1}, token {token + 1}")
    stated = ALIASES.get(scheme.lower(), scheme.lower())
    if stated != "auto" and stated not in SCHEMES:
        raise unknown("tagging scheme", scheme, ["auto", *SCHEMES, *ALIASES])
    seen = {}  # tag -> where it occurs first; a dict keeps the order of the file
    for i, tags in enumerate(sequences):
        for j, tag in enumerate(tags):
            seen.setdefault(tag, (i, j))
    bare = stated == "io" and not any(tag.startswith("I-") for tag in seen)
    meaning = {tag: _parse(tag, bare, lambda place=place: where(*place)) for tag, place in seen.items()}
    letters = {}
    for tag, place in seen.items():
        if meaning[tag]:
            letters.setdefault(meaning[tag][0], where(*place))
    candidates = _fitting(letters) if stated == "auto" else [stated]
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


def _parse(tag: str, bare: bool, place: Callable[[], str]) -> Parsed:
    if tag == "O":
        return None
    if bare and tag:
        return "I", tag
    if tag[:1] in LETTERS and tag[1:2] in ("", "-", "_") and len(tag) != 2:
        return tag[0], tag[2:]
    raise BenchError(
        f"{place()}: {short(tag)!r} is no tag such as O or B-PER; check the column, name numbers under `labels`, or state scheme: io for bare types"
    )


def _fitting(letters: Mapping[str, str]) -> list[str]:
    """The schemes that have all the letters: those with the fewest, IOB2 before IOB1."""
    for count, (letter, place) in enumerate(letters.items(), start=1):
        seen = set(list(letters)[:count])
        if not any(seen <= SCHEMES[name].keys() for name in SCHEMES):
            others = ", ".join(sorted(seen - {letter}))
            raise BenchError(
                f"{place}: a tag with {letter}- after tags with {others}: no scheme has them all; mend the tags"
            )
    fitting = [name for name in SCHEMES if letters.keys() <= SCHEMES[name].keys()] if letters else ["iob2"]
    fewest = min(len(SCHEMES[name]) for name in fitting)
    return [name for name in fitting if len(SCHEMES[name]) == fewest]


def _breaks_rule(scheme: str, letter: str, touches: bool) -> bool:
    """Whether an entity must not begin with this letter; `touches`: right after one of its type."""
    if scheme == "iob1":
        return letter == "B" and not touches
    return scheme != "io" and letter in ("I", "E")


def _convert(parsed: Sequence[Sequence[Parsed]], scheme: str, where: Where) -> Converted:
    letters = SCHEMES[scheme]
    closing = "E" in letters.values()  # the scheme says where an entity ends
    named: dict[
        Parsed, tuple[str, str, str, str]
    ] = {}  # tag → letter, type, and how IOB2 writes its beginning and its inside
    for tag in {tag for tags in parsed for tag in tags if tag is not None}:
        name = f"-{tag[1]}" if tag[1] else ""
        named[tag] = letters[tag[0]], tag[1], f"B{name}", f"I{name}"
    out, entities = [], 0
    broken: list[tuple[int, int]] = []  # row and token of each entity that breaks the rules
    for index, tags in enumerate(parsed):
        if not any(tags):
            out.append(["O"] * len(tags))
            continue
        row: list[str] = []
        kind: str | None = None  # type of the token before, None where it belongs to no entity
        still_open = False  # the token before promised that its entity goes on
        bad = False  # the current entity is already counted as irregular
        for token, tag in enumerate([*tags, None]):
            if tag is None:
                if closing and still_open and not bad:
                    broken.append((index, token - 1))
                kind, still_open = None, False
                row.append("O")
                continue
            letter, now, begin, inside = named[tag]
            if letter in ("I", "E") and kind == now and (still_open or not closing):
                row.append(inside)
            else:
                if closing and still_open and not bad:
                    broken.append((index, token - 1))
                entities += 1
                bad = _breaks_rule(scheme, letter, touches=kind == now)
                broken += [(index, token)] if bad else []
                row.append(begin)
            still_open = letter in ("B", "I")
            kind = now
        out.append(row[:-1])
    return Converted(out, scheme, entities, len(broken), first(where(*spot) for spot in broken))
