"""Detect the encoding of a text file: UTF-8, UTF-16 by its first bytes, or the likeliest other encoding.

That bytes can be decoded does not mean that the text is right: nearly any Western text can be decoded as GB 18030. So UTF-8
with a few damaged lines is treated as UTF-8, and other encodings are ranked by how plausible the decoded text is.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# A multi-byte sequence of UTF-8.
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NON_ASCII = re.compile(rb"[\x80-\xff]")
MOSTLY = 0.5  # share of non-ASCII sequences that must be valid for a file to count as damaged UTF-8
SAMPLE = 2**16  # bytes used to guess an encoding
HEAD = 400  # bytes used to recognise UTF-16 without a byte order mark
SHOWN = 30  # characters of a sample in an error
# Encodings to try; the first of several with equal scores wins. charset-normalizer may suggest others from `KNOWN`.
USUAL = ("cp1252", "gb18030", "shift_jis", "euc_jp", "cp949", "big5", "cp1251", "koi8_r", "cp1250", "mac_roman", "cp850", "cp866",
         "iso8859_2", "cp1254", "iso8859_5", "mac_cyrillic")  # fmt: skip
KNOWN = ("cp1253", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "iso8859_7", "iso8859_9", "cp852")
LIKELY = 0.5  # mean score of a character that is needed for a guess
# The most frequent characters by script. Other characters of a script are possible but score less.
_FREQUENT = {
    "CYRILLIC": "оеаинтсрвлкмдпуяыьгзбчйхіїє",
    "CJK": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好"
    "都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实"
    "回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东海口使教西再平真听世气"
    "信北少关并内加化由却代产入先太水万市体别处总才场师书比住员性通目报难神件安表原车白应路期常提感更反合放做系或受光果及今务"
    "餐味吃送店服菜酒房差慢快喜欢推荐值差质量价格這來個們為說時會過學對裡後麼沒還發樣將與進實點種聲話兒問機給幾業間東"
    "國經頭動兩長現從開書員報難應車處總場師當飯館廳務態錯歡質價格食料本屋店行思私何度良悪",
    "HANGUL": "이다는을의에가고하한지도로어인사서기나리자그를수아있은들시대정보일해라만장부했요니습음전성주여스게것면과제비구"
    "원없까내데너우동생말좋네더거진조으모무안잘집맛너친절별화재영최방추천연점않와미",
}  # fmt: skip
# The non-ASCII letters of languages with Latin script: a text is in one language.
_LATIN = ("éèêàçâùôîûëïœ", "äöüßé", "áéíóúñü", "ãõáéíóúçâêôà", "àèéìòù", "åäöæøé", "ąćęłńóśźż", "áčďéěíňóřšťúůýžäľô", "áéíóöőúüű",
          "çğıöşüâî", "ăâîșțşţ", "čšžćđ")  # fmt: skip
_KANA = ("HIRAGANA", "KATAKANA")
_OTHERS = ("GREEK", "HEBREW", "ARABIC", "THAI")
_SIGNS = "’‘“”«»–—…€°¿¡，。！？、；：（）《》「」"


class EncodingGuess(NamedTuple):
    """A guessed encoding, and a sample of the decoded text around the first non-ASCII character."""

    encoding: str
    sample: str


def marked(data: bytes) -> str | None:
    """Return UTF-16 or UTF-32 by the byte order mark, or UTF-16 if every other byte is zero; else None."""
    if encoding := next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None):
        return encoding
    even, odd = data[0:HEAD:2], data[1:HEAD:2]
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(high) > 3 and high.count(0) > len(high) / 2 and not low.count(0):
            return encoding
    return None


def is_damaged_utf8(data: bytes) -> bool:
    """Whether bytes that are not valid UTF-8 are meant to be: most of the non-ASCII sequences are valid."""
    rest, valid = _SEQUENCE.subn(b"", data)
    return valid > 0 and valid > MOSTLY * (valid + len(_NON_ASCII.findall(rest)))


def guess(data: bytes) -> EncodingGuess | None:
    """Return the likeliest encoding of a text that is not UTF-8; None if no encoding gives a plausible text."""
    sample = data
    if len(data) > SAMPLE:  # whole lines, so that no character is cut
        lines = b"\n".join(line for line in data.split(b"\n") if not line.isascii())
        sample = lines if len(lines) <= SAMPLE else lines[:SAMPLE].rpartition(b"\n")[0] or lines
    names = dict.fromkeys([*USUAL, *_suggestions(sample)])
    scores = {name: _score(text, name) for name in names if (text := _decode(sample, name)) is not None}
    for name in sorted(scores, key=lambda name: -scores[name]):  # a stable sort
        if scores[name] >= LIKELY and (text := _decode(data, name)) is not None:
            return EncodingGuess(name, sample_of(text))
    return None


def sample_of(text: str) -> str:
    """Return a few characters around the first non-ASCII character of a text, on one line."""
    position = next((index for index, letter in enumerate(text) if letter > "\x7f"), 0)
    start = max(text.rfind("\n", 0, position) + 1, position - SHOWN // 2)
    return " ".join(text[start : start + SHOWN].split("\n", 1)[0].split())


def _suggestions(data: bytes) -> list[str]:
    """Return encodings that charset-normalizer suggests; it compares letter frequencies with those of many languages."""
    from charset_normalizer import from_bytes

    return [match.encoding for match in from_bytes(data) if match.encoding in KNOWN]


def _decode(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _score(text: str, encoding: str) -> float:
    """Return the mean plausibility of the non-ASCII characters and of their neighbours; at most about 1."""
    total = count = 0.0
    latin = [letter.lower() for letter in text if letter > "\x7f" and _script_and_score(letter)[0] == "LATIN"]
    total += max(sum(letter in letters for letter in latin) for letters in _LATIN)
    before = " "
    for letter, after in zip(text, text[1:] + " ", strict=True):
        if letter > "\x7f":
            script, score = _script_and_score(letter)
            count += 1
            total += score
            if script == "SIGN":  # signs do not occur inside words
                total -= 2 * (before.isalpha() and after.isalpha() and letter not in "’–—")
            elif any(other.isalpha() and _mixes_scripts(script, other) for other in (before, after)):
                total -= 1.5
            elif letter.isupper():
                total -= 1.5 if before.islower() or (after.islower() and before.isupper()) else 0.3
            if script in _KANA and encoding in ("gb18030", "big5"):
                total -= 0.5
        before = letter
    return total / count if count else 0.0


@lru_cache(maxsize=100_000)
def _script_and_score(letter: str) -> tuple[str, float]:
    """Return the script of a character, and how usual the character is in that script."""
    if letter in _SIGNS:
        return "SIGN", 0.9
    script = unicodedata.name(letter, "NONE").split()[0]
    if script == "HALFWIDTH" or not letter.isalpha():
        return "SIGN", -2.0 if unicodedata.category(letter)[0] == "C" else 0.0
    if script in _FREQUENT:
        return script, 1.0 if letter.lower() in _FREQUENT[script] else 0.3
    return script, 1.0 if script in (*_KANA, *_OTHERS) else 0.0


def _mixes_scripts(script: str, neighbour: str) -> bool:
    """Whether a neighbouring letter is of another script, which no word mixes; East Asian scripts do occur together."""
    other = "LATIN" if neighbour <= "\x7f" else _script_and_score(neighbour)[0]
    east_asian = ("CJK", *_KANA, "HANGUL", "FULLWIDTH", "KATAKANA-HIRAGANA", "IDEOGRAPHIC")
    return other not in (script, "SIGN") and not (other in east_asian and script in east_asian)
