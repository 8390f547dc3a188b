"""What the code must know of a few languages, by their ISO 639-1 codes."""

from __future__ import annotations

import re

# English names, as the prefixes of multi-task checkpoints spell them.
NAMES = {
    "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish", "et": "Estonian", "fi": "Finnish",
    "fr": "French", "hi": "Hindi", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# Letters of scripts without blanks, for a character class: Chinese; kana, Thai and Lao, Tibetan, Burmese, Khmer.
HAN = r"\u4e00-\u9fa5"
UNSPACED_LETTERS = HAN + r"\u3040-\u30ff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{UNSPACED_LETTERS}]|[^\s{UNSPACED_LETTERS}]+")

# Written without blanks between words.
UNSPACED = frozenset("bo dz ja km lo my th yue zh".split())


def base(code: object) -> str:
    """The language of a code without its region or script: `zh-TW` and `zh_Hans` are `zh`."""
    return str(code or "").replace("_", "-").partition("-")[0].lower()


def words(text: str) -> int:
    """How many words a text has: what stands between blanks, and each letter of a script that has none."""
    return sum(1 for _ in _WORD.finditer(text))
