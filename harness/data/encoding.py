"""The encoding of a text that is not said to have one: UTF-8, UTF-16 by its first bytes, or the likeliest of the others.

That bytes can be decoded does not make the text right: nearly any file of Western text can be decoded as GB 18030. So UTF-8 with
a few damaged lines stays UTF-8, and the other encodings are ranked by how their texts look, not by whether they decode.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# One sequence of UTF-8 beyond ASCII.
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND = re.compile(rb"[\x80-\xff]")
MOSTLY = 0.5  # of the sequences beyond ASCII: what has more of them in UTF-8 is UTF-8
SAMPLE = 2**18  # bytes from which an encoding is guessed
SHOWN = 30  # characters of a sample
# Tried beside the guess where that one's text looks damaged, and to call a guess by the name that is usual.
USUAL = ("cp1252", "cp1250", "gb18030", "big5", "cp949", "shift_jis", "euc_jp", "cp1251", "koi8_r", "cp866", "iso8859_2",
         "mac_roman", "cp850")  # fmt: skip
RARE = ("iso8859_3", "iso8859_4", "iso8859_10", "iso8859_13", "iso8859_14", "iso8859_16", "hz", "utf_7", "johab")
# What no word has inside or before it: signs that stand where another encoding has a letter.
_DAMAGE = re.compile(r"[^\W\d_][¡-§©-¬®-±´¶¸»¿×÷€‚ƒ„…†‡ˆ‰‹›™˜][^\W\d_]|[¢-§©-¬®-¶¸-¾×÷‰†‡][a-zà-ÿ]|[\x80-\x9f\ufffd\ue000-\uf8ff]")
DAMAGED = 0.05  # the share of characters beyond ASCII


class Guess(NamedTuple):
    """An encoding that was guessed, and a piece of the text around the first character beyond ASCII."""

    encoding: str
    sample: str


def marked(data: bytes) -> str | None:
    """The encoding that a byte order mark speaks of: UTF-16 or UTF-32; None for all others."""
    return next((name for mark, name in MARKS.items() if data.startswith(mark)), None)


def is_damaged_utf8(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 were meant to be: most of what lies beyond ASCII is."""
    rest, good = _SEQUENCE.subn(b"", data)
    return good > 0 and good >= MOSTLY * (good + len(_BEYOND.findall(rest)))


def guess(data: bytes) -> Guess | None:
    """The likeliest encoding of a text that is not UTF-8, with a sample of the text; None where none looks right."""
    some = data
    if len(data) > SAMPLE:  # whole lines, so that no character is cut
        lines = b"\n".join(line for line in data.split(b"\n") if not line.isascii())
        some = lines if len(lines) <= SAMPLE else lines[:SAMPLE].rpartition(b"\n")[0] or lines
    texts = {name: text for name in dict.fromkeys([*_likeliest(some), *USUAL]) if (text := _decoded(some, name)) is not None}
    for name, text in texts.items():
        if _damage(text) <= DAMAGED and _decoded(data, name) is not None:
            same = next((usual for usual in USUAL if texts.get(usual) == text and _decoded(data, usual) is not None), name)
            return Guess(same, sample_of(text))
    return None


def sample_of(text: str) -> str:
    """A few characters of a text around the first one beyond ASCII, on one line."""
    place = next((index for index, letter in enumerate(text) if letter > "\x7f"), 0)
    start = text.rfind("\n", 0, place) + 1
    start = max(start, place - SHOWN // 2)
    return " ".join(text[start : start + SHOWN].split("\n", 1)[0].split())


def _likeliest(data: bytes) -> list[str]:
    """What charset-normalizer ranks first; it compares the letters of a text with those of many languages."""
    from charset_normalizer import from_bytes

    return [match.encoding for match in from_bytes(data) if match.encoding not in RARE][:3]


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _damage(text: str) -> float:
    """The share of characters beyond ASCII that stand where no text has them."""
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return len(_DAMAGE.findall(text)) / beyond if beyond else 0.0
