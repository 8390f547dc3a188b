"""Texts that come from data, files or names, made harmless where they are shown or written.

A label may hold line breaks, escape sequences of a terminal, or characters that turn the direction of what follows. Whatever shows a
text of unknown origin passes it through `plain`; formats with a syntax of their own then escape that (`harness.report`).
"""

from __future__ import annotations

import re

# Control characters, separators of lines, and what changes the direction of a text; tabs too.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    r"""A text on one line, with `\n`, `\x1b` and the like in place of characters that act instead of showing."""
    return _HARMFUL.sub(_escaped, text) if _HARMFUL.search(text) else text


def _escaped(found: re.Match[str]) -> str:
    letter = found.group()
    return _SHORT.get(letter) or (f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}")


def csv_cell(value: object) -> object:
    """A cell of a CSV file: a text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay as they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
