"""Convert features to bytes and back. The bytes hold integers, but no text of the examples."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np

from harness.heads.base import Feature
from harness.heads.spans import Window

Examples = Sequence[Mapping[str, Any]]

# The kinds of values that a feature may have under one key. Kinds of integers are tried in this order.
INTEGER_KINDS = {"integer": list[int], "list": list[list[int]], "tuples": list[list[tuple[int, ...]]]}
TEXT = "text"  # stored as the key of the example's column that holds it
WINDOW = "window"  # stored as offsets, tokens and null


class Unstorable(Exception):
    """Features hold something else than integers, windows and texts of their examples."""


class _Values(msgspec.Struct, array_like=True):
    """The values of all features under one key of `inputs` or `extra`."""

    attribute: str
    key: str
    kind: str
    data: msgspec.Raw


class _Stored(msgspec.Struct, array_like=True):
    examples: list[int]
    values: list[_Values]
    state: dict[str, Any]


def to_bytes(features: Sequence[Feature], examples: Examples, state: Mapping[str, Any]) -> bytes:
    """Convert features, and plain values that belong to them, to bytes that start with a checksum.

    Raises:
        Unstorable: something could not be restored exactly.
    """
    values = []
    try:
        for attribute in ("inputs", "extra"):
            rows = [getattr(feature, attribute) for feature in features]
            keys = list(rows[0]) if rows else []
            if any(list(row) != keys for row in rows):
                raise Unstorable("features with different keys")
            for key in keys:
                kind, data = _encode([row[key] for row in rows], features, examples)
                values.append(_Values(attribute, key, kind, data))
        content = msgspec.msgpack.encode(_Stored([feature.example for feature in features], values, dict(state)))
    except (TypeError, ValueError, OverflowError) as error:  # a type, a text or an integer that msgpack does not have
        raise Unstorable(str(error)) from error
    return _checksum(content) + content


def from_bytes(content: bytes, examples: Examples) -> tuple[list[Feature], dict[str, Any]]:
    """Restore features and plain values from the result of `to_bytes`.

    Raises:
        ValueError: the content is damaged.
    """
    checksum, body = content[:4], memoryview(content)[4:]
    if checksum != _checksum(body):
        raise ValueError("the checksum differs")
    stored = msgspec.msgpack.decode(body, type=_Stored)
    features = [Feature(number, {}, {}) for number in stored.examples]
    for values in stored.values:
        restored = _decode(values.kind, values.data, stored.examples, examples)
        for feature, value in zip(features, restored, strict=True):
            getattr(feature, values.attribute)[values.key] = value
    return features, stored.state


def _checksum(content: bytes | memoryview) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big")


def _encode(values: list[Any], features: Sequence[Feature], examples: Examples) -> tuple[str, msgspec.Raw]:
    """Return the kind of the values of all features under one key, and their data."""
    if type(values[0]) is str:
        return TEXT, msgspec.Raw(msgspec.msgpack.encode(_text_key(values, features, examples)))
    if type(values[0]) is Window:
        if any(type(value) is not Window or not _is_usual(value) for value in values):
            raise Unstorable("windows of another layout")
        windows = [(window.offsets.tobytes(), window.tokens.tobytes(), window.null) for window in values]
        return WINDOW, msgspec.Raw(msgspec.msgpack.encode(windows))
    data = msgspec.Raw(msgspec.msgpack.encode(values))
    for kind, expected_type in INTEGER_KINDS.items():
        with suppress(msgspec.ValidationError):  # true and 1.0 are no integers
            if msgspec.msgpack.decode(data, type=expected_type) == values:
                return kind, data
    raise Unstorable(f"values such as {values[0]!r:.50}")


def _decode(kind: str, data: msgspec.Raw, numbers: Sequence[int], examples: Examples) -> list[Any]:
    if kind == TEXT:
        key = msgspec.msgpack.decode(data)
        return [examples[number][key] for number in numbers]
    if kind == WINDOW:
        return [
            Window(np.frombuffer(offsets, np.int32).reshape(-1, 2).copy(), np.frombuffer(tokens, np.int64).copy(), null)
            for offsets, tokens, null in msgspec.msgpack.decode(data)
        ]
    return msgspec.msgpack.decode(data, type=INTEGER_KINDS[kind])


def _is_usual(window: Window) -> bool:
    """Return whether a window has the types and shapes that `_decode` restores."""
    offsets, tokens = window.offsets, window.tokens
    return offsets.dtype == np.int32 and offsets.shape[1:] == (2,) and tokens.dtype == np.int64 and tokens.ndim == 1


def _text_key(values: list[str], features: Sequence[Feature], examples: Examples) -> str:
    """Return the key under which every feature's example holds the feature's text."""
    for key in examples[features[0].example]:
        pairs = zip(values, features, strict=True)
        if all(examples[feature.example].get(key) == value for value, feature in pairs):
            return key
    raise Unstorable("a text that no example has")
