"""Check the arguments of Python calls, models included: a wrong value is an error that says what to give."""

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

AVOIDABLE = ("fp32", "bf16", "fp16")  # precisions that a model may avoid


def check_type(argument: str, value: Any, kinds: type | tuple[type, ...], expected: str) -> None:
    """Raise a `BenchError` for a value of another type; a boolean is no number.

    Args:
        expected: what to give instead.
    """
    allowed = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise BenchError(f"{argument}: {short(repr(value))} is a {type(value).__name__}; give {expected}")


def check_path(argument: str, value: str | PathLike[str]) -> str:
    """Return a name or path as text.

    Raises:
        BenchError: it is neither.
    """
    check_type(argument, value, (str, PathLike), "text or a path")
    return fspath(value)


def check_boolean(argument: str, value: bool) -> bool:
    """Return True or False.

    Raises:
        BenchError: anything else; the text "no" would be true.
    """
    check_type(argument, value, bool, "True or False")
    return value


def check_integer(argument: str, value: int, least: int, expected: str = "a whole number") -> int:
    """Return an integer of `least` or more.

    Raises:
        BenchError: another value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise BenchError(f"{argument} {value}: must be {expected}, {least} or more")
    return int(value)


def pairs(given: Any, separator: str, where: str) -> list[str]:
    """Return a mapping as `NAME=VALUE` texts, with the values of a list joined by the separator; return texts as they are."""
    if isinstance(given, Mapping):
        texts = []
        for name, value in given.items():
            is_list = isinstance(value, Iterable) and not isinstance(value, str)
            texts.append(f"{name}={separator.join(map(str, value)) if is_list else value}")
        return texts
    texts = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    for text in texts:
        check_type(where, text, str, "a dictionary of name → value, or the texts that the option takes")
    return texts


def with_commas(value: Any) -> Any:
    """Join a list of texts by commas, as options have it; return anything else as it is."""
    return ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else value


def check_model(model: Model) -> Model:
    """Return the model with a path as text, and with one family or precision as a list of one.

    Raises:
        BenchError: a field has a value that means nothing.
    """
    check_type("Model: name", model.name, str, "text")
    where = f"Model {plain(model.name)!r}"
    if not model.name.strip() or plain(model.name) != model.name:
        raise BenchError(f"{where}: cannot be a name; give one line of visible characters")
    check_type(f"{where}: prefix", model.prefix, str, "text")
    families = (model.families,) if isinstance(model.families, str) else model.families
    avoid = (model.avoid,) if isinstance(model.avoid, str) else model.avoid
    check_type(f"{where}: families", families, (tuple, list, type(None)), "names of task families")
    check_type(f"{where}: avoid", avoid, (tuple, list), f"some of {', '.join(AVOIDABLE)}")
    for name in families or ():
        registry.family(name)
    for name in avoid:
        if name not in AVOIDABLE:
            raise unknown("precision", str(name), AVOIDABLE, where=f"{where}: avoid")
    if model.architecture is not None and model.architecture not in ARCHITECTURES:
        raise unknown("architecture", str(model.architecture), ARCHITECTURES, where=where)
    return replace(
        model,
        source=check_path(f"{where}: source", model.source),
        families=None if families is None else tuple(families),
        avoid=tuple(avoid),
        max_length=None if model.max_length is None else check_integer(f"{where}: max_length", model.max_length, 1),
    )
