"""Texts cut into words, or characters where a script has no blanks between words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.check.lengths import without_blanks

WORD, CHARACTER = re.compile(r"\w+"), re.compile(r"\w")


def pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """What a word of these texts is; punctuation is none."""
    return CHARACTER if without_blanks(texts) else WORD
