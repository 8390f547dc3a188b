"""Arguments of Python calls: each is of a kind that can be read, or one line says what to give."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from os import PathLike, fspath
from typing import Any

from harness.errors import BenchError
from harness.shown import short


def need(argument: str, value: Any, kinds: type | tuple[type, ...], what: str) -> None:
    """Raise a `BenchError` for a value of another kind; truth values are no numbers.

    Args:
        what: what to give in its place.
    """
    allowed = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise BenchError(f"{argument}: {short(repr(value))} is a {type(value).__name__}; give {what}")


def path_of(argument: str, value: str | PathLike[str]) -> str:
    """A name or path as text.

    Raises:
        BenchError: neither.
    """
    need(argument, value, (str, PathLike), "text or a path")
    return fspath(value)


def truth(argument: str, value: bool) -> bool:
    """True or False.

    Raises:
        BenchError: anything else; the text "no" would be true.
    """
    need(argument, value, bool, "True or False")
    return value


def whole(argument: str, value: int, least: int, what: str = "a whole number") -> int:
    """A whole number, `least` or more.

    Raises:
        BenchError: another value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise BenchError(f"{argument} {value}: must be {what}, {least} or more")
    return int(value)


def with_commas(value: Any) -> Any:
    """A list of texts as its option has it; anything else as it is."""
    return ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else value
