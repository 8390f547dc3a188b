"""Check texts: damaged characters, remains of markup, and sentences whose words cannot be words."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.check.labels import shown
from harness.check.repeats import Tally, Texts, as_text, row_location
from harness.family import Row
from harness.finding import ERROR, NOTE, WARNING, Finding, first, quote, some

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

MIN_ROWS = 20  # fewer sentences or words say nothing about the shares below
MAX_WORDS = 1000  # longer ones are hardly sentences
MAX_BLANK_SHARE = 0.02  # of words with blanks inside
MAX_TYPE_SHARE = 0.5  # of words with one entity type
NUMBERED_SHARE = 0.9  # of sentences whose words are 0, 1, 2, …


def _has_html(text: str) -> bool:
    if ("#" in text or "&" in text) and _ENTITY.search(text):
        return True
    return "<" in text and _TAG.search(text) is not None


class _Damage(NamedTuple):
    """One kind of damaged characters: its level, its test and its description."""

    level: str
    matches: Callable[[str], object]
    description: str


_NON_ASCII_DAMAGE = {
    "replacement-characters": _Damage(
        WARNING,
        lambda text: "\ufffd" in text,
        "U+FFFD, the mark of characters that were lost; read the source in its own encoding",
    ),
    "mojibake": _Damage(
        WARNING, _MOJIBAKE.search, "UTF-8 that was read as Latin-1 (such as Ã© for é); mend it, or state `encoding`"
    ),
    "invisible-characters": _Damage(WARNING, _INVISIBLE.search, "soft hyphens, zero-width blanks or byte order marks"),
    "unusual-blanks": _Damage(NOTE, _BLANKS.search, "no-break blanks or Unicode's line separators"),
}
_ANY_DAMAGE = {
    "control-characters": _Damage(WARNING, _CONTROL.search, "control characters"),
    "html-remains": _Damage(WARNING, _has_html, "remains of HTML (such as &lt; or #39; or <br>)"),
    "backslashes": _Damage(
        NOTE, lambda text: "\\" in text, "a backslash, often what is left of a line break or an escape"
    ),
}
_DAMAGE = {**_NON_ASCII_DAMAGE, **_ANY_DAMAGE}


def damaged_characters(texts: Texts) -> Iterator[Finding]:
    """Find damaged characters, by kind of damage."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    codes_of: dict[str, tuple[str, ...]] = {}  # contexts and documents occur many times
    for split, rows in texts.items():
        for location, columns in rows:
            damaged: dict[str, str] = {}
            for value in columns.values():
                text = as_text(value)
                if text not in codes_of:
                    kinds = _ANY_DAMAGE if text.isascii() else _DAMAGE
                    codes_of[text] = tuple(code for code, damage in kinds.items() if damage.matches(text))
                for code in codes_of[text]:
                    damaged.setdefault(code, text)
            for code, text in damaged.items():
                tally = tallies[code]
                tally.add(split, "" if tally.full else f"{location}: {quote(_context(code, text))}")
    for code, damage in _DAMAGE.items():
        if code in tallies:
            tally = tallies[code]
            verb = "holds" if tally.total == 1 else "hold"
            message = f"{some(tally.total, 'row')} {verb} {damage.description} ({tally.where()})"
            yield Finding(damage.level, code, message, tally.total, tuple(tally.examples))


def _context(code: str, text: str) -> str:
    """Return a few characters around the first damage."""
    matches = _DAMAGE[code].matches
    low, high = 0, len(text)  # bisect for the shortest damaged beginning: it ends at the damage
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if matches(text[:middle]) else (middle + 1, high)
    return text[max(0, low - 20) : low + 15]


def implausible_words(splits: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    """Find sentences of tagged words that are none: numbered or single words, and one type on most of them."""
    rows = [row for part in splits.values() for row in part if row.get("words")]
    if not rows or not all(isinstance(row["words"], list | tuple) for row in rows[:10]):
        return
    sentences = [row["words"] for row in rows]
    long = [words for words in sentences if len(words) > 1]
    numbered = sum(words[0] in ("0", "1") and _are_numbered(words) for words in long)
    if numbered and numbered >= NUMBERED_SHARE * len(long):
        message = (
            f"the words of {some(numbered, 'sentence')} count {', '.join(long[0][:3])}…, so they are no words; take them from another "
            "column: words: 1 under data: of a task file (format conll), or --column words=NAME for a table"
        )
        yield Finding(ERROR, "counted-words", message, numbered)
        return
    if not long and len(rows) >= MIN_ROWS:
        message = (
            f"each of the {len(rows):,} rows holds one word, so no entity is longer and no word has a neighbour; one sentence a row is "
            "needed: a list of words, or columns with a blank line after each sentence (format conll), or a table with a column "
            "that says to which sentence a word belongs (format tokens, sentence: NAME)"
        )
        yield Finding(ERROR, "one-word-rows", message, len(rows))
        return
    endless = [row for row in rows if len(row["words"]) > MAX_WORDS]
    if endless:
        message = (
            f"{some(len(endless), 'sentence')} of more than {MAX_WORDS:,} words, of which models read windows only: do blank lines between "
            "sentences lack?"
        )
        yield Finding(WARNING, "endless-sentences", message, len(endless), first(map(row_location, endless)))
    blank = sum(not word.strip() for words in sentences for word in words)
    if blank:
        message = f"{some(blank, 'word')} without text; models read nothing there, and its tag is scored all the same"
        yield Finding(WARNING, "blank-words", message, blank)
    number = sum(map(len, sentences))
    inner = sum(len(word.split()) > 1 for words in sentences for word in words)
    if inner > MAX_BLANK_SHARE * number:
        message = (
            f"{some(inner, 'word')} with blanks inside: pieces of sentences are no words, and an entity covers all of a piece or nothing"
        )
        yield Finding(WARNING, "words-with-blanks", message, inner)
    types = Counter(tag[2:] or tag for row in rows for tag in row.get("tags", ()) if tag != "O")
    for kind, count in types.most_common(1):
        if count > MAX_TYPE_SHARE * number and number >= MIN_ROWS:
            message = (
                f"{count / number:.0%} of the words are of the type {shown(kind)}; if it stands for no entity, it must be written O "
                f"(in a task file labels: {{{json.dumps(kind, ensure_ascii=False)}: O, …}} with every tag), and if most words are names, all is well"
            )
            yield Finding(WARNING, "one-type", message, count)


def _are_numbered(words: Sequence[str]) -> bool:
    """Whether words are consecutive numbers."""
    return all(word.isdecimal() for word in words) and [int(word) - int(words[0]) for word in words] == list(range(len(words)))
