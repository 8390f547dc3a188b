"""Parse the answers of question-answering tables, and locate them in their contexts.

An answer is a column in SQuAD's form, columns for its text, start and end, or a span.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness.data.printed import printed
from harness.data.readers.offsets import NEARLY_ALL, ClaimedOffset, Unit, explain
from harness.data.scalars import Notes, boolean, scalar, whole_number
from harness.data.values import list_items

Row = Mapping[str, Any]

SPAN = re.compile(r"\D*(\d+)\D+(\d+)\D*")
COUNTED = ("differs", "differs_in_blanks", "clipped")


class AnswerColumns(NamedTuple):
    """The options of the format `spans` that say how an answer is written, see `harness.data.readers.span_tables.read`."""

    answers: str | None
    text: str | None
    start: str | None
    end: str | None
    span: str | None
    no_answer: str | None
    inclusive: bool
    impossible: str | None = None


def parse_span(value: Any) -> tuple[int, int]:
    """Return start and end of `"(287, 338)"`, `"287-338"` or `[287, 338]`, or raise ValueError."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return whole_number(value[0]), whole_number(value[1])
    match = SPAN.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is no span such as (287, 338)")
    return int(match[1]), int(match[2])


def parse_answers(value: Any, notes: Notes | None = None) -> list[tuple[str, Any]]:
    """Return (text, start or None) of each answer in `{"text": [...], "answer_start": [...]}` or a list of such objects.

    The value may also be one of these printed as text by JSON, Python or numpy, as data frames write SQuAD's column to CSV.

    Args:
        notes: Counts conversions, see `harness.data.values`.
    """
    notes = Notes() if notes is None else notes
    if hasattr(value, "tolist"):  # a numpy array
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Mapping | Sequence):
        string = scalar(value, notes) or ""
        if not string.strip():
            return []
        value = printed(string)
        if value is None:
            raise ValueError(f"{string[:60]!r} is neither JSON nor a dict of Python")
        notes["printed"] += 1
    if isinstance(value, Mapping):
        texts, starts = _as_list(value.get("text")), _as_list(value.get("answer_start"))
        if len(starts) != len(texts) and (starts or value.get("answer_start") is not None):
            raise ValueError(f"{len(texts)} answers but {len(starts)} starts")
        return [
            (scalar(text, notes) or "", start) for text, start in zip(texts, starts or [None] * len(texts), strict=True)
        ]
    if isinstance(value, Sequence) and all(isinstance(item, Mapping) and "text" in item for item in value):
        return [(scalar(item["text"], notes) or "", item.get("answer_start")) for item in value]
    raise ValueError(f"{str(value)[:60]!r} is neither {{text, answer_start}} nor a list of these")


def _as_list(value: Any) -> list[Any]:
    items = list_items(value)
    if items is None:
        return [] if value is None else [value]
    return items


def without_no_answer(context: str, word: str | None) -> str:
    """Return the context without the word for "no answer" at its end, and without the blanks before that."""
    bare = context.rstrip()
    return bare.removesuffix(word).rstrip() if word and bare.endswith(word) else context


def locate(row: Row, full: str, context: str, columns: AnswerColumns, unit: Unit, counts: Counter[str]) -> dict[str, list[Any]]:
    """Return a row's answers as `{"text": [...], "answer_start": [...]}`; a start is None if the row does not give it.

    Args:
        full: The context in the file, to which spans refer.
        context: The same without the word for "no answer".
        columns: How answers are written.
        unit: What the two ends of a span count. A start without an end is returned as it is.
        counts: Gets the counts named in `COUNTED`, and conversions.

    Raises:
        ValueError: An answer cannot be read, or a span is outside of the context.
    """
    texts: list[str] = []
    starts: list[int | None] = []
    for text, start, stop in _answers(row, columns, counts):
        if stop is None:
            texts.append(str(text))
            starts.append(None if _is_empty(start) else whole_number(start))
            continue
        first, last = whole_number(start), whole_number(stop) + columns.inclusive
        if columns.no_answer and _between(full, first, last, unit).strip() == columns.no_answer:
            continue
        begin, piece = _slice(full, context, text, (first, last), unit, counts)
        texts.append(piece)
        starts.append(begin)
    return {"text": texts, "answer_start": starts}


def detect_unit(rows: Sequence[Row], columns: AnswerColumns, context: str) -> tuple[Unit, bool]:
    """Compare spans with the texts beside them to find what spans count, and whether the end is the last character itself.

    Args:
        rows: All rows of a file.
        columns: How answers are written.
        context: The column of the context.
    """
    claims: list[ClaimedOffset] = []
    ends: list[int] = []
    for row in rows:
        try:
            for text, start, stop in _answers(row, columns, Notes()):
                if text and stop is not None:
                    claim, end = ClaimedOffset(row[context], text, whole_number(start)), whole_number(stop)
                    claims.append(claim)
                    ends.append(end)
        except ValueError:  # reported when the row is read
            continue
    unit = explain(claims)
    exclusive, inclusive = (
        sum(
            claim.text == _between(claim.context, claim.start, end + extra, unit)
            for claim, end in zip(claims, ends, strict=True)
        )
        for extra in (0, 1)
    )
    last = exclusive < len(claims) / 2 and inclusive >= NEARLY_ALL * len(claims) > 0
    return unit, columns.inclusive or last


def _answers(row: Row, columns: AnswerColumns, notes: Notes) -> Iterator[tuple[str | None, Any, Any]]:
    """Yield (text, start, end) of each answer as far as they are given. An empty text or a negative start is no answer."""
    if columns.impossible is not None and boolean(row[columns.impossible], notes):
        possible = columns._replace(impossible=None)
        notes["impossible_with_answers"] += any(text for text, _, _ in _answers(row, possible, Notes()))
        return
    for text, start, stop in _raw_answers(row, columns, notes):
        if text is not None and (not text.strip() or text.strip() == columns.no_answer):
            continue
        if _is_empty(start) or whole_number(start) >= 0:
            yield text, start, stop
        else:
            notes["negative_starts"] += text is not None


def _raw_answers(row: Row, columns: AnswerColumns, notes: Notes) -> list[tuple[str | None, Any, Any]]:
    if columns.answers is not None:
        return [(text, start, None) for text, start in parse_answers(row[columns.answers], notes)]
    text = None if columns.text is None else scalar(row[columns.text], notes) or ""
    if columns.span is not None:
        if (text is not None and (not text.strip() or text.strip() == columns.no_answer)) or _is_empty(row[columns.span]):
            return []
        return [(text, *parse_span(row[columns.span]))]
    start = None if columns.start is None else row[columns.start]
    stop = None if columns.end is None else row[columns.end]
    if columns.text is None and _is_empty(start):
        return []
    return [(text, None if _is_empty(start) else start, None if _is_empty(stop) or _is_empty(start) else stop)]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def _between(context: str, start: int, stop: int, unit: Unit) -> str:
    begin, end = unit.place(context, start), unit.place(context, stop)
    return "" if begin is None or end is None else context[begin:end]


def _slice(
    full: str, context: str, text: str | None, span: tuple[int, int], unit: Unit, counts: Counter[str]
) -> tuple[int, str]:
    """Return the start of the piece of context that a span cuts out, and the piece, both without outer blanks."""
    begin, end = unit.place(full, span[0]), unit.place(full, span[1])
    if begin is None or end is None or not begin < end <= len(full):
        raise ValueError(f"the answer's span {span} lies outside of the context of {len(full)} characters")
    cut = full[begin:end]
    if text is not None and text != cut:
        counts["differs"] += 1
        counts["differs_in_blanks"] += "".join(text.split()) == "".join(cut.split())
    counts["clipped"] += end > len(context)
    piece = context[begin:end]
    if not piece.strip():
        raise ValueError(f"the answer's span {span} holds nothing but blanks")
    return begin + len(piece) - len(piece.lstrip()), piece.strip()
