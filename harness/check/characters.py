"""Characters that tell of a text that was damaged on its way: wrong encodings, remains of markup, what no one can see."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.check.labels import Tally, as_text
from harness.finding import NOTE, WARNING, Finding, quote, some

# UTF-8's continuation bytes 80-BF, read as Latin-1 or as Windows-1252.
_NEXT = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
# Sure signs only: a French é may well stand before a quotation mark and three dots.
_MOJIBAKE = re.compile(
    f"[ÂÃ]{_NEXT}|â[\u0080€]{_NEXT}|(?:[à-ï]{_NEXT}{{2}}){{2}}|(?:[Ä-ß]{_NEXT}){{3}}|ï»¿|ðŸ{_NEXT}{{2}}"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BLANKS = re.compile("[\u00a0\u2007\u202f\u2028\u2029]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}\d{0,2}|#\d{1,6}|#[xX][0-9A-Fa-f]{1,5});|(?:^|(?<=[\s\\]))#\d{2,6};")
_TAG = re.compile(r"</?(?:a|b|br|div|em|font|h[1-6]|i|img|li|ol|p|pre|span|strong|table|td|tr|ul)(?:\s[^<>]{0,200})?/?>", re.I)  # fmt: skip


def _html(text: str) -> bool:
    if ("#" in text or "&" in text) and _ENTITY.search(text):
        return True
    return "<" in text and _TAG.search(text) is not None


class _Kind(NamedTuple):
    """One kind of damage."""

    level: str
    has: Callable[[str], object]
    what: str


# Those for characters beyond ASCII stand apart: plain ASCII skips them.
_BEYOND = {
    "replacement-characters": _Kind(
        WARNING,
        lambda text: "\ufffd" in text,
        "U+FFFD, the mark of characters that were lost; read the source in its own encoding",
    ),
    "mojibake": _Kind(
        WARNING, _MOJIBAKE.search, "UTF-8 that was read as Latin-1 (such as Ã© for é); mend it, or state `encoding`"
    ),
    "invisible-characters": _Kind(WARNING, _INVISIBLE.search, "soft hyphens, zero-width blanks or byte order marks"),
    "unusual-blanks": _Kind(NOTE, _BLANKS.search, "no-break blanks or Unicode's line separators"),
}
_ANY = {
    "control-characters": _Kind(WARNING, _CONTROL.search, "control characters"),
    "html-remains": _Kind(WARNING, _html, "remains of HTML (such as &lt; or #39; or <br>)"),
    "backslashes": _Kind(
        NOTE, lambda text: "\\" in text, "a backslash, often what is left of a line break or an escape"
    ),
}
_KINDS = {**_BEYOND, **_ANY}


def characters(texts: Mapping[str, Iterable[tuple[str, Mapping[str, str | Sequence[str]]]]]) -> Iterable[Finding]:
    """Damage by kind.

    Args:
        texts: split → (row's id, column → text) pairs.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    seen: dict[str, tuple[str, ...]] = {}  # contexts and documents come back many times
    for split, rows in texts.items():
        for name, columns in rows:
            found: dict[str, str] = {}
            for value in columns.values():
                text = as_text(value)
                if text not in seen:
                    seen[text] = tuple(_damage(text))
                for code in seen[text]:
                    found.setdefault(code, text)
            for code, text in found.items():
                tally = tallies[code]
                tally.add(split, "" if tally.full else f"{name}: {quote(_around(code, text))}")
    for code, kind in _KINDS.items():
        if code in tallies:
            tally = tallies[code]
            verb = "holds" if tally.total == 1 else "hold"
            message = f"{some(tally.total, 'row')} {verb} {kind.what} ({tally.where()})"
            yield Finding(kind.level, code, message, tally.total, tuple(tally.examples))


def _damage(text: str) -> Iterable[str]:
    for code, kind in (_ANY if text.isascii() else _KINDS).items():
        if kind.has(text):
            yield code


def _around(code: str, text: str) -> str:
    """A few characters of the text at the first place that has the damage."""
    has = _KINDS[code].has
    low, high = 0, len(text)  # the shortest beginning that has it ends at the place
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if has(text[:middle]) else (middle + 1, high)
    return text[max(0, low - 20) : low + 15]
