"""Texts made safe to show or write."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


# Texts that come from data, files or names, made harmless where they are shown or written. A label may hold line breaks, escape
# sequences of a terminal, or characters that turn the direction of what follows. Whatever shows a text of unknown origin passes
# it through `plain`; formats with a syntax of their own then escape that (`harness.report`).


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


def shell_command(words: Iterable[str]) -> str:
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


# Tokens and passwords, kept out of what is written down: error messages, tracebacks, logs, the terminal. A text that somebody
# else wrote, such as the Hub's refusal or a library's error, may hold what it was asked with.


HIDDEN = "[hidden]"
# Variables of the environment whose values are secrets, and the fewest characters of one: shorter ones may be words.
SECRET = (
    (re.compile(r"HF_TOKEN|HUGGING_?FACE_HUB_TOKEN"), 4),
    (re.compile(r".*(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY(_?ID)?)", re.IGNORECASE), 8),
    # of object stores; FSSPEC_S3 and its like are JSON
    (re.compile(r".*(ACCOUNT_?KEY|STORAGE_?KEY|CONNECTION_?STRING)|FSSPEC_[A-Z0-9]+(_\w*KEY)?", re.IGNORECASE), 8),
)
PATTERNS = (
    # Tokens of the Hub. `hf_transfer` and its like are no tokens: those have capitals or digits, or are long.
    (re.compile(r"\bhf_(?:oauth_|jwt_)?(?:(?=[a-zA-Z]*[A-Z0-9])[a-zA-Z0-9]{8,}|[a-zA-Z0-9]{20,})"), HIDDEN),
    (re.compile(r"\bapi_org_[a-zA-Z0-9]{8,}"), HIDDEN),
    # https://user:secret@host, https://secret@host, and user:secret@ of any other scheme
    (re.compile(r"(\bhttps?://)[^\s/?#'\"<>]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#'\"<>:]*:[^\s/?#'\"<>]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # ?token=..., and what signs an address of a storage
    (
        re.compile(
            r"([?&](?:access_token|token|api_?key|signature|sig|key-pair-id|x-amz-[a-z-]*(?:signature|credential|token))=)[^\s&'\"]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # what opens a storage of Azure
    (re.compile(r"(\b(?:AccountKey|SharedAccessSignature)=)[^\s;'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # Authorization: Bearer ..., also as a dict or JSON prints it
    (
        re.compile(
            r"(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?(?:(?:bearer|basic|token)\s+)?)[^\s'\",;]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\bbearer\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{8,}=*", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """The text with `[hidden]` in place of tokens, passwords and the values of secret environment variables."""
    for value in sorted(_values(), key=len, reverse=True):  # one may be a part of another
        text = text.replace(value, HIDDEN)
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


def is_secret(name: str) -> bool:
    """Whether an environment variable of this name holds a secret."""
    return any(known.fullmatch(name) for known, _ in SECRET)


def _values() -> set[str]:
    """The values of secret environment variables."""
    found = (
        (value, least)
        for name, text in os.environ.items()
        for known, least in SECRET
        if known.fullmatch(name)
        for value in _parts(text.strip())
    )
    return {value for value, least in found if len(value) >= least}


def _parts(text: str) -> Iterator[str]:
    """A value; where it is a mapping in JSON, the secrets in it too."""
    yield text
    try:
        values = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _parts(json.dumps(value))
        elif isinstance(value, str) and re.search("key|secret|token|pass|credential", name, re.IGNORECASE):
            yield value


class RedactedStream:
    """A text stream that lets nothing secret through; everything else is the stream's own.

    What is written in several pieces is looked at piece by piece.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redact_output() -> None:
    """Let nothing secret through `sys.stdout` and `sys.stderr`, nor through loggers that write to them.

    Nor through those that still write to what these were when Python started.
    """
    old = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    sys.stdout, sys.stderr = RedactedStream(sys.stdout), RedactedStream(sys.stderr)
    redirect_loggers(old, sys.stderr)


def redirect_loggers(old: Sequence[Any], new: Any) -> None:
    """Let loggers that write to one of the old streams write to a new one."""
    loggers = [logging.getLogger(), *(one for one in logging.root.manager.loggerDict.values())]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):  # a place in the tree without a logger has none
            if isinstance(handler, logging.StreamHandler) and any(handler.stream is stream for stream in old):
                handler.setStream(new)
