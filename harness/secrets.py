"""Tokens and passwords, kept out of what is written down: error messages, tracebacks, logs, the terminal.

A text that somebody else wrote, such as the Hub's refusal or a library's error, may hold what it was asked with.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

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


class Redacting:
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


def guard_output() -> None:
    """Let nothing secret through `sys.stdout` and `sys.stderr`, nor through loggers that write to them.

    Nor through those that still write to what these were when Python started.
    """
    old = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    sys.stdout, sys.stderr = Redacting(sys.stdout), Redacting(sys.stderr)
    point_loggers(old, sys.stderr)


def point_loggers(old: Sequence[Any], new: Any) -> None:
    """Let loggers that write to one of the old streams write to a new one."""
    loggers = [logging.getLogger(), *(one for one in logging.root.manager.loggerDict.values())]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):  # a place in the tree without a logger has none
            if isinstance(handler, logging.StreamHandler) and any(handler.stream is stream for stream in old):
                handler.setStream(new)
