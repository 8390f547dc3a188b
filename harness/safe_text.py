"""Make text safe to show or store: escape control characters, and hide tokens and passwords.

A label, column or file name may hold line breaks, terminal escape sequences or characters that change the text
direction. Pass every text of unknown origin through `plain` before it is shown; formats with their own syntax escape
the result again (`harness.report`). Text that somebody else wrote, such as an error of the Hub, may quote credentials;
`redact` hides them.
"""

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

SHOWN = 60  # characters of a value in a message
HIDDEN = "[hidden]"

# Control characters (tabs too), line separators, and characters that change the text direction.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_BREAK = re.compile(r"\s*[\n\r\u2028\u2029\x85]\s*")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Environment variables whose values are secrets, and the minimum length of such a value: shorter ones may be words.
_SECRET_VARIABLES = (
    (re.compile(r"HF_TOKEN|HUGGING_?FACE_HUB_TOKEN"), 4),
    (re.compile(r".*(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY(_?ID)?)", re.IGNORECASE), 8),
    # Object stores; FSSPEC_S3 and similar variables hold JSON.
    (re.compile(r".*(ACCOUNT_?KEY|STORAGE_?KEY|CONNECTION_?STRING)|FSSPEC_[A-Z0-9]+(_\w*KEY)?", re.IGNORECASE), 8),
)
_SECRET_PATTERNS = (
    # Hub tokens. They contain capitals or digits, or are long; `hf_transfer` and similar names do not.
    (re.compile(r"\bhf_(?:oauth_|jwt_)?(?:(?=[a-zA-Z]*[A-Z0-9])[a-zA-Z0-9]{8,}|[a-zA-Z0-9]{20,})"), HIDDEN),
    (re.compile(r"\bapi_org_[a-zA-Z0-9]{8,}"), HIDDEN),
    # https://user:secret@host, https://secret@host, and user:secret@ with any other scheme
    (re.compile(r"(\bhttps?://)[^\s/?#'\"<>]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#'\"<>:]*:[^\s/?#'\"<>]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # ?token=..., and the signature of a signed storage URL
    (
        re.compile(
            r"([?&](?:access_token|token|api_?key|signature|sig|key-pair-id|x-amz-[a-z-]*(?:signature|credential|token))=)[^\s&'\"]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # Azure connection strings
    (re.compile(r"(\b(?:AccountKey|SharedAccessSignature)=)[^\s;'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # Authorization: Bearer ..., also as printed by a dict or JSON
    (
        re.compile(
            r"(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?(?:(?:bearer|basic|token)\s+)?)[^\s'\",;]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\bbearer\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{8,}=*", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def plain(text: str) -> str:
    r"""Return the text on one line, with unsafe characters escaped as `\n`, `\x1b` and so on."""
    return _UNSAFE.sub(_escape, text) if _UNSAFE.search(text) else text


def short(text: str, most: int = SHOWN) -> str:
    """Return the text for a message: on one line, escaped, and cut to `most` characters."""
    if len(text) > 2 * most:  # do not scan all of a very long text
        return f"{plain(text[:most])[: most - 1]}… ({len(text):,} characters)"
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}… ({len(text):,} characters)"


def listed(names: Iterable[str], most: int = 5) -> str:
    """Return `a, b, c and 4 more`, with long names cut."""
    names = [short(name) for name in names]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def sentence(text: str) -> str:
    r"""Return the text on one line for prose: line breaks become blanks instead of `\n`."""
    return plain(_LINE_BREAK.sub(" ", text))


def visible(text: str) -> str:
    """Escape a text of several lines: line breaks, tabs and right-to-left marks stay."""
    return _UNSAFE.sub(lambda match: match[0] if match[0] in "\n\t\u061c\u200e\u200f" else _escape(match), text)


def _escape(match: re.Match[str]) -> str:
    letter = match.group()
    return _ESCAPES.get(letter) or (f"\\x{ord(letter):02x}" if ord(letter) < 128 else f"\\u{ord(letter):04x}")


def csv_cell(value: object) -> object:
    """Return the value of a CSV cell: text on one line, with an apostrophe before anything that looks like a formula."""
    if not isinstance(value, str):
        return value
    return f"'{plain(value)}" if value.startswith(_FORMULA_STARTS) else plain(value)


def shell_command(words: Iterable[str]) -> str:
    """Return a command as a shell reads it, on one line; words with unsafe characters are written as `$'a\\nb'`."""
    return " ".join(shlex.quote(word) if plain(word) == word else _ansi_quote(word) for word in words)


def _ansi_quote(word: str) -> str:
    return "$'" + plain(word.replace("\\", "\\\\")).replace("'", "\\'") + "'"


def console(**options: Any) -> Console:
    """Return a `rich.console.Console` without markup, which escapes unsafe characters.

    Args:
        options: passed to `rich.console.Console`.
    """
    from rich.console import Console, RenderHook
    from rich.segment import Segment

    class Escaped:
        def __init__(self, renderable: Any) -> None:
            self.renderable = renderable

        def __rich_console__(self, console: Any, options: Any) -> Iterable[Segment]:
            for part in console.render(self.renderable, options):
                yield part if part.control else Segment(visible(part.text), part.style)

    class EscapeHook(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [Escaped(renderable) for renderable in renderables]

    terminal = Console(markup=False, **options)
    terminal.push_render_hook(EscapeHook())
    return terminal


def redact(text: str) -> str:
    """Replace tokens, passwords and the values of secret environment variables by `[hidden]`."""
    for value in sorted(_secret_values(), key=len, reverse=True):  # a secret may be part of a longer one
        text = text.replace(value, HIDDEN)
    for pattern, replacement in _SECRET_PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def is_secret(name: str) -> bool:
    """Whether an environment variable of this name holds a secret."""
    return any(pattern.fullmatch(name) for pattern, _ in _SECRET_VARIABLES)


def _secret_values() -> set[str]:
    return {
        value
        for name, text in os.environ.items()
        for pattern, min_length in _SECRET_VARIABLES
        if pattern.fullmatch(name)
        for value in _with_json_secrets(text.strip())
        if len(value) >= min_length
    }


def _with_json_secrets(text: str) -> Iterator[str]:
    """Yield a value and, where it is a JSON object, the secrets inside it."""
    yield text
    try:
        values = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _with_json_secrets(json.dumps(value))
        elif isinstance(value, str) and re.search("key|secret|token|pass|credential", name, re.IGNORECASE):
            yield value


class RedactedStream:
    """A text stream that redacts what is written to it. Each piece is redacted by itself."""

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
    """Redact what is written to `sys.stdout` and `sys.stderr`, also by loggers and also under their original names."""
    old = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    sys.stdout, sys.stderr = RedactedStream(sys.stdout), RedactedStream(sys.stderr)
    redirect_loggers(old, sys.stderr)


def redirect_loggers(old: Sequence[Any], new: Any) -> None:
    """Make loggers that write to one of the old streams write to the new one."""
    for logger in [logging.getLogger(), *logging.root.manager.loggerDict.values()]:
        for handler in getattr(logger, "handlers", ()):  # placeholders in the logger tree have none
            if isinstance(handler, logging.StreamHandler) and any(handler.stream is stream for stream in old):
                handler.setStream(new)
