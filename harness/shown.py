"""Texts that come from data, files or names, made harmless where they are shown or written.

A label may hold line breaks, escape sequences of a terminal, or characters that turn the direction of what follows. Whatever shows a
text of unknown origin passes it through `plain`; formats with a syntax of their own then escape that (`harness.report`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# Control characters, separators of lines, and what changes the direction of a text; tabs too.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BREAK = re.compile(r"\s*[\n\r\u2028\u2029\x85]\s*")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}
SHOWN = 60  # characters of a value in a message
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    r"""A text on one line, with `\n`, `\x1b` and the like in place of characters that act instead of showing."""
    return _HARMFUL.sub(_escaped, text) if _HARMFUL.search(text) else text


def short(text: str, most: int = SHOWN) -> str:
    """A text as messages have it: on one line, visible, and not too long."""
    if len(text) > 2 * most:  # of a very long text the rest need not be looked at
        return f"{plain(text[:most])[: most - 1]}… ({len(text):,} characters)"
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}… ({len(text):,} characters)"


def listed(names: Iterable[str], most: int = 5) -> str:
    """`a, b, c and 4 more`, long names shortened."""
    names = [short(name) for name in names]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def sentence(text: str) -> str:
    """The same, with blanks in place of line breaks: for prose, in which `\\n` would look odd."""
    return plain(_BREAK.sub(" ", text))


def visible(text: str) -> str:
    """A text of several lines: the same, but line breaks, tabs and the marks of right-to-left scripts stay."""
    return _HARMFUL.sub(
        lambda found: found.group() if found.group() in "\n\t\u061c\u200e\u200f" else _escaped(found), text
    )


def _escaped(found: re.Match[str]) -> str:
    letter = found.group()
    return _SHORT.get(letter) or (f"\\x{ord(letter):02x}" if ord(letter) < 128 else f"\\u{ord(letter):04x}")


def csv_cell(value: object) -> object:
    """A cell of a CSV file, on one line; a text that a spreadsheet would take for a formula begins with an apostrophe. Numbers stay as
    they are.
    """
    if not isinstance(value, str):
        return value
    return f"'{plain(value)}" if value.startswith(_FORMULA) else plain(value)


def shell(words: Iterable[str]) -> str:
    """A command as a shell reads it, on one line: words with characters that act are written as `$'a\\nb'`."""
    return " ".join(shlex.quote(word) if plain(word) == word else _ansi(word) for word in words)


def _ansi(word: str) -> str:
    return "$'" + plain(word.replace("\\", "\\\\")).replace("'", "\\'") + "'"


def console(**more: Any) -> Console:
    """A terminal to print to: brackets are no markup, and no text can act there.

    Args:
        more: of `rich.console.Console`.
    """
    from rich.console import Console, RenderHook
    from rich.segment import Segment

    class Harmless:
        """A renderable whose texts are made visible."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __rich_console__(self, console: Any, options: Any) -> Iterable[Segment]:
            for part in console.render(self.inner, options):
                yield part if part.control else Segment(visible(part.text), part.style)

    class Hook(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [Harmless(one) for one in renderables]

    made = Console(markup=False, **more)
    made.push_render_hook(Hook())
    return made
