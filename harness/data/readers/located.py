"""One row of flat question answering: which piece of the context its answer is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness.data.readers import answers as forms
from harness.data.readers.offsets import NEARLY_ALL, ClaimedOffset, Unit, explain
from harness.data.scalars import Notes, boolean, scalar, whole_number

Row = Mapping[str, Any]
COUNTED = ("differs", "differs_in_blanks", "clipped")


class Columns(NamedTuple):
    """The options of the format `spans` that say how an answer is written."""

    answers: str | None
    text: str | None
    start: str | None
    end: str | None
    span: str | None
    no_answer: str | None
    inclusive: bool
    impossible: str | None = None


def without(context: str, word: str | None) -> str:
    """The context without the word at its end and the blanks before it."""
    bare = context.rstrip()
    return bare.removesuffix(word).rstrip() if word and bare.endswith(word) else context


def locate(row: Row, full: str, context: str, how: Columns, unit: Unit, counts: Counter[str]) -> dict[str, list[Any]]:
    """A row's answers: their texts, and where in the context each begins; None where the row does not say.

    Args:
        full: the context as the file has it, which spans may refer to.
        context: the same without the word for "no answer".
        unit: what the two ends of a span count. A start alone is given as the row has it.
        counts: is filled with what was found on the way; see `COUNTED`.

    Raises:
        ValueError: an answer that cannot be read, or a span that lies outside of the context.
    """
    texts: list[str] = []
    starts: list[int | None] = []
    for text, start, stop in written(row, how, counts):
        if stop is None:
            texts.append(str(text))
            starts.append(None if _is_empty(start) else whole_number(start))
        elif not (how.no_answer and _cut(full, start, stop, how, unit).strip() == how.no_answer):
            begin, piece = _slice(full, context, text, (start, stop), how, unit, counts)
            texts.append(piece)
            starts.append(begin)
    return {"text": texts, "answer_start": starts}


def written(row: Row, how: Columns, notes: Notes) -> Iterator[tuple[str | None, Any, Any]]:
    """(text, start, end) of each of the row's answers, as far as they are written down. An empty text or a negative start is none.

    Raises:
        ValueError: they cannot be read.
    """
    if how.impossible is not None and boolean(row[how.impossible], notes):
        notes["impossible_with_answers"] += any(
            text for text, _, _ in written(row, how._replace(impossible=None), Notes())
        )
        return
    for text, start, stop in _written(row, how, notes):
        nothing = text is not None and (not text.strip() or text.strip() == how.no_answer)
        if not nothing and (_is_empty(start) or whole_number(start) >= 0):
            yield text, start, stop
        elif not nothing:
            notes["negative_starts"] += text is not None


def _written(row: Row, how: Columns, notes: Notes) -> list[tuple[str | None, Any, Any]]:
    if how.answers is not None:
        return [(text, start, None) for text, start in forms.pairs(row[how.answers], notes)]
    text = None if how.text is None else scalar(row[how.text], notes) or ""
    if how.span is not None:
        if (text is not None and (not text.strip() or text.strip() == how.no_answer)) or _is_empty(row[how.span]):
            return []
        return [(text, *forms.span(row[how.span]))]
    start = None if how.start is None else row[how.start]
    stop = None if how.end is None else row[how.end]
    if how.text is None and _is_empty(start):
        return []
    return [(text, None if _is_empty(start) else start, None if _is_empty(stop) or _is_empty(start) else stop)]


def counted_by(rows: Sequence[Row], how: Columns, context: str) -> tuple[Unit, bool]:
    """What the spans of a file count, and whether their end is the last character itself, told by the texts beside them.

    Args:
        context: the column of the context.
    """
    claims: list[ClaimedOffset] = []
    ends: list[int] = []
    for row in rows:
        try:
            for text, start, stop in written(row, how, Notes()):
                if text and stop is not None:
                    claim, end = ClaimedOffset(row[context], text, whole_number(start)), whole_number(stop)
                    claims.append(claim)
                    ends.append(end)
        except ValueError:  # whoever reads the row says what is wrong with it
            continue
    unit = explain(claims)
    cuts = [_between(claim.context, claim.start, end, unit) for claim, end in zip(claims, ends, strict=True)]
    longer = [_between(claim.context, claim.start, end + 1, unit) for claim, end in zip(claims, ends, strict=True)]
    right, last = (sum(claim.text == cut for claim, cut in zip(claims, some, strict=True)) for some in (cuts, longer))
    return unit, how.inclusive or (right < len(claims) / 2 and last >= NEARLY_ALL * len(claims) > 0)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and not value.strip()) or value != value


def _between(context: str, start: int, stop: int, unit: Unit) -> str:
    begin, end = unit.place(context, start), unit.place(context, stop)
    return "" if begin is None or end is None else context[begin:end]


def _cut(full: str, start: Any, stop: Any, how: Columns, unit: Unit) -> str:
    return _between(full, whole_number(start), whole_number(stop) + how.inclusive, unit)


def _slice(
    full: str, context: str, text: str | None, span: tuple[Any, Any], how: Columns, unit: Unit, counts: Counter[str]
) -> tuple[int, str]:
    """Where the piece that a span cuts out of the context begins, and the piece, both without outer blanks."""
    first, last = whole_number(span[0]), whole_number(span[1]) + how.inclusive
    begin, end = unit.place(full, first), unit.place(full, last)
    if begin is None or end is None or not begin < end <= len(full):
        raise ValueError(f"the answer's span ({first}, {last}) lies outside of the context of {len(full)} characters")
    cut = full[begin:end]
    if text is not None and text != cut:
        counts["differs"] += 1
        counts["differs_in_blanks"] += "".join(text.split()) == "".join(cut.split())
    counts["clipped"] += end > len(context)
    piece = context[begin:end]
    if not piece.strip():
        raise ValueError(f"the answer's span ({first}, {last}) holds nothing but blanks")
    return begin + len(piece) - len(piece.lstrip()), piece.strip()
