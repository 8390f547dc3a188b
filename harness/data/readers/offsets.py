"""What the offsets of answers count, told from all answers of a file, and what becomes of those that stand nowhere.

Heads and metrics count code points. Files may count something else: the units of UTF-16 (what JavaScript and Java call the length of a
text), bytes, a text whose line ends or accents were written otherwise, or from 1 instead of 0. Such an error is one of the whole file, so
no answer is moved before all of them were looked at: one unit that explains nearly all of them is taken.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.data.place import PlacedRow, place
from harness.errors import BenchError
from harness.finding import some

NEARLY_ALL = 0.95  # of a file's answers must be explained by a unit other than code points
TOO_MANY = 0.05  # of a file's answers that stand nowhere: the file is refused
SAMPLE = 300  # misaligned answers that are tried with every unit
EXAMPLES = 3  # of each cause, in an error
QUOTED = 40  # characters of an answer in an error
TRIED = "code points, UTF-16 units, UTF-8 bytes, with other line ends or accents, counted from 1"
NOWHERE = -1  # the offset of an answer whose text counts for scores, but whose place is not known


class ClaimedOffset(NamedTuple):
    """What a file says: this text stands at this offset of this context."""

    context: str
    text: str
    start: int


class Unit(NamedTuple):
    """What offsets count.

    Attributes:
        name: for people.
        size: `points`, `utf-16-le` or `utf-8`.
        form: of the text that was counted: as it is, `lf` (each CRLF counted as one), `crlf` (each line feed counted as two), `NFC`, `NFD`.
        first: the offset of the first character.
    """

    name: str
    size: str = "points"
    form: str = ""
    first: int = 0

    def place(self, context: str, offset: int) -> int | None:
        """Where in the context, in code points, the offset lies; None where it lies outside, or inside of a character."""
        offset -= self.first
        if offset < 0:
            return None
        counted = _formed(context, self.form)
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
        return offset if counted is context else _unformed(context, counted, offset, self.form)


POINTS = Unit("code points")
UNITS = (
    POINTS,
    *(
        Unit(f"{name}{how}", size, form)
        for form, how in (
            ("", ""),
            ("lf", ", CRLF as one"),
            ("crlf", ", line feeds as two"),
            ("NFC", " of the text in NFC"),
            ("NFD", " of the text in NFD"),
        )
        for size, name in (("points", "code points"), ("utf-16-le", "UTF-16 units"), ("utf-8", "UTF-8 bytes"))
        if form or size != "points"
    ),
    *(
        Unit(f"{name}, {how}", size, first=first)
        for first, how in ((1, "counted from 1"), (-1, "one too small"))
        for size, name in (("points", "code points"), ("utf-16-le", "UTF-16 units"), ("utf-8", "UTF-8 bytes"))
    ),
)


def standing(context: str, text: str, start: int | None) -> str | None:
    """The piece of the context that begins at `start` and is the text, or the text in other line ends or another normal form."""
    if start is None or start < 0:
        return None
    if context.startswith(text, start):
        return text
    return next((other for other in _spellings(text) if context.startswith(other, start)), None)


def places(context: str, text: str) -> list[tuple[int, str]]:
    """Every offset at which the text stands, and the piece of the context that is there (see `standing`)."""
    for spelling in (text, *_spellings(text)):
        found, start = [], context.find(spelling)
        while start >= 0 and spelling:
            found.append((start, spelling))
            start = context.find(spelling, start + 1)
        if found:
            return found
    return []


def explain(claims: Sequence[ClaimedOffset]) -> Unit:
    """The unit that explains all or nearly all claims, code points where no other does so better."""
    wrong = [claim for claim in claims if standing(*claim) is None]
    if not wrong:
        return POINTS
    some_wrong = wrong[:: -(-len(wrong) // SAMPLE)]
    hits = {unit: _right(unit, some_wrong) for unit in UNITS[1:]}
    best = sorted((unit for unit in hits if hits[unit]), key=lambda unit: -hits[unit])[
        :EXAMPLES
    ]  # stable: simple ones first
    right = {unit: _right(unit, claims) for unit in best}
    unit = max(right, key=right.__getitem__, default=POINTS)
    taken = right.get(unit, 0)
    return unit if taken >= NEARLY_ALL * len(claims) and taken > len(claims) - len(wrong) else POINTS


def align(rows: Sequence[dict[str, Any]], report: dict[str, Any]) -> None:
    """Bring all answers to offsets in code points, file by file; changes the rows' `answers`.

    An answer goes where the file's unit puts it, if its text stands there, or else to the one place of its context where its text stands.
    What is left has no known place: its offset becomes `NOWHERE`, so that no training points there, and
    its text still counts for scores. An offset of None asks for the first place of the text.

    Args:
        rows: with `context` and `answers`, `{"text": [...], "answer_start": [...]}`.
        report: gets `offsets` (the unit, where it is not code points), `converted` (answers that it moved), `misaligned` (those that do
            not stand at their offset even so), of them `repaired` (moved to the one place) and `unplaced` (left), `respelled` (whose line
            ends or accents are written otherwise than in their context, which counts), `several_places` (texts without an offset that
            occur more than once; the first one counts).

    Raises:
        BenchError: too many answers of a file stand nowhere, with a few examples of each cause.
    """
    by_file: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_file[row.file if isinstance(row, PlacedRow) else None].append(row)
    counts: Counter[str] = Counter(dict.fromkeys(("misaligned", "repaired", "unplaced"), 0))
    units: dict[str, None] = {}
    for part in by_file.values():
        if all(map(_stands, part)):
            continue
        unit = explain([claim for row in part for claim in _claims(row)])
        if unit != POINTS:
            units[unit.name] = None
        left = [
            (place(row, f"row {number}"), *answer)
            for number, row in enumerate(part, start=1)
            for answer in _align(row, unit, counts)
        ]
        total = sum(len(row["answers"]["text"]) for row in part)
        if len(left) > TOO_MANY * total:
            raise _too_many(left, total)
    for name, number in counts.items():
        if number or name in ("misaligned", "repaired"):
            report[name] = report.get(name, 0) + number
    if units:
        report["offsets"] = " and ".join(units)


def _stands(row: Mapping[str, Any]) -> bool:
    """Whether all answers of a row stand at their offsets."""
    answers, context = row["answers"], row["context"]
    return all(
        start is not None and start >= 0 and context.startswith(text, start)
        for text, start in zip(answers["text"], answers["answer_start"], strict=True)
    )


def _claims(row: Mapping[str, Any]) -> Iterable[ClaimedOffset]:
    for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
        if text and start is not None and start != NOWHERE:
            yield ClaimedOffset(row["context"], text, start)


def _right(unit: Unit, claims: Iterable[ClaimedOffset]) -> int:
    return sum(standing(context, text, unit.place(context, start)) is not None for context, text, start in claims)


def _align(row: dict[str, Any], unit: Unit, counts: Counter[str]) -> list[tuple[str, int | None, int]]:
    """Align one row; (text, offset, places of the text) of each answer that stands nowhere."""
    context, left = row["context"], []
    texts, starts = list(row["answers"]["text"]), list(row["answers"]["answer_start"])
    for number, (text, start) in enumerate(zip(texts, starts, strict=True)):
        at = None if start is None or start == NOWHERE else unit.place(context, start)
        piece = standing(context, text, at)
        if piece is None and unit != POINTS and start is not None and start != NOWHERE:
            at, piece = start, standing(context, text, start)
        if piece is None:
            found = places(context, text)
            counts["misaligned"] += start is not None
            if len(found) == 1 or (found and start is None):
                at, piece = found[0]
                counts["repaired"] += start is not None
                counts["several_places"] += len(found) > 1
            else:
                at = NOWHERE
                counts["unplaced"] += 1
                left.append((text, start, len(found)))
        elif at != start:
            counts["converted"] += 1
        if piece is not None and piece != text:
            counts["respelled"] += 1
            texts[number] = piece
        starts[number] = at
    row["answers"] = {"text": texts, "answer_start": starts}
    return left


def _too_many(left: Sequence[tuple[str, str, int | None, int]], total: int) -> BenchError:
    causes: dict[str, list[str]] = defaultdict(list)
    for at, text, start, found in left:
        cause = "occur at several places, none of them their offset" if found else "do not occur in it"
        shown = repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + "…")
        causes[cause].append(f"{at}: {shown}" + ("" if start is None else f" at {start}"))
    told = "; ".join(
        f"{len(examples):,} {cause} ({', '.join(examples[:EXAMPLES])}{', …' if len(examples) > EXAMPLES else ''})"
        for cause, examples in causes.items()
    )
    tried = "" if all(start is None for _, _, start, _ in left) else f"; no unit explains the offsets ({TRIED})"
    return BenchError(
        f"{len(left):,} of {some(total, 'answer')} cannot be found in their context: {told}{tried}; "
        "mend the file, or drop these questions"
    )


def _spellings(text: str) -> Iterable[str]:
    """The text in other line ends and normal forms, as far as these differ."""
    if text.isascii() and "\n" not in text:
        return
    for other in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), text.replace("\r\n", "\n")):
        if other != text:
            yield other
    if "\n" in text and "\r\n" not in text:
        yield text.replace("\n", "\r\n")


def _formed(context: str, form: str) -> str:
    """The context as it was counted; the same object where nothing changes."""
    if form == "lf":
        counted = context.replace("\r\n", "\n")
    elif form == "crlf":
        counted = context if "\r\n" in context else context.replace("\n", "\r\n")
    elif form and not context.isascii():
        counted = unicodedata.normalize(form, context)
    else:
        return context
    return context if counted == context else counted


def _unformed(context: str, counted: str, offset: int, form: str) -> int | None:
    """The offset in the context of an offset in the text that was counted."""
    head = counted[:offset]
    if form in ("lf", "crlf"):
        if head.endswith("\r"):  # between the two characters of a line end
            return None
        ours, theirs = ("\r\n", "\n") if form == "lf" else ("\n", "\r\n")
        place = 0
        for line in context.split(ours):
            if len(line) >= offset:
                return place + offset
            place += len(line) + len(ours)
            offset -= len(line) + len(theirs)
        return None
    for other in ("NFC", "NFD"):
        place = len(unicodedata.normalize(other, head))
        if unicodedata.normalize(form, context[:place]) == head:
            return place
    return None
