"""One row of flat question answering: which piece of the context its answer is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.data.readers import answers as forms

Row = Mapping[str, Any]
COUNTED = ("misaligned", "repaired", "differs", "differs_in_blanks", "clipped", "several_places")


class Columns(NamedTuple):
    """The options of the format `spans` that say how an answer is written."""

    answers: str | None
    text: str | None
    start: str | None
    end: str | None
    span: str | None
    no_answer: str | None
    inclusive: bool


def without(context: str, word: str | None) -> str:
    """The context without the word at its end and the blanks before it."""
    bare = context.rstrip()
    return bare.removesuffix(word).rstrip() if word and bare.endswith(word) else context


def locate(row: Row, full: str, context: str, how: Columns, counts: Counter[str]) -> dict[str, list[Any]]:
    """A row's answers: their texts, and where in the context each begins.

    Args:
        full: the context as the file has it, which spans may refer to.
        context: the same without the word for "no answer".
        counts: is filled with what was found on the way; see `COUNTED`.

    Raises:
        ValueError: an answer that cannot be read, or that lies outside of the context.
    """
    texts: list[str] = []
    starts: list[int] = []
    for text, start, stop in _written(row, how):
        if (text is not None and (not text.strip() or text.strip() == how.no_answer)) or _negative(start):
            continue
        if stop is None:
            begin = _start(context, str(text), start, counts)
            piece = str(text)
        elif how.no_answer and full[forms.whole(start) : forms.whole(stop) + how.inclusive].strip() == how.no_answer:
            continue
        else:
            begin, piece = _slice(full, context, text, (start, stop), how, counts)
        texts.append(piece)
        starts.append(begin)
    return {"text": texts, "answer_start": starts}


def _written(row: Row, how: Columns) -> list[tuple[str | None, Any, Any]]:
    """(text, start, end) of each of the row's answers, as far as they are written down."""
    if how.answers is not None:
        return [(text, start, None) for text, start in forms.pairs(row[how.answers])]
    text = None if how.text is None else str("" if row[how.text] is None else row[how.text])
    if how.span is not None:
        if (text is not None and (not text.strip() or text.strip() == how.no_answer)) or row[how.span] in (None, ""):
            return []
        return [(text, *forms.span(row[how.span]))]
    start = None if how.start is None else row[how.start]
    stop = None if how.end is None else row[how.end]
    if how.text is None and start in (None, ""):
        return []
    return [(text, start, stop)]


def _negative(start: Any) -> bool:
    return start not in (None, "") and forms.whole(start) < 0


def _start(context: str, text: str, start: Any, counts: Counter[str]) -> int:
    """Where an answer begins of which the text is known."""
    if start in (None, ""):
        found = forms.places(context, text)
        if not found:
            raise ValueError(f"the answer {text[:40]!r} does not stand in the context")
        counts["several_places"] += len(found) > 1
        return found[0]
    begin = forms.whole(start)
    if context.startswith(text, begin):
        return begin
    counts["misaligned"] += 1
    moved = forms.find(context, text, begin)
    counts["repaired"] += moved is not None
    return begin if moved is None else moved


def _slice(
    full: str, context: str, text: str | None, span: tuple[Any, Any], how: Columns, counts: Counter[str]
) -> tuple[int, str]:
    """Where the piece that a span cuts out of the context begins, and the piece, both without outer blanks."""
    begin, end = forms.whole(span[0]), forms.whole(span[1]) + how.inclusive
    if not begin < end <= len(full):
        raise ValueError(f"the answer's span ({begin}, {end}) lies outside of the context of {len(full)} characters")
    cut = full[begin:end]
    if text is not None and text != cut:
        counts["differs"] += 1
        counts["differs_in_blanks"] += "".join(text.split()) == "".join(cut.split())
    counts["clipped"] += end > len(context)
    piece = context[begin:end]
    if not piece.strip():
        raise ValueError(f"the answer's span ({begin}, {end}) holds nothing but blanks")
    return begin + len(piece) - len(piece.lstrip()), piece.strip()
