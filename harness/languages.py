"""What the code must know of a few languages, by their ISO 639-1 codes."""

from __future__ import annotations

# English names, as the prefixes of multi-task checkpoints spell them.
NAMES = {
    "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish", "et": "Estonian", "fi": "Finnish",
    "fr": "French", "hi": "Hindi", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# Written without blanks between words.
UNSPACED = frozenset("bo dz ja km lo my th yue zh".split())


def base(code: object) -> str:
    """The language of a code without its region or script: `zh-TW` and `zh_Hans` are `zh`."""
    return str(code or "").replace("_", "-").partition("-")[0].lower()
