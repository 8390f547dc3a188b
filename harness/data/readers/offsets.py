"""Detect what the offsets of answers count, convert them to code points, and find answers that are not at their offset.

Heads and metrics count code points. Files may count UTF-16 units (the length of a text in JavaScript and Java), bytes, a text with
other line ends or accents, or from 1 instead of 0. Such an error concerns the whole file. So all answers are examined first, and
a unit is chosen only if it explains nearly all of them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.data.place import PlacedRow, place
from harness.errors import BenchError
from harness.finding import some

NEARLY_ALL = 0.95  # share of a file's answers that a unit other than code points must explain
TOO_MANY = 0.05  # share of a file's answers without a place above which the file is refused
SAMPLE = 300  # misaligned answers that are tried with every unit
EXAMPLES = 3  # of each cause, in an error
QUOTED = 40  # characters of an answer in an error
TRIED = "code points, UTF-16 units, UTF-8 bytes, with other line ends or accents, counted from 1"
NOWHERE = -1  # offset of an answer whose text counts for scores but whose place is unknown


class ClaimedOffset(NamedTuple):
    """A claim of a file: the text is at this offset of the context."""

    context: str
    text: str
    start: int


class Unit(NamedTuple):
    """What offsets count.

    Attributes:
        name: The name in messages.
        size: `points`, `utf-16-le` or `utf-8`.
        form: How the counted text is written: as it is, `lf` (CRLF counts as one), `crlf` (a line feed counts as two), `NFC`, `NFD`.
        first: The offset of the first character.
    """

    name: str
    size: str = "points"
    form: str = ""
    first: int = 0

    def place(self, context: str, offset: int) -> int | None:
        """Convert an offset to code points of the context; None if it is outside, or inside of a character."""
        offset -= self.first
        if offset < 0:
            return None
        counted = _normalised(context, self.form)
        if self.size != "points" and not counted.isascii():
            width = 2 if self.size == "utf-16-le" else 1
            try:
                data = counted.encode(self.size, "surrogatepass")
                head = data[: offset * width].decode(self.size, "surrogatepass")
            except UnicodeError:
                return None
            if len(data) < offset * width or not counted.startswith(head):
                return None
            offset = len(head)
        if offset > len(counted):
            return None
        return offset if counted is context else _original_offset(context, counted, offset, self.form)


POINTS = Unit("code points")
_SIZES = {"points": "code points", "utf-16-le": "UTF-16 units", "utf-8": "UTF-8 bytes"}
_FORMS = {
    "": "",
    "lf": ", CRLF as one",
    "crlf": ", line feeds as two",
    "NFC": " of the text in NFC",
    "NFD": " of the text in NFD",
}
# All units, simple ones first.
UNITS = (
    *(Unit(f"{name}{suffix}", size, form) for form, suffix in _FORMS.items() for size, name in _SIZES.items()),
    *(
        Unit(f"{name}, {suffix}", size, first=first)
        for first, suffix in ((1, "counted from 1"), (-1, "one too small"))
        for size, name in _SIZES.items()
    ),
)


def standing(context: str, text: str, start: int | None) -> str | None:
    """Return the piece of context at `start` that is the text, possibly with other line ends or in another normal form."""
    if start is None or start < 0:
        return None
    if context.startswith(text, start):
        return text
    return next((spelling for spelling in _spellings(text) if context.startswith(spelling, start)), None)


def places(context: str, text: str) -> list[tuple[int, str]]:
    """Return every offset at which the text occurs, with the piece of context there (see `standing`)."""
    for spelling in (text, *_spellings(text)):
        matches, start = [], context.find(spelling)
        while start >= 0 and spelling:
            matches.append((start, spelling))
            start = context.find(spelling, start + 1)
        if matches:
            return matches
    return []


def explain(claims: Sequence[ClaimedOffset]) -> Unit:
    """Return the unit that explains nearly all claims and more than code points do; otherwise code points."""
    wrong = [claim for claim in claims if standing(*claim) is None]
    if not wrong:
        return POINTS
    sample = wrong[:: -(-len(wrong) // SAMPLE)]
    hits = {unit: _explained(unit, sample) for unit in UNITS[1:]}
    candidates = sorted((unit for unit in hits if hits[unit]), key=lambda unit: -hits[unit])[:EXAMPLES]  # a stable sort
    explained = {unit: _explained(unit, claims) for unit in candidates}
    unit = max(explained, key=explained.__getitem__, default=POINTS)
    number = explained.get(unit, 0)
    return unit if number >= NEARLY_ALL * len(claims) and number > len(claims) - len(wrong) else POINTS


def align(rows: Sequence[dict[str, Any]], report: dict[str, Any]) -> None:
    """Convert the offsets of all answers to code points, file by file; replaces the rows' `answers`.

    An answer is placed where the file's unit puts it, if its text occurs there, or else at the only place where its text occurs.
    Otherwise its place is unknown: its offset becomes `NOWHERE`, so that it is not trained on, but its text still counts for
    scores. An offset of None stands for the first occurrence of the text.

    Args:
        rows: Rows with `context` and `answers`, `{"text": [...], "answer_start": [...]}`.
        report: Gets `offsets` (the unit, if it is not code points), `converted` (answers whose offset was converted), `misaligned`
            (answers that are not at their converted offset), of these `repaired` (moved to the only place) and `unplaced`,
            `respelled` (answers whose line ends or accents were changed to those of their context), and `several_places` (texts
            without an offset that occur more than once).

    Raises:
        BenchError: Too many answers of a file have no place. The message gives examples of each cause.
    """
    by_file: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_file[row.file if isinstance(row, PlacedRow) else None].append(row)
    counts: Counter[str] = Counter(dict.fromkeys(("misaligned", "repaired", "unplaced"), 0))
    units: dict[str, None] = {}
    for part in by_file.values():
        if all(map(_is_aligned, part)):
            continue
        unit = explain([claim for row in part for claim in _claims(row)])
        if unit != POINTS:
            units[unit.name] = None
        unplaced = [
            (place(row, f"row {number}"), *answer)
            for number, row in enumerate(part, start=1)
            for answer in _align_row(row, unit, counts)
        ]
        total = sum(len(row["answers"]["text"]) for row in part)
        if len(unplaced) > TOO_MANY * total:
            raise _too_many(unplaced, total)
    for name, number in counts.items():
        if number or name in ("misaligned", "repaired"):
            report[name] = report.get(name, 0) + number
    if units:
        report["offsets"] = " and ".join(units)


def _is_aligned(row: Mapping[str, Any]) -> bool:
    answers, context = row["answers"], row["context"]
    return all(
        start is not None and start >= 0 and context.startswith(text, start)
        for text, start in zip(answers["text"], answers["answer_start"], strict=True)
    )


def _claims(row: Mapping[str, Any]) -> Iterable[ClaimedOffset]:
    for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
        if text and start is not None and start != NOWHERE:
            yield ClaimedOffset(row["context"], text, start)


def _explained(unit: Unit, claims: Iterable[ClaimedOffset]) -> int:
    return sum(standing(context, text, unit.place(context, start)) is not None for context, text, start in claims)


def _align_row(row: dict[str, Any], unit: Unit, counts: Counter[str]) -> list[tuple[str, int | None, int]]:
    """Align a row's answers; return (text, offset, occurrences) of each answer without a place."""
    context, unplaced = row["context"], []
    texts, starts = list(row["answers"]["text"]), list(row["answers"]["answer_start"])
    for number, (text, start) in enumerate(zip(texts, starts, strict=True)):
        given = start is not None and start != NOWHERE
        at = unit.place(context, start) if given else None
        piece = standing(context, text, at)
        if piece is None and unit != POINTS and given:
            at, piece = start, standing(context, text, start)
        if piece is None:
            matches = places(context, text)
            counts["misaligned"] += start is not None
            if len(matches) == 1 or (matches and start is None):
                at, piece = matches[0]
                counts["repaired"] += start is not None
                counts["several_places"] += len(matches) > 1
            else:
                at = NOWHERE
                counts["unplaced"] += 1
                unplaced.append((text, start, len(matches)))
        elif at != start:
            counts["converted"] += 1
        if piece is not None and piece != text:
            counts["respelled"] += 1
            texts[number] = piece
        starts[number] = at
    row["answers"] = {"text": texts, "answer_start": starts}
    return unplaced


def _too_many(unplaced: Sequence[tuple[str, str, int | None, int]], total: int) -> BenchError:
    causes: dict[str, list[str]] = defaultdict(list)
    for at, text, start, occurrences in unplaced:
        cause = "occur at several places, none of them their offset" if occurrences else "do not occur in it"
        shown = repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + "…")
        causes[cause].append(f"{at}: {shown}" + ("" if start is None else f" at {start}"))
    listed = "; ".join(
        f"{len(examples):,} {cause} ({', '.join(examples[:EXAMPLES])}{', …' if len(examples) > EXAMPLES else ''})"
        for cause, examples in causes.items()
    )
    tried = "" if all(start is None for _, _, start, _ in unplaced) else f"; no unit explains the offsets ({TRIED})"
    return BenchError(
        f"{len(unplaced):,} of {some(total, 'answer')} cannot be found in their context: {listed}{tried}; "
        "mend the file, or drop these questions"
    )


def _spellings(text: str) -> Iterable[str]:
    """Yield the text with other line ends and in other normal forms, if these differ."""
    if text.isascii() and "\n" not in text:
        return
    for other in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), text.replace("\r\n", "\n")):
        if other != text:
            yield other
    if "\n" in text and "\r\n" not in text:
        yield text.replace("\n", "\r\n")


def _normalised(context: str, form: str) -> str:
    """Return the context in a form; the same object if it does not change."""
    if form == "lf":
        counted = context.replace("\r\n", "\n")
    elif form == "crlf":
        counted = context if "\r\n" in context else context.replace("\n", "\r\n")
    elif form and not context.isascii():
        counted = unicodedata.normalize(form, context)
    else:
        return context
    return context if counted == context else counted


def _original_offset(context: str, counted: str, offset: int, form: str) -> int | None:
    """Convert an offset in the normalised text to one in the context; None if it is inside of a character or line end."""
    head = counted[:offset]
    if form in ("lf", "crlf"):
        if head.endswith("\r"):  # between the two characters of a line end
            return None
        line_end, counted_end = ("\r\n", "\n") if form == "lf" else ("\n", "\r\n")
        position = 0
        for line in context.split(line_end):
            if len(line) >= offset:
                return position + offset
            position += len(line) + len(line_end)
            offset -= len(line) + len(counted_end)
        return None
    for other in ("NFC", "NFD"):
        position = len(unicodedata.normalize(other, head))
        if unicodedata.normalize(form, context[:position]) == head:
            return position
    return None
