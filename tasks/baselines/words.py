"""The pattern of a word, or of a character for scripts without blanks between words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.check.lengths import without_blanks

WORD, CHARACTER = re.compile(r"\w+"), re.compile(r"\w")


def pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """The pattern of a word in these texts. Punctuation is no word."""
    return CHARACTER if without_blanks(texts) else WORD
