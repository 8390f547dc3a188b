"""Names of the rows of a board: their titles, and the names accepted on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache

from harness.errors import BenchError, nearest, unknown
from harness.grouping.groups import BoardPlace
from harness.methods import METHODS, NOT_IN_TITLES
from harness.store import Record

SHORTEST = 6  # hexadecimal digits of a digest that are accepted as a name


def row_title(model: str, method: str) -> str:
    """The title of a row on the board."""
    return model if method in NOT_IN_TITLES else f"{model} · {method}"


def row_order(place: BoardPlace) -> tuple[str, str, str]:
    """Sort key of places by name."""
    return place.model, place.method, place.task


def command_name(place: BoardPlace) -> str:
    """The name of a row on the command line: a baseline, or a model with `:method` unless that is `full`."""
    return place.model if place.method in NOT_IN_TITLES else f"{place.model}:{place.method}"


def row_named(name: str, places: Mapping[BoardPlace, list[Record]], where: str) -> str:
    """Find the row with this name, and return its name as `command_name` gives it.

    A model may be named by its title, by the name that was used to run it (such as a path), by its aliases in the
    suite, by its repository, or by the first digits of the digest of its weights.

    Args:
        name: the name, with or without `:method`.
        places: the records by place.
        where: name of the results, for the message.

    Raises:
        BenchError: no row or several rows have this name.
    """
    titles = sorted({command_name(place) for place in places})
    if name in titles:
        return name
    model, colon, method = name.rpartition(":")
    if not colon or method not in METHODS:
        model, method = name, ""
    matches = {
        command_name(place)
        for place, records in places.items()
        if (place.method == method if method else place.method in NOT_IN_TITLES)
        and any(_same_reference(model, other) for record in records for other in _names_of(record, model))
    }
    if len(matches) == 1:
        return matches.pop()
    if matches:
        raise BenchError(f"{where}: several rows are called {name!r}; name one of: {', '.join(sorted(matches))}")
    others = {other for records in places.values() for record in records for other in _names_of(record, "")}
    near = nearest(model, sorted(others | set(titles)))
    raise (
        unknown("model", name, titles, where=where)
        if near in titles or not near
        else BenchError(f"{where}: unknown model {name!r}; did you mean {near!r}? valid: {', '.join(titles)}")
    )


def _names_of(record: Record, requested: str) -> Iterator[str]:
    model = record["model"]
    yield model["name"]
    yield (record.get("typed") or {}).get("model") or model["name"]
    yield (model.get("source") or "").partition("@")[0] or model["name"]
    digest = model.get("digest") or ""
    if len(requested) >= SHORTEST and digest.startswith(requested):
        yield requested
    aliases = _aliases(record.get("suite_file") or record.get("suite") or "")
    yield from (alias for alias, name in aliases.items() if name == model["name"])


@cache
def _aliases(suite: str) -> Mapping[str, str]:
    """Alias → name of the models of a suite; empty if the suite no longer exists."""
    from harness.planning.suite import load_suite

    try:
        return load_suite(suite).aliases if suite else {}
    except BenchError:
        return {}


def _same_reference(one: str, other: str) -> bool:
    """Whether two references are equal or name the same path."""
    if one == other:
        return True
    paths = [name for name in (one, other) if "/" in name]
    return len(paths) == 2 and os.path.abspath(os.path.expanduser(one)) == os.path.abspath(os.path.expanduser(other))
