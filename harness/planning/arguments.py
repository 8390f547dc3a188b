"""Arguments of Python calls, models included: each is of a kind that can be read, or one line says what to give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from os import PathLike, fspath
from typing import Any

from harness import registry
from harness.errors import BenchError, unknown
from harness.family import ARCHITECTURES
from harness.model import Model
from harness.safe_text import plain, short


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


def pairs(given: Any, between: str, where: str) -> list[str]:
    """`NAME=VALUE` texts, or others; the values of a list are joined by `between`."""
    if isinstance(given, Mapping):
        return [f"{name}={one if isinstance(one, str) or not isinstance(one, Iterable) else between.join(map(str, one))}" for name, one in given.items()]
    texts = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    for text in texts:
        need(where, text, str, "a dictionary of name → value, or the texts that the option takes")
    return texts


def with_commas(value: Any) -> Any:
    """A list of texts as its option has it; anything else as it is."""
    return ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else value


PRECISIONS = ("fp32", "bf16", "fp16")


def checked_model(model: Model) -> Model:
    """The same model; a path is text, and one family or precision is a list of one.

    Raises:
        BenchError: a field with a value that means nothing.
    """
    need("Model: name", model.name, str, "text")
    where = f"Model {plain(model.name)!r}"
    if not model.name.strip() or plain(model.name) != model.name:
        raise BenchError(f"{where}: cannot be a name; give one line of visible characters")
    need(f"{where}: prefix", model.prefix, str, "text")
    families = (model.families,) if isinstance(model.families, str) else model.families
    avoid = (model.avoid,) if isinstance(model.avoid, str) else model.avoid
    need(f"{where}: families", families, (tuple, list, type(None)), "names of task families")
    need(f"{where}: avoid", avoid, (tuple, list), f"some of {', '.join(PRECISIONS)}")
    for name in families or ():
        registry.family(name)
    for name in avoid:
        if name not in PRECISIONS:
            raise unknown("precision", str(name), PRECISIONS, where=f"{where}: avoid")
    if model.architecture is not None and model.architecture not in ARCHITECTURES:
        raise unknown("architecture", str(model.architecture), ARCHITECTURES, where=where)
    return replace(
        model,
        source=path_of(f"{where}: source", model.source),
        families=tuple(families) if families is not None else None,
        avoid=tuple(avoid),
        max_length=None if model.max_length is None else whole(f"{where}: max_length", model.max_length, 1),
    )
